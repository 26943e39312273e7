"""The pace at which sockets are closed, on a real event loop."""

from __future__ import annotations

import asyncio
import functools
import time

from tandem.drain import LONGEST_TICK_SECONDS, Departures


class Leaving:
    """``count`` that are to leave within ``window`` seconds."""

    def __init__(self, count: int, window: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.left: list[tuple[int, float]] = []  # (who, when)
        self.all_gone = asyncio.Event()
        self.count = count
        departures = Departures(self.loop, window)
        for who in range(count):
            departures.add(functools.partial(self.leave, who))

    def leave(self, who: int) -> None:
        """Note that one has left."""
        self.left.append((who, self.loop.time()))
        if len(self.left) == self.count:
            self.all_gone.set()


async def test_each_leaves_once_and_not_together_with_all_others():
    leaving = Leaving(100, window=1)
    await asyncio.wait_for(leaving.all_gone.wait(), 30)
    assert sorted(who for who, _ in leaving.left) == list(range(100))
    assert leaving.left[-1][1] - leaving.left[0][1] > 0.4


async def test_after_a_moment_without_processor_time_there_is_no_burst():
    leaving = Leaving(100, window=1)
    await asyncio.sleep(0)
    time.sleep(0.9)  # noqa: ASYNC251 - nothing else may run meanwhile: 90 are late
    most = before = 0
    while not leaving.all_gone.is_set():
        await asyncio.sleep(0)
        most, before = max(most, len(leaving.left) - before), len(leaving.left)
    assert 1 < most <= 2 * 100 * LONGEST_TICK_SECONDS


async def test_few_need_not_take_the_whole_window():
    await asyncio.wait_for(Leaving(3, window=3600).all_gone.wait(), 10)
