"""The pace at which sockets are closed, by a clock that passes when it is told to."""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
from collections.abc import Callable
from typing import Any

from tandem.drain import FASTEST_PER_SECOND, LONGEST_TICK_SECONDS, Departures
from tests.patience import eventually


class Clock:
    """As much of an event loop as departures need; its time is where the last call was due."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._calls: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = itertools.count()

    def time(self) -> float:
        """Return the seconds."""
        return self.now

    def call_soon(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call at this time."""
        self.call_later(0, function, *arguments)

    def call_later(self, seconds: float, function: Callable[..., None], *arguments: Any) -> None:
        """Call when the time has come."""
        heapq.heappush(self._calls, (self.now + seconds, next(self._order), function, arguments))

    def run(self) -> None:
        """Call the next that is due, late if the time has passed already."""
        due, _, function, arguments = heapq.heappop(self._calls)
        self.now = max(self.now, due)
        function(*arguments)

    def run_all(self) -> None:
        """Call all, each in time."""
        while self._calls:
            self.run()


class Leaving:
    """``count`` that are to leave within ``window`` seconds."""

    def __init__(self, loop: Any, count: int, window: float) -> None:
        self.loop = loop
        self.left: list[tuple[int, float]] = []  # (who, seconds after the first was added)
        self.began = loop.time()
        departures = Departures(loop, window)
        for who in range(count):
            departures.add(functools.partial(self.leave, who))

    def leave(self, who: int) -> None:
        """Note that one has left."""
        self.left.append((who, self.loop.time() - self.began))


def test_each_leaves_once_at_an_even_pace():
    clock = Clock()
    leaving = Leaving(clock, 100, window=10)
    clock.run_all()
    assert sorted(who for who, _ in leaving.left) == list(range(100))
    assert [who for who, _ in leaving.left] != list(range(100))
    for turn, (_, at) in enumerate(leaving.left):
        assert turn / FASTEST_PER_SECOND <= at <= turn / FASTEST_PER_SECOND + 0.1


def test_many_take_the_whole_window_and_not_longer():
    clock = Clock()
    leaving = Leaving(clock, 1000, window=10)
    clock.run_all()
    for turn, (_, at) in enumerate(leaving.left):
        assert turn / 100 <= at <= turn / 100 + 0.1


def test_after_a_moment_without_processor_time_there_is_no_burst():
    clock = Clock()
    leaving = Leaving(clock, 100, window=1)
    clock.run()
    clock.now += 0.9  # 90 are late
    most, before = 0, len(leaving.left)
    while len(leaving.left) < 100:
        clock.run()
        most, before = max(most, len(leaving.left) - before), len(leaving.left)
    assert 1 < most <= 2 * 100 * LONGEST_TICK_SECONDS


def test_few_need_not_take_the_whole_window():
    clock = Clock()
    leaving = Leaving(clock, 3, window=3600)
    clock.run_all()
    assert len(leaving.left) == 3
    assert leaving.left[-1][1] < 1


async def test_on_a_real_loop_all_leave_and_the_log_says_so(caplog):
    caplog.set_level("INFO")
    leaving = Leaving(asyncio.get_running_loop(), 100, window=0.1)
    await eventually(lambda: len(leaving.left) == 100)
    assert "100 sockets and streams let go in" in caplog.text
