"""A report as plain data: what ``--format json`` prints and the other formats show.

docs/report.md describes the keys.  SCHEMA is raised when one changes its meaning.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tandem.ops.report.accesslog import ANSWERERS
from tandem.ops.report.arms import Canary
from tandem.ops.report.figures import Figures, Held, Row
from tandem.ops.report.gate import Judgement, Limits, judge
from tandem.ops.report.intervals import NORMAL, wilson
from tandem.ops.report.quantiles import RELATIVE_ERROR, Sketch
from tandem.ops.report.timeline import Timeline

SCHEMA = 1
Report = dict[str, Any]


def summarise(figures: Figures, limits: Limits, now: datetime) -> Report:
    """Return the report of ``figures``, judged by ``limits``; ``now`` is when it is made."""
    zone = figures.last.tzinfo if figures.last else now.tzinfo
    since, until = _window(figures)
    seconds = max(1.0, until - since)
    order = {side: place for place, side in enumerate(ANSWERERS)}
    rows = sorted(figures.rows, key=lambda key: (key[0], order.get(key[1], len(order))))
    judged = [(canary, judge(canary, limits)) for canary in figures.current()]
    return {
        "schema": SCHEMA,
        "generated": now.isoformat(timespec="seconds"),
        "window": {
            "since": datetime.fromtimestamp(since, zone).isoformat() if figures.last else None,
            "until": datetime.fromtimestamp(until, zone).isoformat() if figures.last else None,
            "seconds": seconds if figures.last else 0,
        },
        "lines": {
            "read": figures.read,
            "used": figures.read - figures.broken - figures.outside,
            "outside": figures.outside,
            "broken": figures.broken,
            "first_broken": figures.first_broken or None,
            "first": figures.seen_first.isoformat() if figures.seen_first else None,
            "last": figures.seen_last.isoformat() if figures.seen_last else None,
        },
        "relative_error": RELATIVE_ERROR,
        "step_seconds": figures.scale.seconds,
        "routes": [_row(*key, figures.rows[key], seconds) for key in rows],
        "canaries": [_canary(canary, judgement) for canary, judgement in judged],
    }


def _window(figures: Figures) -> tuple[float, float]:
    """Return the bounds of what was looked at, in seconds since the epoch."""
    if figures.first is None or figures.last is None:
        return 0.0, 0.0
    chosen = figures.selection
    since = figures.first.timestamp() if chosen.since is None else chosen.since
    until = figures.last.timestamp()
    if chosen.until is not None and figures.seen_last is not None:
        until = min(chosen.until, figures.seen_last.timestamp())
    return since, max(since, until)


def _row(route: str, side: str, row: Row, seconds: float) -> Report:
    return {
        "route": route,
        "side": side,
        "requests": row.requests,
        "requests_per_second": round(row.requests / seconds, 3),
        "server_errors": row.server_errors,
        "client_errors": row.client_errors,
        "retries": row.retries,
        "fallbacks": row.fallbacks,
        "forced": row.forced,
        "seconds": _quantiles(row.times),
        "distribution": row.times.distribution(),
        "websockets": _held(row.websockets),
        "streams": _held(row.streams),
        "timeline": _timeline(row.timeline),
    }


def _quantiles(times: Sketch) -> Report:
    return {
        "count": times.count,
        "p50": times.quantile(0.5),
        "p95": times.quantile(0.95),
        "p99": times.quantile(0.99),
    }


def _held(held: Held) -> Report | None:
    if not held.opened and not held.closed:
        return None
    return {
        "opened": held.opened,
        "closed": held.closed,
        "open_at_end_at_least": held.open_at_end,
        "median_seconds": held.durations.quantile(0.5),
        "longest_seconds": held.longest,
    }


def _timeline(timeline: Timeline) -> list[Report]:
    return [
        {
            "time": number * timeline.scale.seconds,
            "requests": step.requests,
            "server_errors": step.errors,
            "p50": step.times.quantile(0.5),
            "p95": step.times.quantile(0.95),
            "p99": step.times.quantile(0.99),
        }
        for number, step in sorted(timeline.steps.items())
    ]


def _canary(canary: Canary, judgement: Judgement) -> Report:
    by_client = canary.clients_are_known
    if by_client:
        asgi, wsgi = canary.clients.on("asgi"), canary.clients.on("wsgi")
    else:
        asgi, wsgi = canary.asgi.total("requests"), canary.wsgi.total("requests")
    low, high = wilson(asgi, asgi + wsgi, NORMAL.inv_cdf(0.975))
    return {
        "route": canary.route,
        "share_asked": float(canary.share) if _is_number(canary.share) else None,
        "share_seen": _percent(asgi / (asgi + wsgi)) if asgi + wsgi else None,
        "share_low": _percent(low),
        "share_high": _percent(high),
        "share_of": "clients" if by_client else "requests",
        "share_counted": asgi + wsgi,
        "clients_on_both_sides": canary.clients.on("asgi", "wsgi"),
        "every_client_counted": canary.clients.complete,
        "gate": {
            "verdict": judgement.verdict.name.lower(),
            "exit_status": int(judgement.verdict),
            "reason": judgement.reason,
            "requests": judgement.requests,
            "baseline_requests": judgement.baseline_requests,
            "requests_needed": judgement.needed,
            "judged_by": "clients" if judgement.by_client else "requests",
            "criteria": [
                {
                    "name": criterion.name,
                    "verdict": criterion.verdict.name.lower(),
                    "canary": criterion.canary,
                    "baseline": criterion.baseline,
                    "bound": criterion.bound,
                    "limit": criterion.limit,
                    "requests_needed": criterion.needed,
                    "finds": criterion.finds,
                }
                for criterion in judgement.criteria
            ],
        },
    }


def _percent(share: float) -> float:
    return round(100 * share, 2)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
