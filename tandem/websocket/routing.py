"""``websocket()`` beside ``path()`` in an ordinary URLconf."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import update_wrapper
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import URLPattern, path

from tandem.websocket.connection import WebSocket

View = Callable[..., Awaitable[None]]


class WebSocketRoute:
    """What the URL resolver finds at the address of a socket.

    Plain HTTP gets 400.  (426 would need an Upgrade header, which breaks HTTP/2; nginx knows
    which it speaks and answers 426 before it comes to this.)
    """

    def __init__(self, view: View) -> None:
        self.view = view
        # reverse() wants the names of every view.
        update_wrapper(self, view if hasattr(view, "__qualname__") else type(view), updated=())

    def __call__(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Answer plain HTTP."""
        return HttpResponseBadRequest(
            "This address speaks the WebSocket protocol only.\n", content_type="text/plain"
        )

    async def serve(self, socket: WebSocket) -> None:
        """Run the view on a socket."""
        await self.view(socket, **socket.path_params)


def websocket(
    route: str, view: View, kwargs: dict[str, Any] | None = None, name: str | None = None
) -> URLPattern:
    """Return a URL pattern like ``path()``, for ``async def view(socket, **kwargs)``.

    The view is served where ``tandem.websocket.WebSocketMiddleware`` wraps the ASGI application.
    """
    return path(route, WebSocketRoute(view), kwargs, name)  # type: ignore[arg-type]
