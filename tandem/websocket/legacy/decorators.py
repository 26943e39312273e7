"""Which synchronous views take WebSockets."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

View = Callable[..., Any]


def prepare(request: HttpRequest) -> None:
    """Give a plain request what a view asks first: it is no WebSocket and has none."""
    if not hasattr(request, "is_websocket"):
        request.is_websocket = lambda: False  # type: ignore[attr-defined]
        request.websocket = None  # type: ignore[attr-defined]


def _decorate(view: View, *, only: bool) -> View:
    @wraps(view)
    def decorated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        prepare(request)
        if only and not request.is_websocket():  # type: ignore[attr-defined]
            return HttpResponseBadRequest("This address speaks the WebSocket protocol only.\n")
        return view(request, *args, **kwargs)

    decorated.accept_websocket = True  # type: ignore[attr-defined]
    decorated.require_websocket = only  # type: ignore[attr-defined]
    return decorated


def accept_websocket(view: View) -> View:
    """Let ``view`` take plain HTTP and WebSockets; ``request.is_websocket()`` tells which."""
    return _decorate(view, only=False)


def require_websocket(view: View) -> View:
    """Let ``view`` take WebSockets only; plain HTTP gets 400."""
    return _decorate(view, only=True)


class WebSocketRequestMiddleware:
    """For ``MIDDLEWARE``: every request can be asked ``is_websocket()``, decorated view or not.

    Sites with ``WEBSOCKET_ACCEPT_ALL = True`` need it, and those whose own middleware asks.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Serve one request; returns a coroutine where ``get_response`` does."""
        prepare(request)
        return self.get_response(request)
