"""Dispatch WebSockets through Django's URL resolver; everything else passes unchanged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.urls import Resolver404, ResolverMatch, get_resolver

from tandem.facts import INTERNAL_ERROR
from tandem.websocket.connection import State, WebSocket
from tandem.websocket.exceptions import DisconnectedError
from tandem.websocket.legacy.view import LegacyView
from tandem.websocket.routing import WebSocketRoute
from tandem.websocket.sessions import identify

logger = logging.getLogger(__name__)


class WebSocketMiddleware:
    """Wrap an ASGI application: ``application = WebSocketMiddleware(get_asgi_application())``.

    A socket goes to the view that ``websocket()`` has put at its address, or to one with the
    decorators of ``tandem.websocket.legacy``.  Anywhere else the handshake gets 404 and the
    log a line.  A view that raises closes its socket with 1011 and is logged with its traceback.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket":
            await self.application(scope, receive, send)
            return
        socket = WebSocket(scope, receive, send)
        handler = _find(scope)
        if handler is None:
            logger.warning("no WebSocket at %s", socket.path)
            await socket.deny(404, "There is no WebSocket at this address.\n")
            return
        socket.path_params = scope["tandem.match"].kwargs
        try:
            await identify(scope)
            await handler.serve(socket)
            await socket.close()
        except DisconnectedError:
            pass  # the client left, and the view had no more to say
        except Exception:
            logger.exception("the WebSocket view at %s failed", scope["tandem.match"].route)
            if socket.application_state is State.CONNECTING:
                await socket.deny(500, "The view at this address failed.\n")
            else:
                await socket.close(INTERNAL_ERROR, "internal error")


def _find(scope: dict[str, Any]) -> WebSocketRoute | LegacyView | None:
    """Return what serves sockets at the path of ``scope``; notes the match in it."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    try:
        match: ResolverMatch = get_resolver().resolve(path)
    except Resolver404:
        return None
    scope["tandem.match"] = match
    if isinstance(match.func, WebSocketRoute):
        return match.func
    return LegacyView.of(match)
