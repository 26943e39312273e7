"""A report as one HTML page that asks nobody for anything: plots are inline, no script runs."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from html import escape
from importlib import resources
from itertools import groupby
from typing import Any

from tandem.ops.report import table
from tandem.ops.report.graphs import graphs

HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Routes, {until}</title>
<style>{style}</style>
</head>
<body>
<main>
<header>
<h1>How the routes do</h1>
<p class="soft">{window}</p>
{notes}</header>
"""


def render(report: dict[str, Any]) -> str:
    """Return the page of a report (tandem.ops.report.summary)."""
    style = resources.files("tandem.ops.report").joinpath("page.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    window = report["window"]
    parts = [
        HEAD.format(
            policy=f"default-src 'none'; style-src 'sha256-{digest}'",
            style=style,
            until=escape(_clock(window["until"])),
            window=escape(_window(report)),
            notes="".join(f'<p class="note">{escape(note)}</p>\n' for note in _notes(report)),
        ),
        *map(_canary, report["canaries"]),
    ]
    zone = datetime.fromisoformat(window["until"]).tzinfo if window["until"] else None
    for route, rows in groupby(report["routes"], key=lambda row: row["route"]):
        parts.append(_route(route, list(rows), graphs(zone, report["step_seconds"])))
    parts.append(
        '<p class="soft small">Times are exact to 128 ms and within'
        f" {100 * report['relative_error']:.1f} % above;"
        f" made {escape(_clock(report['generated']))}.</p>\n"
        "</main>\n</body>\n</html>\n"
    )
    return "".join(parts)


def _clock(iso: str | None) -> str:
    return datetime.fromisoformat(iso).strftime("%Y-%m-%d %H:%M:%S %z") if iso else "no lines"


def _window(report: dict[str, Any]) -> str:
    window, lines = report["window"], report["lines"]
    if not window["until"]:
        return f"None of the {lines['read']:,} lines is in the window."
    return (
        f"{_clock(window['since'])} to {_clock(window['until'])}"
        f" ({table.seconds(window['seconds'])}), {lines['used']:,} of {lines['read']:,} lines"
    )


def _notes(report: dict[str, Any]) -> list[str]:
    lines = report["lines"]
    if not lines["broken"]:
        return []
    return [
        f"Left out, as not of our format: {lines['broken']:,}; the first: {lines['first_broken']}"
    ]


def _canary(canary: dict[str, Any]) -> str:
    gate = canary["gate"]
    rows = "".join(
        f"<tr><td>{escape(one['name'])}</td><td>{value(one['canary'])}</td>"
        f"<td>{value(one['baseline'])}</td><td>{bound}</td>"
        f"<td>{one['requests_needed']:,} requests to find {value(one['finds'])}</td></tr>"
        for one in gate["criteria"]
        for value, bound in [_units(one)]
    )
    return (
        f'<section class="canary {escape(gate["verdict"])}">'
        f"<h2>Canary {escape(canary['route'])}:"
        f' <span class="verdict">{escape(table.VERDICTS[gate["verdict"]])}</span></h2>'
        f"<p>{escape(table.share_words(canary))}</p>{_share_bar(canary)}"
        f"<p>Decided by: {escape(gate['reason'])}.</p>"
        '<div class="scroll"><table><thead><tr><th>criterion</th><th>asgi</th><th>wsgi</th>'
        f"<th>surely at least</th><th>needs</th></tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="soft small">{gate["requests"]:,} requests on asgi,'
        f" {gate['baseline_requests']:,} on wsgi</p></section>\n"
    )


def _units(one: dict[str, Any]) -> tuple[Any, str]:
    """Return how to write a criterion's values, and its bound in words."""
    if one["name"] == "p95":
        return table.seconds, f"{one['bound']:.2f}× (tolerated {one['limit']:g}×)"
    return (
        table.percent,
        f"{one['bound'] * 100:+.2f} points (tolerated {one['limit'] * 100:+g})",
    )


def _share_bar(canary: dict[str, Any]) -> str:
    if canary["share_seen"] is None:
        return ""
    seen, low, high = canary["share_seen"], canary["share_low"], canary["share_high"]
    asked = canary["share_asked"]
    mark = f'<rect class="asked" x="{asked - 0.15:.2f}" width=".3" height="4"/>' if asked else ""
    width = max(high - low, 0.2)
    return (
        '<svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" role="img"'
        f' aria-label="{escape(table.share_words(canary))}">'
        f'<rect class="wsgi" width="100" height="4"/><rect class="asgi" width="{seen}" height="4"/>'
        f'<rect class="interval" x="{low}" y="1.4" width="{width:.2f}" height="1.2"/>'
        f"{mark}</svg>"
    )


def _route(route: str, rows: list[dict[str, Any]], draw: Any) -> str:
    sides = "".join(_side(row) for row in rows)
    plots = "".join(
        f"<figure><h3>{escape(caption)}</h3>{svg}</figure>" for caption, svg in draw(rows)
    )
    shown = f'<div class="plots">{plots}</div>' if plots else ""
    return f"<section><h2>{escape(route)}</h2>{sides}{shown}</section>\n"


def _side(row: dict[str, Any]) -> str:
    count, times = row["requests"], row["seconds"]
    figures = [
        ("requests", f"{count:,}", ""),
        ("per second", table.plain(row["requests_per_second"], 4), ""),
        ("5xx", table.rate(row["server_errors"], count), "bad" if row["server_errors"] else ""),
        ("4xx", table.rate(row["client_errors"], count), ""),
        *((name, table.seconds(times[name]), "") for name in ("p50", "p95", "p99")),
        ("retried", f"{row['retries']:,}", "") if row["retries"] else None,
        ("fallbacks", f"{row['fallbacks']:,}", "bad") if row["fallbacks"] else None,
        ("forced", f"{row['forced']:,}", "") if row["forced"] else None,
    ]
    items = "".join(
        f'<div><dt>{name}</dt><dd class="{kind}">{escape(text)}</dd></div>'
        for name, text, kind in filter(None, figures)
    )
    held = "".join(
        _held(words, row[key])
        for words, key in (("WebSockets", "websockets"), ("streams", "streams"))
        if row[key]
    )
    side = escape(row["side"])
    return f'<div class="side"><span class="name {side}">{side}</span><dl>{items}</dl></div>{held}'


def _held(words: str, one: dict[str, Any]) -> str:
    return (
        f'<p class="extra small soft">{words}: {one["opened"]:,} opened, {one["closed"]:,} closed,'
        f" at least {one['open_at_end_at_least']:,} open at the end;"
        f" median {table.seconds(one['median_seconds'])},"
        f" longest {table.seconds(one['longest_seconds'])}</p>"
    )
