"""The ASGI middleware, to be put inside the one that authenticates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.closing import ClosableSocket
from tandem.revocation.watch import LOGGED_OUT, Entry, rights, watch

__all__ = ["LOGGED_OUT", "CloseRevoked"]


class CloseRevoked:
    """``AuthMiddlewareStack(CloseRevoked(URLRouter([…])))``: sockets end with their login.

    An application that finds out itself who a client is (by a token in a message, say)
    calls ``scope["tandem.identified"](user)``.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket":
            await self.application(scope, receive, send)
            return
        socket = ClosableSocket(receive, send)
        entries: list[Entry] = []

        def identified(user: Any, session: str | None = None) -> None:
            entries.append(Entry(socket, user.pk, rights(user), session))
            watch.add(entries[-1])

        user = scope.get("user")
        if user is not None and user.is_authenticated:
            identified(user, getattr(scope.get("session"), "session_key", None))
        scope = {**scope, "tandem.identified": identified}
        try:
            await self.application(scope, socket.receive, socket.send)
        finally:
            for entry in entries:
                watch.discard(entry)
