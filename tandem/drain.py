"""Close WebSockets one after the other instead of all at once."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
from collections.abc import Callable

# Of few sockets, this many a second may go: a restart need not take the whole window.
FASTEST_PER_SECOND = 20
TICK_SECONDS = 0.02
# After a moment without processor time, what is late goes at twice the pace instead of in
# one burst; of a longer moment only this much counts.
LONGEST_TICK_SECONDS = 0.1

logger = logging.getLogger(__name__)


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
        pace = max(len(waiting) / self._window, FASTEST_PER_SECOND)  # per second
        self._let_go(waiting, pace, len(waiting), self._loop.time(), self._loop.time())

    def _let_go(
        self, waiting: list[Callable[[], None]], pace: float, count: int, began: float, last: float
    ) -> None:
        """Call what is due of the ``count`` since ``began``, and come back for the rest."""
        now = self._loop.time()
        due = 1 + int((now - began) * pace) - (count - len(waiting))
        most = math.ceil(2 * pace * min(now - last, LONGEST_TICK_SECONDS)) or 1
        for _ in range(min(due, most, len(waiting))):
            waiting.pop()()
        if waiting:
            self._loop.call_later(TICK_SECONDS, self._let_go, waiting, pace, count, began, now)
        else:
            logger.info("%d sockets and streams let go in %.2f s", count, now - began)
