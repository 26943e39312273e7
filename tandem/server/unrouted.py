"""A WebSocket for which the site has no route is refused, as a page that is not there is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

logger = logging.getLogger("tandem.asgi")
# What Channels' URLRouter and ProtocolTypeRouter, and Django itself, raise for one.
SAID = (
    "No route found for path",
    "No application configured for scope type",
    "Django can only handle ASGI/HTTP connections",
)
LONGEST = 200  # characters of a path in the log


class Unrouted:
    """ASGI middleware: 404 where there is no such socket, and one line in the log.

    Otherwise whoever asks for any path costs a traceback and a 500.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] not in ("websocket", "http"):
            await self.application(scope, receive, send)
            return
        begun = False

        async def sent(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.application(scope, receive, sent)
        except ValueError as error:
            if begun or not str(error).startswith(SAID):
                raise
            # ascii(): a path may have line breaks, and what a terminal obeys.
            logger.warning("No %s route for %s", scope["type"], ascii(scope["path"])[:LONGEST])
            await refuse(scope, send)


async def refuse(scope: Any, send: Any) -> None:
    """Answer 404; a server that cannot refuse a handshake so answers 403."""
    kind = {"http": "http.response", "websocket": "websocket.http.response"}[scope["type"]]
    if kind != "http.response" and kind not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"10")]
    await send({"type": f"{kind}.start", "status": 404, "headers": headers})
    await send({"type": f"{kind}.body", "body": b"Not found\n"})
