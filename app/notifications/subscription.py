"""The changes as an asynchronous iterator: for streams, one for each client."""

from __future__ import annotations

import asyncio
from typing import Self

from notifications.events import Event
from notifications.hub import Hub, hub

# A client that lags by so many is let go; it comes back and resumes from the database.
MOST_WAITING = 1000


class Subscription:
    """To be used as ``async with Subscription() as changes``, then ``async for``.

    Whatever is saved from the ``async with`` on comes; who resumes reads
    ``events.events_after`` inside and passes over ids that come twice.  Ends when the
    user logs out, or takes too long to take what comes.  Permissions are the caller's
    business (``permissions.visible_to``).
    """

    def __init__(self, source: Hub = hub) -> None:
        self._hub = source
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._ended = False

    async def __aenter__(self) -> Self:
        self._hub.add(self)
        try:
            await self._hub.ready.wait()
        except BaseException:
            self._hub.remove(self)
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._hub.remove(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = None if self._ended else await self._queue.get()
        if event is None:
            raise StopAsyncIteration
        return event

    def on_event(self, event: Event) -> None:
        """Take a change."""
        if self._queue.qsize() >= MOST_WAITING:
            self._end()
        else:
            self._queue.put_nowait(event)

    def _end(self) -> None:
        self._ended = True
        self._queue.put_nowait(None)  # whoever waits wakes up
        self._hub.remove(self)
