"""A report for the terminal, at most 100 columns wide."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

WIDTH = 100
ROUTE_WIDTH = 26


def seconds(value: float | None) -> str:
    """Return a duration with three digits at most and its unit: "45 ms", "1.3 s", "2 h 5 min"."""
    if value is None:
        return "–"
    if value < 0.0005:
        return "<1 ms"
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 99.95:
        return f"{plain(value, 3)} s"
    minutes = round(value / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def plain(value: float, digits: int) -> str:
    """Return ``value`` with so many significant digits, never in powers of ten."""
    return f"{Decimal(f'{value:.{digits}g}'):f}"


def rate(part: int, whole: int) -> str:
    """Return a percentage that is "0" only when nothing happened."""
    if not whole or not part:
        return "0"
    percent = 100 * part / whole
    return f"{plain(percent, 2)} %" if percent >= 0.01 else "<0.01 %"


def percent(share: float) -> str:
    """Return a share as a percentage with two decimals."""
    return f"{100 * share:.2f} %"


def shorten(text: str, width: int) -> str:
    """Return ``text``, its middle left out when it is longer than ``width``."""
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def render(report: dict[str, Any]) -> str:
    """Return the report as text."""
    lines = [*_head(report), ""]
    if report["routes"]:
        lines += [*_requests(report["routes"]), ""]
    held = [
        (row, kind, row[kind])
        for row in report["routes"]
        for kind in ("websockets", "streams")
        if row[kind]
    ]
    if held:
        lines += [*_held(held), ""]
    for canary in report["canaries"]:
        lines += [*canary_lines(canary), ""]
    return "\n".join(lines)


def _head(report: dict[str, Any]) -> list[str]:
    window, read = report["window"], report["lines"]
    if not read["used"]:
        reach = f"; the log has {read['first']} to {read['last']}" if read["first"] else ""
        first = f"No line of {read['read']:,} is in the window{reach}."
    else:
        first = (
            f"{window['since']} to {window['until']} ({seconds(window['seconds'])}):"
            f" {read['used']:,} of {read['read']:,} lines"
        )
    if not read["broken"]:
        return [first]
    return [
        first,
        f"left out, as not of our format: {read['broken']:,}; the first is {read['first_broken']}",
    ]


def _requests(rows: list[dict[str, Any]]) -> list[str]:
    header = (
        f"{'route':{ROUTE_WIDTH}} {'side':6} {'requests':>11} {'/s':>7} {'5xx':>8} {'4xx':>7}"
        f" {'p50':>7} {'p95':>7} {'p99':>7}"
    )
    lines = [header, "─" * len(header)]
    route = None
    for row in rows:
        shown = "" if row["route"] == route else shorten(row["route"], ROUTE_WIDTH)
        route = row["route"]
        count, times = row["requests"], row["seconds"]
        lines.append(
            f"{shown:{ROUTE_WIDTH}} {row['side']:6} {count:>11,}"
            f" {plain(row['requests_per_second'], 4):>7} {rate(row['server_errors'], count):>8}"
            f" {rate(row['client_errors'], count):>7} {seconds(times['p50']):>7}"
            f" {seconds(times['p95']):>7} {seconds(times['p99']):>7}"
        )
        extras = [
            f"{row[key]:,} {words}"
            for key, words in (
                ("retries", "retried on another instance"),
                ("fallbacks", "answered by the fallback instead"),
                ("forced", "forced by staff"),
            )
            if row[key]
        ]
        if extras:
            lines.append(f"{'':{ROUTE_WIDTH}} {'':6} {', '.join(extras)}")
    return lines


def _held(held: list[tuple[dict[str, Any], str, dict[str, Any]]]) -> list[str]:
    header = (
        f"{'held open':{ROUTE_WIDTH}} {'side':6} {'what':11} {'opened':>9} {'closed':>9}"
        f" {'open yet':>9} {'median':>10} {'longest':>10}"
    )
    lines = [header, "─" * len(header)]
    for row, kind, one in held:
        still = f"≥ {one['open_at_end_at_least']:,}"
        lines.append(
            f"{shorten(row['route'], ROUTE_WIDTH):{ROUTE_WIDTH}} {row['side']:6} {kind:11}"
            f" {one['opened']:>9,} {one['closed']:>9,} {still:>9}"
            f" {seconds(one['median_seconds']):>10} {seconds(one['longest_seconds']):>10}"
        )
    lines.append("A line is written when the connection ends: what is open now is not in the log.")
    return lines


def share_words(canary: dict[str, Any]) -> str:
    """Return in words which share was asked and which was seen."""
    asked = "?" if canary["share_asked"] is None else f"{canary['share_asked']:g}"
    if canary["share_seen"] is None:
        return f"{asked} % asked"
    sample = "" if canary["every_client_counted"] else "a sample of "
    return (
        f"{asked} % asked, {canary['share_seen']:.1f} % seen"
        f" ({canary['share_low']:.1f} to {canary['share_high']:.1f} with 95 % confidence,"
        f" of {sample}{canary['share_counted']:,} {canary['share_of']})"
    )


VERDICTS = {
    "good": "not worse",
    "worse": "WORSE",
    "unknown": "too early to tell",
}


def canary_lines(canary: dict[str, Any]) -> list[str]:
    """Return the canary's share, verdict and criteria."""
    gate = canary["gate"]
    lines = [
        f"canary {shorten(canary['route'], WIDTH - 8)}: {VERDICTS[gate['verdict']]}",
        f"  {share_words(canary)}",
        f"  decided by: {gate['reason']}",
    ]
    for one in gate["criteria"]:
        if one["name"] == "p95":
            values = f"asgi {seconds(one['canary'])}, wsgi {seconds(one['baseline'])}"
            bound = f"≥ {one['bound']:.2f}×, tolerated {one['limit']:g}×"
            finds = seconds(one["finds"])
        else:
            values = f"asgi {percent(one['canary'])}, wsgi {percent(one['baseline'])}"
            bound = f"≥ {one['bound'] * 100:+.2f}, tolerated {one['limit'] * 100:+g}"
            finds = percent(one["finds"])
        lines.append(
            f"  {one['name']:9} {values:28} {bound:26}"
            f" needs {one['requests_needed']:,} to find {finds}"
        )
    lines.append(
        f"  requests: asgi {gate['requests']:,}, wsgi {gate['baseline_requests']:,}"
        + ("" if gate["judged_by"] == "clients" else "; clients cannot be told apart by the log")
    )
    return lines
