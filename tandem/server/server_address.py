"""The address that a client has asked for, where the server listens on a Unix socket."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

HOST = re.compile(rb"(\[[^]]*\]|[^:]*)(?::(\d{1,5}))?")


def asked_for(scope: dict[str, Any]) -> tuple[str, int]:
    """Return name and port of the Host header; without a port, that of the scheme."""
    host = dict(scope["headers"]).get(b"host", b"")
    found = HOST.fullmatch(host)
    name, port = found.groups() if found else (b"", None)
    standard = 443 if scope.get("scheme") in ("https", "wss") else 80
    return (name or b"localhost").decode("latin1"), int(port or standard)


class ServerAddress:
    """Gives ``scope["server"]`` a port.

    Uvicorn names a Unix socket by its path and the port None, of which Django makes
    ``SERVER_PORT = "None"``: ``request.get_port()`` is then no number (Wagtail answers 500).
    Gunicorn takes both from the Host header there, and so do we: a site sees the same on
    both sides.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass on, with an address."""
        if scope["type"] in ("http", "websocket"):
            server = scope.get("server")
            if server is None or server[1] is None:
                scope = {**scope, "server": asked_for(scope)}
        await self._application(scope, receive, send)
