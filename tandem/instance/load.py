"""Load the site once, as its servers will, before anything depends on it.

Usage: ``deploy/run.sh load``, which is ``python -m tandem.instance.load [MODULE…]``
Exits non-zero, with what Python or Django says, when an application or a MODULE (of a server
of the site's own) cannot be imported or, of Tandem's own site, a system check finds an error.
"""

from __future__ import annotations

import importlib
import os
import sys


def main(modules: list[str]) -> None:
    """Import both applications and ``modules``, and run the checks."""
    for variable in ("WSGI_APPLICATION", "ASGI_APPLICATION"):
        module, _, name = os.environ[variable].partition(":")
        getattr(importlib.import_module(module), name)
    for module in modules:
        importlib.import_module(module)
    if "SITE_SETTINGS" in os.environ:
        # Checks of other people's packages may ask the database, which is not there yet.
        return
    from django.core.management import call_command  # needs the settings that they have set up

    call_command("check", deploy=True, fail_level="ERROR")


if __name__ == "__main__":
    main(sys.argv[1:])
