"""The prefix of a site that lives under one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings


def wsgi(site: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Return ``site`` with ``FORCE_SCRIPT_NAME`` taken from the paths that it is asked for.

    Django does so under ASGI; under WSGI it leaves that to the server, and there is none
    here that would: nginx passes each path as it came.
    """
    prefix = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    if not prefix:
        return site

    def served(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == prefix or path.startswith(f"{prefix}/"):
            environ = {**environ, "SCRIPT_NAME": prefix, "PATH_INFO": path.removeprefix(prefix)}
        return site(environ, start_response)

    return served
