"""What every WebSocket of an ASGI process gets, whatever the application behind it is.

Plain ASGI middleware: it works for Channels consumers and for hand-written
applications alike, unmodified.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext

from tandem.closing import ClosableSocket
from tandem.facts import SERVICE_RESTART

AGE_JITTER = 0.1  # sockets opened together must not all come back together


def max_age_seconds() -> float:
    """Return ``SOCKET_MAX_AGE_SECONDS`` (82800; deploy/timeouts.env explains it)."""
    return float(os.environ.get("SOCKET_MAX_AGE_SECONDS", "82800"))


def life_seconds(max_age: float) -> float:
    """Return how long one socket may live: ``max_age``, or up to a tenth less."""
    return max_age * (1 - AGE_JITTER * random.random())  # noqa: S311 - spread, not secrecy


class SocketThreads:
    """Run the synchronous code of WebSockets on ``threads`` threads, not on one.

    asgiref sends all "thread-sensitive" work of a process (the ORM in
    ``database_sync_to_async``, Channels' own clean-up after each event) to one
    single thread, so that one slow query holds up every other socket.  Here the
    calls of one socket still run one at a time and in order, but those of
    different sockets side by side; the number of database connections stays
    bounded by ``threads``.
    """

    def __init__(self, application: Callable[..., Any], threads: int) -> None:
        if threads < 1:
            raise ValueError(f"SocketThreads needs at least 1 thread, got {threads}")
        self.application = application
        self._threads = [_Thread(f"socket-{n}") for n in range(threads)]
        self._lock = threading.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket":
            await self.application(scope, receive, send)
            return
        executor = _SocketExecutor(self._threads, self._lock)
        async with ThreadSensitiveContext(executor=executor):
            await self.application(scope, receive, send)


class _Thread(ThreadPoolExecutor):
    """One thread, and how many calls it has yet to finish."""

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=1, thread_name_prefix=name)
        self.pending = 0


class _SocketExecutor(Executor):
    """One socket's calls: in order, on the least busy thread at each new start."""

    def __init__(self, threads: list[_Thread], lock: threading.Lock) -> None:
        self._threads = threads
        self._lock = lock
        self._thread = threads[0]
        self._pending = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        with self._lock:
            if not self._pending:
                self._thread = min(self._threads, key=lambda thread: thread.pending)
            self._pending += 1
            thread = self._thread
            thread.pending += 1

        def done(_: Future[Any]) -> None:
            with self._lock:
                self._pending -= 1
                thread.pending -= 1

        future = thread.submit(fn, *args, **kwargs)
        future.add_done_callback(done)
        return future


class SocketAge:
    """Close a WebSocket with 1012 when it is ``seconds`` old, give or take a tenth less.

    A group membership may expire before its socket does (``group_expiry`` in
    Channels' core layer), after which the socket is open and silent for ever.
    A socket that is always younger than that never meets it, and no socket
    outlives a certificate, a session check or a memory leak by weeks.
    """

    def __init__(self, application: Callable[..., Any], seconds: float) -> None:
        if seconds <= 0:
            raise ValueError(f"SocketAge needs a positive number of seconds, got {seconds}")
        self.application = application
        self.seconds = seconds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "websocket":
            await self.application(scope, receive, send)
            return
        socket = ClosableSocket(receive, send)
        life = life_seconds(self.seconds)
        end = asyncio.get_running_loop().call_later(life, socket.end, SERVICE_RESTART, "age limit")
        try:
            await self.application(scope, socket.receive, socket.send)
        finally:
            end.cancel()
