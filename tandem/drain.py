"""Close WebSockets one after the other instead of all at once."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable

# Of few sockets, this many a second may go: a restart need not take the whole window.
FASTEST_PER_SECOND = 20


def window_seconds() -> float:
    """Return ``SOCKET_DRAIN_SECONDS``: how long the closing of all sockets may take (10)."""
    return float(os.environ.get("SOCKET_DRAIN_SECONDS", "10"))


class Departures:
    """Calls what is added, evenly spread over ``window`` seconds, in random order.

    Random, because clients that came together (one office, one page) should not all
    return together.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, window: float) -> None:
        self._loop = loop
        self._window = window
        self._waiting: list[Callable[[], None]] = []

    def add(self, leave: Callable[[], None]) -> None:
        """Call ``leave`` in its turn among all that are added in this pass of the loop."""
        if not self._waiting:
            self._loop.call_soon(self._spread)
        self._waiting.append(leave)

    def _spread(self) -> None:
        waiting, self._waiting = self._waiting, []
        random.shuffle(waiting)
        gap = min(self._window / len(waiting), 1 / FASTEST_PER_SECOND)
        for turn, leave in enumerate(waiting):
            self._loop.call_later(turn * gap, leave)
