"""Which entries have been told, and from where on to look for others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

# An id is taken when a row is written and seen when its transaction commits, so a low one
# may come after a high one: for so many seconds a gap counts as one that may be filled.
GAP_SECONDS = 120.0


class Ledger:
    """The ids told, of those above a floor; everything below is settled."""

    def __init__(self, floor: int, known: Iterable[int] = ()) -> None:
        self.floor = floor
        self._told = set(known)
        self._newest = max(self._told, default=floor)
        self._history: deque[tuple[float, int]] = deque()  # when the newest was which

    def is_new(self, number: int) -> bool:
        """Tell whether the entry ``number`` has yet to be told."""
        return number > self.floor and number not in self._told

    def note(self, number: int) -> None:
        """Note that it has been told."""
        self._told.add(number)
        self._newest = max(self._newest, number)

    def settle(self, now: float) -> None:
        """Raise the floor above what is told and above gaps that have been open for long."""
        self._history.append((now, self._newest))
        while self._history and self._history[0][0] <= now - GAP_SECONDS:
            self.floor = max(self.floor, self._history.popleft()[1])
        while self.floor + 1 in self._told:
            self.floor += 1
        self._told = {number for number in self._told if number > self.floor}
