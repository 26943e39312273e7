"""Each room's feed in this process: no socket misses a message, none gets one twice.

The channel layer is fast but forgets: what is published while Redis restarts, or
before a subscription is confirmed, is gone.  The database is the truth.  So a socket
keeps the number of the last message that it sent (its *cursor*); a live message is
passed on only if it is the next one, and anything else - a hole, or a room whose
newest number is ahead of a cursor, looked up every two seconds for all rooms of the
process in one query - makes the feed read from the database what is missing.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any, Protocol
from weakref import WeakValueDictionary

from channels.db import database_sync_to_async
from django.db import DatabaseError

from chat.models import last_numbers, messages_after
from tandem.background import lasting

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 2.0
PAGE = 200  # messages read at once when catching up


class Subscriber(Protocol):
    """A socket as its feed sees it."""

    room: str
    cursor: int

    async def deliver(self, message: dict[str, Any]) -> None:
        """Send ``message`` to the client and move the cursor."""


class Feed:
    """The subscribers of this process, by room, and the task that keeps them current."""

    def __init__(self) -> None:
        self._rooms: dict[str, set[Subscriber]] = defaultdict(set)
        # Weak: a room's lock lives as long as somebody holds or awaits it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting: dict[str, asyncio.Task[None]] = {}  # catch-ups not yet begun
        self._sweeper: asyncio.Task[None] | None = None

    def subscribe(self, subscriber: Subscriber) -> None:
        """Keep ``subscriber`` current from its cursor on."""
        self._rooms[subscriber.room].add(subscriber)
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = lasting("the chat's sweep", self._sweep)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget ``subscriber``; does nothing when it is not known."""
        subscribers = self._rooms.get(subscriber.room)
        if subscribers is not None:
            subscribers.discard(subscriber)
            if not subscribers:
                del self._rooms[subscriber.room]

    async def offer(self, subscriber: Subscriber, message: dict[str, Any]) -> None:
        """Pass on a live message if it is the next; read up from the database if not."""
        if message["id"] == subscriber.cursor + 1:
            await subscriber.deliver(message)
        elif message["id"] > subscriber.cursor:
            await self.catch_up(subscriber.room)

    async def catch_up(self, room: str) -> None:
        """Bring every subscriber of ``room`` up to the newest stored message.

        One reading serves all who ask at the same time: after an outage a thousand
        sockets lag at once.
        """
        if room not in self._waiting:
            self._waiting[room] = self._own_task(self._catch_up(room))
        await asyncio.shield(self._waiting[room])

    @staticmethod
    def _own_task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # In a context of its own: the asking socket's thread (tandem.server.sockets) and its
        # cancellation end with that socket, this work serves others too.
        return asyncio.create_task(work, context=contextvars.Context())

    async def _catch_up(self, room: str) -> None:
        lock = self._locks.setdefault(room, asyncio.Lock())
        async with lock:
            del self._waiting[room]  # who asks from now on may know of newer messages
            try:
                await self._read_up(room)
            except DatabaseError as error:
                logger.warning("chat room %s: %s; the sweep will try again", room, error)

    async def _read_up(self, room: str) -> None:
        newest = (await database_sync_to_async(last_numbers)([room])).get(room, 0)
        while lagging := [s for s in self._rooms.get(room, ()) if s.cursor < newest]:
            start = min(s.cursor for s in lagging)
            page = await database_sync_to_async(messages_after)(room, start, PAGE)
            # At once: a client that reads slowly does not hold up the others.
            await asyncio.gather(*(self._deliver(s, page) for s in lagging))
            if len(page) < PAGE:  # deleted messages leave holes: do not look again
                for subscriber in lagging:
                    subscriber.cursor = max(subscriber.cursor, newest)

    async def _deliver(self, subscriber: Subscriber, page: list[dict[str, Any]]) -> None:
        for message in page:
            if subscriber.cursor < message["id"]:
                await subscriber.deliver(message)

    async def _sweep(self) -> None:
        while self._rooms:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                newest = await database_sync_to_async(last_numbers)(list(self._rooms))
                for room, number in newest.items():
                    if any(s.cursor < number for s in self._rooms.get(room, ())):
                        await self.catch_up(room)
            except DatabaseError as error:
                logger.warning("chat sweep: %s; trying again", error)


feed = Feed()
