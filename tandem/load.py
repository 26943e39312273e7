"""Load the site once, as its servers will, before anything depends on it.

Usage: ``deploy/run.sh load``
Exits non-zero, with what Python or Django says, when an application cannot be imported or,
of Tandem's own site, a system check finds an error.
"""

from __future__ import annotations

import importlib
import os


def main() -> None:
    """Import both applications and run the checks."""
    for variable in ("WSGI_APPLICATION", "ASGI_APPLICATION"):
        module, _, name = os.environ[variable].partition(":")
        getattr(importlib.import_module(module), name)
    if os.environ.get("NOTIFY_INSTANCES", "0") != "0":
        importlib.import_module("notifications.server")
    if "SITE_SETTINGS" in os.environ:
        # Checks of other people's packages may ask the database, which is not there yet.
        return
    from django.core.management import call_command  # needs the settings that they have set up

    call_command("check", deploy=True, fail_level="ERROR")


if __name__ == "__main__":
    main()
