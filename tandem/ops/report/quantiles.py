"""Quantiles of durations in bounded memory: a histogram whose bins grow with the value.

The bins are those of HdrHistogram with 7 bits: one for each millisecond below 128 ms, then 64
for each doubling.  A quantile is exact below 128 ms, nginx' own resolution, and within
0.8 % above.  Two sketches merge without loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate

RELATIVE_ERROR = 1 / 128


def bin_of(milliseconds: int) -> int:
    """Return the number of the bin that counts this value."""
    if milliseconds < 128:
        return milliseconds
    shift = milliseconds.bit_length() - 7
    return (shift << 6) + (milliseconds >> shift)


def middle_of(number: int) -> float:
    """Return the middle of a bin, in seconds."""
    if number < 128:
        return number / 1000
    shift = (number >> 6) - 1
    lowest = ((number & 63) + 64) << shift
    return (lowest + ((1 << shift) - 1) / 2) / 1000


@dataclass(slots=True)
class Sketch:
    """How often each duration was seen."""

    bins: dict[int, int] = field(default_factory=dict)
    count: int = 0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        number = bin_of(int(seconds * 1000 + 0.5))
        self.bins[number] = self.bins.get(number, 0) + 1
        self.count += 1

    def merge(self, other: Sketch) -> None:
        """Count all that another has counted."""
        for number, count in other.bins.items():
            self.bins[number] = self.bins.get(number, 0) + count
        self.count += other.count

    def quantile(self, share: float) -> float | None:
        """Return the least duration, in seconds, that ``share`` (0–1) of all do not exceed.

        None where nothing was counted.
        """
        if not self.count:
            return None
        wanted, seen, number = share * self.count, 0, 0
        for number in sorted(self.bins):
            seen += self.bins[number]
            if seen >= wanted:
                break
        return middle_of(number)

    def above(self, seconds: float) -> int:
        """Return how many durations lie in bins above that of ``seconds``."""
        limit = bin_of(int(seconds * 1000 + 0.5))
        return sum(count for number, count in self.bins.items() if number > limit)

    def distribution(self, most: int = 60) -> list[list[float]]:
        """Return at most about ``most`` points ``[seconds, share that is not slower]``, rising."""
        numbers = sorted(self.bins)
        shares = [seen / self.count for seen in accumulate(self.bins[n] for n in numbers)]
        points: list[list[float]] = []
        for number, share in zip(numbers, shares, strict=True):
            # What matters is the slow end: keep what is new on a scale of "1 in …".
            if not points or share - points[-1][1] >= (1.02 - points[-1][1]) / most * 3:
                points.append([middle_of(number), round(share, 6)])
        if numbers and points[-1][1] < 1:
            points.append([middle_of(numbers[-1]), 1.0])
        return points
