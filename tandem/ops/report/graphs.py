"""The plots of one route: time over time, how time is spread, errors over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from typing import Any

from tandem.ops.report.plot import Axis, Line, draw, linear_axis, log_axis
from tandem.ops.report.table import plain, seconds

# What is faster than nginx' clock is drawn at its first tick.
LEAST_SECONDS = 0.001
SLOWEST_SHARE = 0.001
LEAST_POINTS = 4  # a distribution of fewer values is no curve
ERROR_STEPS = 4  # errors are rare: one point for so many steps
Rows = list[dict[str, Any]]


def graphs(zone: tzinfo | None, step: int) -> Callable[[Rows], list[tuple[str, str]]]:
    """Return a function from a route's rows to captions and plots.

    ``zone`` is the log's, ``step`` the length of the timeline's steps in seconds.
    """

    def of(rows: Rows) -> list[tuple[str, str]]:
        timed = [row for row in rows if row["seconds"]["count"]]
        found = []
        when = _time_axis(rows, zone, step)
        if timed and when:
            found.append(("p95 over time, from p50 to p99 shaded", _over_time(timed, when, step)))
        if any(len(row["distribution"]) >= LEAST_POINTS for row in timed):
            found.append(("share of requests that take longer", _distribution(timed)))
        if when and any(row["server_errors"] for row in rows):
            found.append(("5xx over time", _errors(rows, when, step)))
        return found

    return of


def _time_axis(rows: Rows, zone: tzinfo | None, step: int) -> Axis | None:
    times = [point["time"] for row in rows for point in row["timeline"]]
    if not times:
        return None
    low, high = min(times), max(times)
    form = "%H:%M" if high - low >= 240 else "%H:%M:%S"
    if high - low > 36 * 3600:
        form = "%d %b %H:%M"

    def label(time: float) -> str:
        return datetime.fromtimestamp(time, zone).strftime(form)

    if high == low:
        return Axis(low - step, high + step, [low], label)
    ticks = [low, high] if form.startswith("%d") else [low, (low + high) / 2, high]
    return Axis(low, high, ticks, label)


def _pieces(timeline: Rows, step: int) -> Iterator[Rows]:
    """Cut a timeline where nothing happened for some steps."""
    piece: Rows = []
    for point in timeline:
        if piece and point["time"] - piece[-1]["time"] > 3 * step:
            yield piece
            piece = []
        piece.append(point)
    if piece:
        yield piece


def _floor(value: float) -> float:
    return max(value, LEAST_SECONDS)


def _over_time(rows: Rows, when: Axis, step: int) -> str:
    lines, values = [], []
    for row in rows:
        pieces = list(
            _pieces([point for point in row["timeline"] if point["p50"] is not None], step)
        )
        values += [_floor(p[q]) for piece in pieces for p in piece for q in ("p50", "p95", "p99")]
        lines.append(
            Line(
                row["side"],
                [[(p["time"], _floor(p["p95"])) for p in piece] for piece in pieces],
                [
                    [(p["time"], _floor(p["p50"]), _floor(p["p99"])) for p in piece]
                    for piece in pieces
                ],
            )
        )
    return draw(f"p95 over time of {_sides(rows)}", when, log_axis(values, seconds), lines)


def _distribution(rows: Rows) -> str:
    lines, values = [], []
    for row in rows:
        points = [(LEAST_SECONDS, 1.0)] if row["distribution"][0][0] > LEAST_SECONDS else []
        points += [(_floor(time), 1 - share) for time, share in row["distribution"]]
        kept = sum(left > SLOWEST_SHARE for _, left in points)  # and the one that ends it
        shown = [(time, max(left, SLOWEST_SHARE)) for time, left in points[: kept + 1]]
        values += [time for time, left in shown if left < 0.995] or [shown[-1][0]]
        lines.append(Line(row["side"], [shown]))
    across = log_axis(values, seconds)
    share = Axis(
        SLOWEST_SHARE, 1, [SLOWEST_SHARE, 0.01, 0.05, 0.5, 1], lambda v: f"{100 * v:g} %", True
    )
    return draw(f"distribution of time of {_sides(rows)}", across, share, lines)


def _errors(rows: Rows, when: Axis, step: int) -> str:
    lines, highest = [], 0.01
    for row in rows:
        pieces = [
            [(p["time"], p["server_errors"] / p["requests"]) for p in piece]
            for piece in _pieces(_coarser(row["timeline"], step), ERROR_STEPS * step)
        ]
        highest = max([highest, *(rate for piece in pieces for _, rate in piece)])
        lines.append(Line(row["side"], pieces))
    percent = linear_axis(highest, lambda value: f"{plain(100 * value, 3)} %")
    return draw(f"5xx over time of {_sides(rows)}", when, percent, lines)


def _coarser(timeline: Rows, step: int) -> Rows:
    """Return the requests and errors of a timeline, ERROR_STEPS at a time."""
    merged: dict[int, dict[str, Any]] = {}
    for point in timeline:
        time = point["time"] // (ERROR_STEPS * step) * ERROR_STEPS * step
        into = merged.setdefault(time, {"time": time, "requests": 0, "server_errors": 0})
        into["requests"] += point["requests"]
        into["server_errors"] += point["server_errors"]
    return list(merged.values())


def _sides(rows: Rows) -> str:
    return " and ".join(row["side"] for row in rows)
