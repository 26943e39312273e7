"""Server-Sent Events (html.spec.whatwg.org, 9.2): the response, and its end when a server stops."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from tandem.drain import Departures, window_seconds

# So often a stream without events sends a comment: whoever has gone is noticed, and no
# middlebox takes the stream for dead.
HEARTBEAT_SECONDS = 15.0
# Browsers come back after a time that the stream tells; spread, so that not all come at once.
RETRY_MS = (1000, 4000)

Event = tuple[int | str | None, Any]  # id, data

_open: set[_Stream] = set()
_departures: dict[asyncio.AbstractEventLoop, Departures] = {}


class EventStream(StreamingHttpResponse):
    """The response of an async view: ``EventStream(events())``.

    ``events()`` is an async generator of ``(id, data)``; ``data`` is sent as JSON.  A browser
    that comes back tells the last id that it saw: ``last_event_id(request)``.
    """

    def __init__(self, events: AsyncIterator[Event]) -> None:
        super().__init__(_frames(events), content_type="text/event-stream; charset=utf-8")
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"  # also behind an nginx that was not told by its route


def last_event_id(request: HttpRequest) -> int | None:
    """Return the number that a returning client saw last; ``None``: a new one."""
    value = request.headers.get("Last-Event-ID", "")
    return int(value) if value.isdecimal() and len(value) < 19 else None


async def _frames(events: AsyncIterator[Event]) -> AsyncIterator[bytes]:
    yield b"retry: %d\n\n" % random.randint(*RETRY_MS)  # noqa: S311 - spread, not secrecy
    following: asyncio.Future[Event] | None = None
    try:
        while True:
            following = following or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({following}, timeout=HEARTBEAT_SECONDS)
            if not done:
                yield b":\n\n"
                continue
            try:
                number, data = following.result()
            except StopAsyncIteration:
                return
            following = None
            head = b"" if number is None else f"id: {number}\n".encode()
            yield head + b"data: " + json.dumps(data).encode() + b"\n\n"
    finally:
        if following is not None:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await following
        if hasattr(events, "aclose"):
            await events.aclose()


class EventStreams:
    """ASGI middleware: at a stop, event streams end one after the other and completely.

    Uvicorn would wait for them to its graceful timeout, and then cut them.
    """

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        stream = _Stream(receive, send)
        try:
            scope = {**scope, "tandem.stream": stream}
            await self.application(scope, stream.receive, stream.send)
        finally:
            _open.discard(stream)


def move_streams() -> int:
    """Have each open event stream end, in its turn; their clients come back.  Return how many."""
    loop = asyncio.get_running_loop()
    departures = _departures.setdefault(loop, Departures(loop, window_seconds()))
    streams = [stream for stream in _open if not stream.leaving]
    for stream in streams:
        stream.leaving = True
        departures.add(stream.leave)
    return len(streams)


class _Stream:
    """The ``receive`` and ``send`` of a response that may prove to be an event stream."""

    def __init__(self, receive: Any, send: Any) -> None:
        self._receive = receive
        self._send = send
        self._left = False
        self._limit: asyncio.Timeout | None = None  # of the receive() under way
        self._last: asyncio.Task[None] | None = None
        self.leaving = False

    async def send(self, event: dict[str, Any]) -> None:
        if self._left:
            return
        if event["type"] == "http.response.start" and is_stream(event):
            _open.add(self)
        await self._send(event)

    async def receive(self) -> dict[str, Any]:
        if not self._left:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None) as self._limit:
                    event: dict[str, Any] = await self._receive()
                    return event
        return {"type": "http.disconnect"}

    def end(self, code: int, reason: str) -> None:
        """End it because its login has ended; the client's next request is judged anew."""
        self.leave()

    def leave(self) -> None:
        """End the response as one that is complete."""
        if self in _open and not self._left:
            self._left = True
            loop = asyncio.get_running_loop()
            self._last = loop.create_task(
                self._send({"type": "http.response.body", "body": b"", "more_body": False})
            )
            if self._limit is not None:
                self._limit.reschedule(loop.time())


def is_stream(start: dict[str, Any]) -> bool:
    """Tell whether an ``http.response.start`` begins an event stream."""
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )
