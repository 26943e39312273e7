"""Where a site's log lines go: to the log of its unit or container, whatever else they do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONSOLE = "logging.StreamHandler"
KEPT = ("level", "formatter", "filters")


def logs(site: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``LOGGING`` where the site's is missing or cannot work here."""
    own = site.get("LOGGING")
    if not own:
        return {"LOGGING": DEFAULT}
    handlers = own.get("handlers", {})
    moved = {name: _console(one) for name, one in handlers.items() if not _writable(one)}
    return {"LOGGING": {**own, "handlers": {**handlers, **moved}}} if moved else {}


def _writable(handler: Mapping[str, Any]) -> bool:
    """Tell whether a handler that writes to a file may.

    Releases are read-only here, and there is no ``/var/log/shop``.  One handler that cannot
    open its file keeps Django from starting at all.
    """
    if not handler.get("filename"):
        return True
    file = Path(handler["filename"])
    return os.access(file if file.exists() else file.parent, os.W_OK)


def _console(handler: Mapping[str, Any]) -> dict[str, Any]:
    return {"class": CONSOLE, **{name: handler[name] for name in KEPT if name in handler}}


# Django's own choice without DEBUG is a mail to ADMINS, of whom there are none.
DEFAULT: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": CONSOLE}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # One line for each 4xx is nginx's business.
    "loggers": {"django.request": {"level": "ERROR"}},
}
