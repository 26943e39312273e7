"""Have Django read Tandem's settings, whichever the site's files name."""

from __future__ import annotations

import os
from typing import Any

from django.conf import ENVIRONMENT_VARIABLE, LazySettings
from django.utils.functional import empty

SETTINGS = "tandem.adopted.settings"


def pin() -> None:
    """Let no file of the site choose the settings of this process.

    Most say ``os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)``, and find it set; some
    assign it.  A ``manage.py`` that did so would migrate another database than the servers
    use.  So it is set again at the moment when Django reads it, which also leaves it right
    for the processes that this one starts.
    """
    read = LazySettings._setup  # type: ignore[attr-defined]
    if getattr(read, "pins", False):
        return

    def _setup(self: LazySettings, name: str | None = None) -> Any:
        os.environ[ENVIRONMENT_VARIABLE] = SETTINGS
        try:
            return read(self, name)
        except BaseException:
            # Whoever asked meanwhile was answered with the site's own, so far: after a failure
            # those must not be in force, with nothing laid over them.
            self._wrapped = empty
            raise

    _setup.pins = True  # type: ignore[attr-defined]
    LazySettings._setup = _setup  # type: ignore[attr-defined]
