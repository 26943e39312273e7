"""Judge a canary: whether the arm ``asgi`` of a route is worse than the arm ``wsgi``.

Three criteria, each a one-sided test at a third of ``1 - confidence``: failures (5xx, and
what the fallback had to answer), refusals (4xx), and the 95th percentile of time.  The canary is
worse when one of them says so; it is good when none does and the sample is large enough that a
real change would have been found with a probability of 90 %.  Until then only overwhelming
evidence counts (Haybittle and Peto), so that asking again and again does not condemn a good one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tandem.ops.report.arms import Arm, Canary, Group
from tandem.ops.report.intervals import (
    NORMAL,
    Quantile,
    Share,
    difference_above,
    grouped_share,
    ratio_above,
    sample_for_shares,
)
from tandem.ops.routes.verdict import Verdict

POWER = 0.9
EARLY_ALPHA = 0.001
QUANTILE = 0.95
# nginx counts in milliseconds: one of them is no difference.
TICK_SECONDS = 0.001
# A client stays on its side, so clients are what is compared; fewer say nothing.
FEWEST_GROUPS = 10
# What the sample is made for: a doubled rate, but between these differences.
LEAST_RISE, MOST_RISE = 0.005, 0.1


@dataclass(frozen=True)
class Limits:
    """What is still good enough."""

    tolerance: float = 1.25  # of p95, times the baseline's
    margin: float = 0.001  # of a share of errors, added to the baseline's
    confidence: float = 0.95
    min_requests: int = 200  # of each arm

    @property
    def alpha(self) -> float:
        """The error probability of each of the three criteria."""
        return (1 - self.confidence) / 3

    @property
    def slower(self) -> float:
        """The ratio of p95 that the sample is made to find."""
        return self.tolerance * 1.2


@dataclass(frozen=True)
class Criterion:
    """One comparison and what it says."""

    name: str
    verdict: Verdict
    canary: float
    baseline: float
    bound: float  # of the difference of shares, or of the ratio of times
    limit: float  # which the bound must not pass
    needed: int  # requests of the canary
    finds: float  # the value of the canary for which the sample is made


@dataclass(frozen=True)
class Judgement:
    """The verdict on one route."""

    route: str
    share: str
    verdict: Verdict
    reason: str
    requests: int  # of the canary
    baseline_requests: int
    needed: int  # requests of the canary, for all criteria
    criteria: tuple[Criterion, ...] = ()
    by_client: bool = True


def judge(canary: Canary, limits: Limits | None = None) -> Judgement:
    """Judge ``canary`` by ``limits``."""
    limits = limits or Limits()
    asked, base = canary.asgi.total("requests"), canary.wsgi.total("requests")
    by_client = canary.clients_are_known

    def result(verdict: Verdict, reason: str, needed: int = 0, *found: Criterion) -> Judgement:
        return Judgement(
            canary.route, canary.share, verdict, reason, asked, base, needed, found, by_client
        )

    scale = asked / base if base else 0.0
    least = limits.min_requests if not scale else max(1.0, scale) * limits.min_requests
    if not asked or not base:
        side = "canary (asgi)" if not asked else "baseline (wsgi)"
        return result(Verdict.UNKNOWN, f"the {side} has no requests", limits.min_requests)
    criteria = [
        _share_criterion("failures", canary, limits, lambda g: g.failures, by_client, least),
        _share_criterion("refusals", canary, limits, lambda g: g.refusals, by_client, least),
        _time_criterion(canary, limits, by_client, least),
    ]
    needed = max(criterion.needed for criterion in criteria)
    groups = min(len(canary.asgi.groups), len(canary.wsgi.groups))
    if by_client and groups < FEWEST_GROUPS:
        reason = f"one side has only about {groups} clients; at least {FEWEST_GROUPS} are needed"
        return result(Verdict.UNKNOWN, reason, needed, *criteria)
    worse = [c for c in criteria if c.verdict is Verdict.WORSE]
    if worse:
        return result(Verdict.WORSE, "; ".join(map(explain, worse)), needed, *criteria)
    if any(c.verdict is Verdict.UNKNOWN for c in criteria):
        slowest = max(criteria, key=lambda c: c.needed).name
        reason = f"the canary has {asked:,} of the {needed:,} requests needed to judge {slowest}"
        return result(Verdict.UNKNOWN, reason, needed, *criteria)
    return result(Verdict.GOOD, "no criterion finds it worse", needed, *criteria)


def explain(criterion: Criterion) -> str:
    """Return in words what a criterion compared."""
    if criterion.name == "p95":
        return (
            f"p95 is {criterion.canary * 1000:,.0f} ms against {criterion.baseline * 1000:,.0f} ms:"
            f" at least {criterion.bound:.2f}×, tolerated are {criterion.limit:g}×"
        )
    return (
        f"{criterion.name} are {100 * criterion.canary:.2f} % against"
        f" {100 * criterion.baseline:.2f} %: at least"
        f" {criterion.bound * 100:+.2f} points, tolerated are {criterion.limit * 100:+g}"
    )


def _decide(
    enough: bool, bound_at: Callable[[float], float], limit: float, limits: Limits
) -> tuple[Verdict, float]:
    """Return verdict and the bound by which it was found."""
    alpha = limits.alpha if enough else min(EARLY_ALPHA, limits.alpha)
    bound = bound_at(NORMAL.inv_cdf(1 - alpha))
    if bound > limit:
        return Verdict.WORSE, bound
    return (Verdict.GOOD if enough else Verdict.UNKNOWN), bound


def _share_criterion(
    name: str,
    canary: Canary,
    limits: Limits,
    hits: Callable[[Group], int],
    by_client: bool,
    least: float,
) -> Criterion:
    def share(arm: Arm) -> Share:
        return grouped_share([(g.requests, hits(g)) for g in arm.groups.values()], by_client)

    asgi, wsgi = share(canary.asgi), share(canary.wsgi)
    if wsgi.value + limits.margin >= 1:  # it cannot be worse
        return Criterion(
            name, Verdict.GOOD, asgi.value, wsgi.value, 0.0, limits.margin, math.ceil(least), 1.0
        )
    rise = min(max(wsgi.value, LEAST_RISE, 2 * limits.margin), max(MOST_RISE, 2 * limits.margin))
    finds = min(wsgi.value + rise, (1 + wsgi.value + limits.margin) / 2)
    independent = sample_for_shares(
        wsgi.value, finds, limits.margin, wsgi.count / asgi.count, limits.alpha, POWER
    )
    needed = math.ceil(max(independent * max(asgi.effect, wsgi.effect), least))
    verdict, bound = _decide(
        asgi.count >= needed, lambda z: difference_above(asgi, wsgi, z), limits.margin, limits
    )
    return Criterion(name, verdict, asgi.value, wsgi.value, bound, limits.margin, needed, finds)


def _time_criterion(canary: Canary, limits: Limits, by_client: bool, least: float) -> Criterion:
    count = canary.asgi.total("requests")
    asgi = _quantile(canary.asgi, by_client)
    wsgi = _quantile(canary.wsgi, by_client)
    if asgi is None or wsgi is None:  # nothing was answered: failures say so
        return Criterion(
            "p95", Verdict.UNKNOWN, 0.0, 0.0, 0.0, limits.tolerance, math.ceil(least), 0.0
        )

    def bound_at(z: float) -> tuple[float, float]:
        canary_time, base = asgi(z), wsgi(z)
        spared = Quantile(*(max(TICK_SECONDS / 2, t - TICK_SECONDS) for t in canary_time))
        return ratio_above(spared, Quantile(*base))

    z = NORMAL.inv_cdf(1 - limits.alpha)
    distance = bound_at(z)[1] * (1 + NORMAL.inv_cdf(POWER) / z)
    missing = (distance / math.log(limits.slower / limits.tolerance)) ** 2
    # Of a sample that has no bound yet, only that more is needed can be said.
    needed = math.ceil(max(missing * count if math.isfinite(distance) else 2 * count, least))
    verdict, bound = _decide(
        count >= needed, lambda at: math.exp(bound_at(at)[0]), limits.tolerance, limits
    )
    base = wsgi(z)[0]
    finds = base * limits.slower + TICK_SECONDS
    return Criterion("p95", verdict, asgi(z)[0], base, bound, limits.tolerance, needed, finds)


def _quantile(arm: Arm, by_client: bool) -> Callable[[float], tuple[float, float, float]] | None:
    """Return a function from standard errors to the quantile and its bounds, in seconds."""
    times = arm.times()
    value = times.quantile(QUANTILE)
    if value is None:
        return None
    slower = grouped_share(
        [(g.times.count, g.times.above(value)) for g in arm.groups.values()], by_client
    )

    def at(z: float) -> tuple[float, float, float]:
        # The effect is of those who are slower than the quantile; the share is known.
        low, high = Share(QUANTILE * times.count, times.count, slower.effect).bounds(z)
        found = (times.quantile(share) or 0.0 for share in (QUANTILE, low, high))
        point, lower, upper = (max(seconds, TICK_SECONDS / 2) for seconds in found)
        # The least and the greatest of a few are bounds of nothing.
        if low * times.count < 1:
            lower = TICK_SECONDS / 2
        if (1 - high) * times.count < 1:
            upper = math.inf
        return point, lower, upper

    return at
