"""Ask an instance, from the edge, to have its WebSockets connect anew: after a reload.

An old nginx worker lives for as long as a socket passes through it.  Sockets that are
closed one by one, with 1012, move to the new workers; the old ones end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.streams import move_streams

PATH = "/health/move-sockets/"


class MoveSockets:
    """ASGI middleware: ``POST /health/move-sockets/`` moves the sockets of this instance.

    Only for whoever can reach the instance itself: what comes through nginx always has
    ``X-Forwarded-For`` and is passed on to the site.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if (
            scope["type"] != "http"
            or (scope["method"], scope["path"]) != ("POST", PATH)
            or any(name == b"x-forwarded-for" for name, _ in scope["headers"])
        ):
            await self.application(scope, receive, send)
            return
        from tandem.server.websocket import move_sockets  # not every server is Uvicorn

        body = b'{"moving": %d}\n' % (move_sockets() + move_streams())
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": body})
