"""The admin changes in this process: each told once, none missed, whatever Redis does.

Redis brings a change within milliseconds and forgets it; the database knows them all.
So this process listens to the one, and every two seconds, and whenever its subscription
was interrupted, asks the other for ids that it has not told.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from channels.db import database_sync_to_async
from django.db import DatabaseError

from notifications.events import Event, events_with, ids_after, newest_id
from notifications.ledger import Ledger
from notifications.source import Message, redis_messages
from tandem.background import lasting

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 2.0
PAGE = 500  # ids read at once
# At the start, gaps among so many entries may still be filled by transactions under way.
LOOK_BACK = 100

# Runs a function that asks the database, in a thread: ``await database(function, *arguments)``.
Database = Callable[..., Awaitable[Any]]


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run ``function`` in the thread that asgiref has for such work."""
    return await database_sync_to_async(function)(*arguments)


def in_threads(count: int) -> Database:
    """Return what runs a function in one of ``count`` threads of their own."""
    threads = ThreadPoolExecutor(count, "database")

    async def run(function: Callable[..., Any], *arguments: Any) -> Any:
        work = database_sync_to_async(function, thread_sensitive=False, executor=threads)
        return await work(*arguments)

    return run


class Listener(Protocol):
    """Whoever is told.  Must not wait: it speaks for one of many."""

    def on_event(self, event: Event) -> None:
        """Take a change."""


class Hub:
    """Tells its listeners of every change; works only while it has any."""

    def __init__(
        self,
        source: Callable[[], AsyncIterator[Message]] = redis_messages,
        database: Database = in_thread,
    ) -> None:
        self._source = source
        self._database = database
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._ledger: Ledger | None = None
        self._look = asyncio.Event()  # there may be something to find in the database
        self.ready = asyncio.Event()  # a change that is saved from now on is told

    def add(self, listener: Listener) -> None:
        """Tell ``listener`` of what happens from when the hub is ``ready``."""
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._look, self.ready = asyncio.Event(), asyncio.Event()
            self._ledger = None
            self._task = lasting("the notifications' hub", self._run)

    def remove(self, listener: Listener) -> None:
        """Forget ``listener``; does nothing when it is not known."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        """Work; begun again after a failure, it goes on where it was."""
        if self._ledger is None:
            self._ledger = await self._begin()
        self.ready.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._sweep())

    async def _begin(self) -> Ledger:
        while True:
            try:
                newest = await self._database(newest_id)
                floor = max(0, newest - LOOK_BACK)
                return Ledger(floor, await self._database(ids_after, floor, LOOK_BACK))
            except DatabaseError as error:
                logger.warning("notifications: %s; trying again", type(error).__name__)
                await asyncio.sleep(SWEEP_SECONDS)

    async def _listen(self) -> None:
        async for payload in self._source():
            if payload is None:
                self._look.set()
                continue
            try:
                self._tell(json.loads(payload))
            except (ValueError, TypeError, KeyError, RecursionError):
                logger.warning("notifications: something else on the channel")

    def _tell(self, event: Event) -> None:
        number = event["id"]
        if self._ledger is not None and self._ledger.is_new(number):
            self._ledger.note(number)
            for listener in list(self._listeners):
                try:
                    listener.on_event(event)
                except Exception:  # one listener's failure is not the others'
                    logger.exception("a change was not told to %r", listener)

    async def _sweep(self) -> None:
        while True:
            try:
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self._read_up()
            except DatabaseError as error:
                logger.warning("notifications: %s; trying again", type(error).__name__)

    async def _read_up(self) -> None:
        assert self._ledger is not None  # noqa: S101 - _run has made it
        after, page = self._ledger.floor, [0]
        while page:
            page = await self._database(ids_after, after, PAGE)
            missed = [number for number in page if self._ledger.is_new(number)]
            if missed:
                for event in await self._database(events_with, missed):
                    self._tell(event)
            after = page[-1] if page else after
        self._ledger.settle(asyncio.get_running_loop().time())


hub = Hub()
