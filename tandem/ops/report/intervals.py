"""Confidence bounds for shares and quantiles, from counts that come in groups of clients.

One idea throughout.  A share's interval is Wilson's.  Where requests come in groups, counts are
first divided by the design effect: how much more the groups scatter than independent requests
would (Rao and Scott, 1992).  A quantile's interval is that of the share below it, read off the
distribution (Woodruff, 1952).  Two estimates are compared by Newcombe's method (1998): the
distance of each bound from its estimate, added as squares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

NORMAL = NormalDist()


def wilson(hits: float, count: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval of the share ``hits`` of ``count``, at ``z`` standard errors."""
    if count <= 0:
        return 0.0, 1.0
    share, room = hits / count, z * z / count
    middle = share + room / 2
    half = z * math.sqrt(share * (1 - share) / count + room / (4 * count))
    return max(0.0, (middle - half) / (1 + room)), min(1.0, (middle + half) / (1 + room))


@dataclass(frozen=True)
class Share:
    """A share of requests, and how many independent requests it is worth."""

    hits: float
    count: float
    effect: float = 1.0  # the design effect

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / self.count if self.count else 0.0

    def bounds(self, z: float) -> tuple[float, float]:
        """Return its interval at ``z`` standard errors."""
        return wilson(self.hits / self.effect, self.count / self.effect, z)


def grouped_share(groups: Sequence[tuple[int, int]], grouped: bool = True) -> Share:
    """Return the share of ``(count, hits)`` pairs, one for each group of clients.

    With ``grouped`` false, requests are taken for independent.
    """
    count, hits = sum(n for n, _ in groups), sum(x for _, x in groups)
    if not grouped or len(groups) < 2 or not 0 < hits < count:
        return Share(hits, count)
    share = hits / count
    scatter = sum((x - share * n) ** 2 for n, x in groups) * len(groups) / (len(groups) - 1)
    # Few groups say little about their scatter: as Student's t against the normal.
    spare = 1 + 2.5 / (len(groups) - 1)
    return Share(hits, count, max(1.0, scatter / (count * share * (1 - share))) * spare)


def difference_above(worse: Share, base: Share, z: float) -> float:
    """Return the lower bound of ``worse - base``."""
    low, high = worse.bounds(z)[0], base.bounds(z)[1]
    return worse.value - base.value - math.sqrt((worse.value - low) ** 2 + (high - base.value) ** 2)


@dataclass(frozen=True)
class Quantile:
    """A quantile with its interval, in seconds."""

    value: float
    low: float
    high: float


def ratio_above(worse: Quantile, base: Quantile) -> tuple[float, float]:
    """Return the lower bound of the logarithm of ``worse / base``, and its distance from it."""
    distance = math.hypot(math.log(worse.value / worse.low), math.log(base.high / base.value))
    return math.log(worse.value / base.value) - distance, distance


def sample_for_shares(
    base: float, other: float, margin: float, ratio: float, alpha: float, power: float
) -> float:
    """Return how many requests the canary needs so that ``other`` is told from ``base``.

    That is, so that a one-sided test at ``alpha`` of "no more than ``margin`` above base" finds
    it with probability ``power``, where the baseline has ``ratio`` times as many requests.
    """
    z_alpha, z_power = NORMAL.inv_cdf(1 - alpha), NORMAL.inv_cdf(power)
    pooled = (other + ratio * base) / (1 + ratio)
    under_null = math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    in_truth = math.sqrt(other * (1 - other) + base * (1 - base) / ratio)
    return ((z_alpha * under_null + z_power * in_truth) / (other - base - margin)) ** 2
