"""Run a synchronous view on a WebSocket: through Django's middleware, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import io
import logging
import threading
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.conf import settings
from django.core import signals
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from tandem.facts import INTERNAL_ERROR, POLICY_VIOLATION, TRY_AGAIN_LATER
from tandem.websocket.connection import State, WebSocket
from tandem.websocket.exceptions import DisconnectedError
from tandem.websocket.legacy.socket import LegacySocket

logger = logging.getLogger(__name__)

THREADS = 16  # of a process, unless the setting WEBSOCKET_THREADS says otherwise


class _Handler(BaseHandler):
    """Django's request handling with the site's middleware, for a view that may return nothing."""

    def resolve_request(self, request: HttpRequest) -> Any:
        match: ResolverMatch = super().resolve_request(request)
        match.func = _answering(match.func)
        return match


def _answering(view: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def answering(*args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(*args, **kwargs) or HttpResponse()
        except DisconnectedError:  # it sent to a client that has gone: the usual end
            return HttpResponse()

    return answering


@cache
def _handler() -> _Handler:
    handler = _Handler()
    handler.load_middleware(is_async=False)
    return handler


class _Threads:
    """Counts the threads of this process.  They are daemons: none holds up the server's end."""

    def __init__(self) -> None:
        self._running = 0

    async def run(self, work: Callable[[], HttpResponseBase]) -> HttpResponseBase | None:
        """Return what ``work`` returns in a thread of its own; ``None``: there is no room."""
        if self._running >= getattr(settings, "WEBSOCKET_THREADS", THREADS):
            return None
        self._running += 1
        loop = asyncio.get_running_loop()
        done: asyncio.Future[HttpResponseBase | None] = loop.create_future()

        def settle(result: HttpResponseBase | None, error: BaseException | None) -> None:
            self._running -= 1
            if done.cancelled():
                return
            if error is None:
                done.set_result(result)
            else:
                done.set_exception(RuntimeError(f"the view ended by {error!r}"))

        def run() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:  # Django lets SystemExit through
                error = raised
            connections.close_all()  # this thread's own
            with contextlib.suppress(RuntimeError):  # the server has ended meanwhile
                loop.call_soon_threadsafe(settle, result, error)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(run,), daemon=True).start()
        return await done


threads = _Threads()


class LegacyView:
    """A view that takes WebSockets by the decorators, or by ``WEBSOCKET_ACCEPT_ALL``."""

    def __init__(self, match: ResolverMatch) -> None:
        self.match = match

    @classmethod
    def of(cls, match: ResolverMatch) -> LegacyView | None:
        """Return the view of ``match``, or ``None`` if it takes no WebSockets."""
        every = getattr(settings, "WEBSOCKET_ACCEPT_ALL", False)
        return cls(match) if getattr(match.func, "accept_websocket", every) else None

    async def serve(self, socket: WebSocket) -> None:
        """Run the view.  Raises what the site's handling of exceptions lets through."""
        legacy = LegacySocket(socket, asyncio.get_running_loop())
        request = _request(socket, legacy)
        try:
            response = await threads.run(lambda: _respond(request))
            await legacy.finish()
        except asyncio.CancelledError:
            await legacy.abandon()
            raise
        if response is None:
            logger.warning("no thread is free for a WebSocket at %s", self.match.route)
            await socket.accept()  # a refused handshake cannot say why
            await socket.close(TRY_AGAIN_LATER, "all threads are busy; try again later")
        elif response.status_code >= 300:
            await _refuse(socket, response)
        elif socket.application_state is State.CONNECTING:
            await socket.accept()


def _request(socket: WebSocket, legacy: LegacySocket) -> ASGIRequest:
    scheme = "https" if socket.scope.get("scheme") == "wss" else "http"
    scope = {**socket.scope, "type": "http", "method": "GET", "scheme": scheme}
    request = ASGIRequest(scope, io.BytesIO())
    request.is_websocket = lambda: True  # type: ignore[attr-defined]
    request.websocket = legacy  # type: ignore[attr-defined]
    return request


def _respond(request: ASGIRequest) -> HttpResponseBase:
    signals.request_started.send(sender=LegacyView, scope=request.scope)
    response = _handler().get_response(request)
    response.close()  # sends request_finished
    return response


async def _refuse(socket: WebSocket, response: HttpResponseBase) -> None:
    """Pass a response that is no success on: as the answer to the handshake, if it still waits."""
    if socket.application_state is State.CONNECTING:
        await socket.deny(response.status_code, f"{response.reason_phrase}\n")
    else:
        code = INTERNAL_ERROR if response.status_code >= 500 else POLICY_VIOLATION
        await socket.close(code, response.reason_phrase)
