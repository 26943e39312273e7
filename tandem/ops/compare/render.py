"""What was found, for a terminal and as data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from tandem.ops.compare.difference import Outcome, Result

SCHEMA = 1
# Pages are strangers' text: no control character of theirs reaches the terminal.
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
LINE_WIDTH = 160


def text(result: Result, diff_lines: int, like: str = "") -> str:
    """Return one result, and where it is different what the difference is.

    ``like`` is the path where the same difference was shown already.
    """
    wsgi, asgi = (" ".join(map(str, found)) or "–" for found in result.statuses)
    status = wsgi if wsgi == asgi else f"{wsgi} / {asgi}"
    times = ""
    if result.seconds:
        times = "{:7.1f} {:7.1f}".format(*(1000 * seconds for seconds in result.seconds))
    method = "" if result.method == "GET" else f"{result.method} "
    lines = [clean(f"{result.verdict:9} {status:>9} {times:15}  {method}{result.path}")]
    if like:
        return "\n".join([*lines, clean(f"    as at {like}")])
    if result.reason:
        lines.append(clean(f"    {result.reason}"))
    if result.statuses[0] != result.statuses[1] and not result.reason:
        lines.append(f"    status: wsgi {wsgi}, asgi {asgi}")
    for header in result.headers:
        lines.append(clean(f"    header {header.name}"))
        for name, values in (("wsgi", header.wsgi), ("asgi", header.asgi)):
            lines.append(clean(f"      {name}: {' | '.join(values) or '(none)'}"))
    lines += [clean(f"    {line}") for line in result.diff[:diff_lines]]
    if len(result.diff) > diff_lines:
        lines.append(f"    … {len(result.diff) - diff_lines} more lines")
    if result.varies and result.verdict is not Outcome.UNDECIDED:
        lines.append(f"    varies by itself, left out: {', '.join(sorted(set(result.varies)))}")
    return "\n".join(lines)


HEADING = f"{'':9} {'status':>9} {'wsgi ms':>7} {'asgi ms':>7}"


def clean(line: str) -> str:
    """Return a line that is safe and not too long for a terminal."""
    shown = CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line)
    return shown if len(shown) <= LINE_WIDTH else shown[: LINE_WIDTH - 1] + "…"


def totals(results: Sequence[Result], left_out: Mapping[str, int]) -> str:
    """Return the summary."""
    counts = Counter(result.verdict for result in results)
    kinds = len({result.kind for result in results if result.verdict is Outcome.DIFFERENT})
    words = {verdict: f"{counts[verdict]} {verdict}" for verdict in Outcome if counts[verdict]}
    if kinds < counts[Outcome.DIFFERENT]:
        words[Outcome.DIFFERENT] += f" in {kinds} {'way' if kinds == 1 else 'ways'}"
    told = f"{len(results)} compared: {', '.join(words.values())}"
    lines = [told if results else "nothing was compared"]
    timed = [result.seconds for result in results if result.seconds]
    if timed:
        wsgi, asgi = (median(pair[n] for pair in timed) * 1000 for n in (0, 1))
        lines.append(f"time: wsgi {wsgi:.1f} ms, asgi {asgi:.1f} ms (median of the addresses)")
    lines += [f"not compared: {reason}" for reason in left_out]
    return "\n".join(lines)


def data(
    results: Sequence[Result], sides: Mapping[str, str], left_out: Mapping[str, int]
) -> dict[str, Any]:
    """Return everything; docs/compare.md describes the keys."""
    counts = Counter(result.verdict for result in results)
    return {
        "schema": SCHEMA,
        "sides": dict(sides),
        "compared": len(results),
        **{verdict.value: counts[verdict] for verdict in Outcome},
        "left_out": list(left_out),
        "results": [_one(result) for result in results],
    }


def _one(result: Result) -> dict[str, Any]:
    seconds = result.seconds or (None, None)
    return {
        "method": result.method,
        "path": result.path,
        "verdict": result.verdict.value,
        "reason": result.reason or None,
        "status": {"wsgi": result.statuses[0], "asgi": result.statuses[1]},
        "headers": [
            {"name": header.name, "wsgi": header.wsgi, "asgi": header.asgi}
            for header in result.headers
        ],
        "diff": result.diff,
        "varies": sorted(set(result.varies)),
        "seconds": {"wsgi": seconds[0], "asgi": seconds[1]},
    }
