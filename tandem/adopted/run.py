"""Run a script or a module, the site's own package first.

Usage: ``python -m tandem.adopted.run manage.py …`` or ``… -m MODULE …``

Some packages set Django up as they are imported (Codex does).  That works when they are the
first to be imported, and not when Django imports them while it reads its settings.
"""

from __future__ import annotations

import os
import runpy
import sys
from importlib import import_module


def first() -> None:
    """Import the package of the site's settings, unless that is the settings themselves."""
    package, _, inner = os.environ["SITE_SETTINGS"].partition(".")
    if inner:
        import_module(package)


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1] == "-m":
        first()
        del sys.argv[:2]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        from tandem.adopted.pin import pin

        pin()
        first()
        del sys.argv[0]
        sys.path.insert(0, os.path.abspath("."))
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
