"""``request.websocket``: an asynchronous socket for the thread of a synchronous view."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from tandem.facts import SERVICE_RESTART, TRY_AGAIN_LATER
from tandem.websocket.connection import State, WebSocket
from tandem.websocket.exceptions import DisconnectedError

T = TypeVar("T")

QUEUED_MESSAGES = 32  # a view that is slower than its client slows the client down
SEND_SECONDS = 10.0  # a client that takes longer to take a message is let go


class LegacySocket:
    """The methods of django-websocket.  Each may be called from any thread but the loop's own.

    The handshake is completed by the first call of any of them, so that a middleware or a
    decorator may still refuse with a response.
    """

    def __init__(self, socket: WebSocket, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = socket
        self._loop = loop
        self._queue: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(QUEUED_MESSAGES)
        self._reader: asyncio.Task[None] | None = None
        self._ended = False  # the last of the queue is None

    # --- for views ---

    def wait(self) -> str | bytes | None:
        """Return the next message; wait for it.  ``None``: the client has closed."""
        return self._run(self._wait())

    def read(self) -> str | bytes | None:
        """Return the next message if there is one, else ``None``."""
        return self.wait() if self.has_messages() else None

    def count_messages(self) -> int:
        """Return how many messages wait (32 at most; further ones wait with the client)."""
        return self._run(self._count())

    def has_messages(self) -> bool:
        """Tell whether a message waits."""
        return self.count_messages() > 0

    def send(self, message: str | bytes) -> None:
        """Send a message; wait until the client has taken those before it.

        Raises ``DisconnectedError`` when the socket is closed, also because the client took
        nothing for 10 s.
        """
        self._run(self._send(message))

    def close(self) -> None:
        """Close the socket; does nothing when it is closed."""
        self._run(self._close())

    def __iter__(self) -> Iterator[str | bytes]:
        """Iterate over the messages until the client closes."""
        while (message := self.wait()) is not None:
            yield message

    # --- on the loop ---

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except concurrent.futures.CancelledError:  # the server is stopping
            raise DisconnectedError(SERVICE_RESTART, "service restart") from None

    async def _open(self) -> None:
        if self._socket.application_state is State.CONNECTING:
            await self._socket.accept()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            await self._room.acquire()
            self._queue.put_nowait(message)
        self._end()

    def _end(self) -> None:
        self._queue.put_nowait(None)
        self._ended = True

    async def _wait(self) -> str | bytes | None:
        try:
            await self._open()
        except DisconnectedError:
            return None
        message = await self._queue.get()
        if message is None:
            self._queue.put_nowait(None)  # for whoever asks again
        else:
            self._room.release()
        return message

    async def _count(self) -> int:
        await self._open()
        await asyncio.sleep(0)  # what has arrived meanwhile
        return self._queue.qsize() - self._ended

    async def _send(self, message: str | bytes) -> None:
        await self._open()
        send = self._socket.send_text if isinstance(message, str) else self._socket.send_bytes
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)  # type: ignore[arg-type]
        except TimeoutError:
            await self._socket.close(TRY_AGAIN_LATER, "you do not read")
            raise DisconnectedError(TRY_AGAIN_LATER, "the client does not read") from None

    async def _close(self) -> None:
        await self._open()
        await self._socket.close()

    async def finish(self) -> None:
        """End the reading, when the view has ended."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def abandon(self) -> None:
        """End the connection for a view that still runs, when the server gives it up."""
        await self.finish()
        await self._socket.close(SERVICE_RESTART, "service restart")
        if not self._ended:
            self._end()
