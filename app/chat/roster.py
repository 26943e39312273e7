"""Who wants to know who is there: one task tells all sockets of this process.

Telling by a group message for each arrival would cost the square of a room's size
when a worker's clients all come back at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from redis.exceptions import RedisError

from chat.presence import users
from tandem.background import lasting

SWEEP_SECONDS = 1.0


class Watcher(Protocol):
    """A socket that wants to know who is there."""

    async def tell_presence(self, users: list[str]) -> None:
        """Send the names to the client."""


class Roster:
    """The watchers of this process."""

    def __init__(self) -> None:
        self._watchers: dict[Watcher, str] = {}
        self._told: dict[Watcher, list[str]] = {}
        self._task: asyncio.Task[None] | None = None

    def watch(self, room: str, watcher: Watcher) -> None:
        """Tell ``watcher`` who is in ``room``, now and at each change."""
        self._watchers[watcher] = room
        if self._task is None or self._task.done():
            self._task = lasting("the chat's roster", self._run)

    def forget(self, watcher: Watcher) -> None:
        """Tell ``watcher`` no more; does nothing when it is not known."""
        self._watchers.pop(watcher, None)
        self._told.pop(watcher, None)

    async def _run(self) -> None:
        while self._watchers:
            with contextlib.suppress(RedisError, OSError):  # presence waits for Redis
                await self._tell()
            await asyncio.sleep(SWEEP_SECONDS)

    async def _tell(self) -> None:
        for room in set(self._watchers.values()):
            here = await users(room)
            for watcher in [w for w, where in self._watchers.items() if where == room]:
                if self._told.get(watcher) != here:
                    self._told[watcher] = here
                    await watcher.tell_presence(here)


roster = Roster()
