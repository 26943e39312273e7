"""One WebSocket, as a view sees it: six ASGI events behind ten methods.

The events (asgi.readthedocs.io, "WebSocket Connection Scope"): ``websocket.connect``,
``receive`` and ``disconnect`` come in, ``accept``, ``send`` and ``close`` go out.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from enum import Enum
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlunsplit

from django.http import HttpHeaders, QueryDict, parse_cookie

from tandem.facts import ABNORMAL, NORMAL, may_be_sent
from tandem.websocket.exceptions import DisconnectedError, MessageTypeError, StateError


class State(Enum):
    """How far a side of the connection has come."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class WebSocket:
    """The connection that an ``async def view(socket, **kwargs)`` gets.

    ``scope``, ``receive`` and ``send`` are those of ASGI.  ``path_params`` are the view's
    keyword arguments.  ``client_state`` and ``application_state`` tell how far each side is.
    """

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        self.client_state = State.CONNECTING
        self.application_state = State.CONNECTING
        self.path_params: dict[str, Any] = {}
        self.subprotocol: str | None = None
        self._receive = receive
        self._send = send
        self._end: tuple[int, str] | None = None  # code and reason of the close

    # --- what the client said in its handshake ---

    @cached_property
    def headers(self) -> HttpHeaders:
        """The headers, by name in any case, as ``request.headers``."""
        environ: dict[str, str] = {}
        for name, value in self.scope["headers"]:
            key = name.decode("latin1").upper().replace("-", "_")
            key = key if key in HttpHeaders.UNPREFIXED_HEADERS else f"HTTP_{key}"
            text = value.decode("latin1")
            glue = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{glue}{text}" if key in environ else text
        return HttpHeaders(environ)

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies, by name."""
        return parse_cookie(self.headers.get("cookie", ""))

    @cached_property
    def query_params(self) -> QueryDict:
        """The query string, as ``request.GET``."""
        return QueryDict(self.scope["query_string"])

    @property
    def subprotocols(self) -> list[str]:
        """The subprotocols that the client offers, its favourite first."""
        return list(self.scope.get("subprotocols", ()))

    @property
    def client(self) -> tuple[str, int] | None:
        """The client's address and port, where the server knows them."""
        client = self.scope.get("client")
        return (client[0], client[1]) if client else None

    @property
    def path(self) -> str:
        """The path, decoded."""
        return self.scope["path"]

    @property
    def url(self) -> str:
        """The whole address, without its query string: tokens travel there, and logs keep URLs."""
        raw = self.scope.get("raw_path", b"").decode("latin1").partition("?")[0]
        host = self.headers.get("host", "")
        path = raw if unquote(raw) == self.path else self.path
        return urlunsplit((self.scope.get("scheme", "ws"), host, path, "", ""))

    # --- what the middleware found out ---

    @property
    def user(self) -> Any:
        """The user, as ``request.user``; anonymous without a session."""
        return self.scope["user"]

    @property
    def session(self) -> Any:
        """The session, as ``request.session``; changes are saved by its ``asave()`` alone."""
        return self.scope["session"]

    # --- opening and closing ---

    async def accept(
        self, subprotocol: str | None = None, headers: list[tuple[str, str]] | None = None
    ) -> None:
        """Complete the handshake.

        Raises ``StateError`` when that has been done, ``MessageTypeError`` for a subprotocol that
        the client did not offer, ``DisconnectedError`` when the client has gone.
        """
        if self.application_state is State.CONNECTED:
            raise StateError("accept() has been called already")
        if subprotocol is not None and subprotocol not in self.subprotocols:
            raise MessageTypeError(f"the client did not offer the subprotocol {subprotocol!r}")
        await self._connect()
        pairs = [(k.lower().encode("latin1"), v.encode("latin1")) for k, v in headers or ()]
        await self._emit({"type": "websocket.accept", "subprotocol": subprotocol, "headers": pairs})
        self.subprotocol = subprotocol
        self.application_state = State.CONNECTED

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close; before ``accept()``: refuse the handshake (403).  Twice does no harm.

        ``reason`` may have 123 bytes of UTF-8 (RFC 6455, 5.5).  Raises ``ValueError`` if it
        is longer, or if ``code`` may not be sent (7.4).
        """
        if not may_be_sent(code):
            raise ValueError(f"{code} is not a close code that may be sent")
        if len(reason.encode()) > 123:
            raise ValueError("the reason of a close has at most 123 bytes")
        with contextlib.suppress(DisconnectedError):
            await self._connect()
            await self._emit({"type": "websocket.close", "code": code, "reason": reason})
            self._ended(code, reason)

    async def deny(self, status: int, body: str = "") -> None:
        """Refuse the handshake with an HTTP status of the view's choice.

        It is 403 where the server lacks ASGI's extension "Websocket Denial Response".
        Raises ``StateError`` after ``accept()``.
        """
        if self.application_state is State.CONNECTED:
            raise StateError("deny() comes before accept(), close() after it")
        if "websocket.http.response" not in (self.scope.get("extensions") or {}):
            await self.close()
            return
        with contextlib.suppress(DisconnectedError):
            await self._connect()
            content = body.encode()
            headers = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", b"%d" % len(content)),
            ]
            start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
            await self._emit(start)
            await self._emit({"type": "websocket.http.response.body", "body": content})
            self._ended(ABNORMAL, "denied")

    # --- receiving ---

    async def receive(self) -> str | bytes:
        """Return the next message, of either kind.

        Raises ``StateError`` before ``accept()`` and ``DisconnectedError`` after the end.
        """
        if self.application_state is State.CONNECTING:
            raise StateError("accept() comes before the first receive")
        event = await self._event()
        text = event.get("text")
        return text if text is not None else event["bytes"]

    async def receive_text(self) -> str:
        """Return the next message.  Raises as ``receive``, and ``MessageTypeError`` for bytes."""
        message = await self.receive()
        if isinstance(message, bytes):
            raise MessageTypeError("expected a text message, got bytes")
        return message

    async def receive_bytes(self) -> bytes:
        """Return the next message.  Raises as ``receive``, and ``MessageTypeError`` for text."""
        message = await self.receive()
        if isinstance(message, str):
            raise MessageTypeError("expected a message of bytes, got text")
        return message

    async def receive_json(self) -> Any:
        """Return the next message, parsed.  Raises as ``receive``, and ``MessageTypeError``."""
        message = await self.receive()
        try:
            return json.loads(message)
        except ValueError as error:
            raise MessageTypeError(f"expected JSON: {error}") from None

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Iterate over the messages until the socket is closed, by whichever side."""
        while True:
            try:
                message = await self.receive()
            except DisconnectedError:
                return
            yield message

    # --- sending ---

    async def send_text(self, text: str) -> None:
        """Send a text.  All of these wait while the client is slow to take what was sent.

        Raises ``StateError`` before ``accept()`` and ``DisconnectedError`` after the end.
        """
        await self._message({"type": "websocket.send", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes; raises as ``send_text``."""
        await self._message({"type": "websocket.send", "bytes": data})

    async def send_json(self, value: Any) -> None:
        """Send ``value`` as JSON; raises as ``send_text``, and ``TypeError`` as ``json.dumps``."""
        await self.send_text(json.dumps(value))

    # --- underneath ---

    async def _connect(self) -> None:
        """Take the client's ``websocket.connect``, which comes before anything is answered."""
        self._check()
        if self.client_state is State.CONNECTING:
            await self._event()
            self.client_state = State.CONNECTED

    async def _message(self, event: dict[str, Any]) -> None:
        if self.application_state is State.CONNECTING:
            raise StateError("accept() comes before the first send")
        await self._emit(event)

    async def _event(self) -> dict[str, Any]:
        self._check()
        event: dict[str, Any] = await self._receive()
        if event["type"] == "websocket.disconnect":
            self._ended(event.get("code") or ABNORMAL, event.get("reason") or "")
            self._check()
        return event

    async def _emit(self, event: dict[str, Any]) -> None:
        self._check()
        try:
            await self._send(event)
        except OSError:  # what ASGI has a server raise when the client is gone
            self._ended(ABNORMAL, "")
            self._check()

    def _check(self) -> None:
        if self._end is not None:
            raise DisconnectedError(*self._end)

    def _ended(self, code: int, reason: str) -> None:
        self.client_state = self.application_state = State.DISCONNECTED
        self._end = (code, reason)
