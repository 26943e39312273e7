"""An audit as text for a terminal, and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from tandem.ops.checks.assessment import READY, Assessment
from tandem.ops.checks.audit import Audit
from tandem.ops.checks.finding import COST, NOT_READY, Finding, Place

WIDTH = 96
MARKS = {READY: "✓", COST: "·", NOT_READY: "✗"}


def text(audit: Audit, every: bool) -> str:
    """Return ``audit`` for a terminal; ``every``: each ready address on a line of its own."""
    parts = [*_findings(audit), *_addresses(audit, every), *_summary(audit)]
    return "\n".join(parts)


def _findings(audit: Audit) -> Iterator[str]:
    for kind, group in groupby(audit.findings, key=lambda f: f.kind):
        found = list(group)
        yield f"tandem.{kind.code}  {kind.title}"
        yield from _wrapped("why   ", kind.why)
        yield from _wrapped("do    ", kind.cure)
        yield from _wrapped("cost  ", kind.cost)
        for finding in found:
            yield f"  {finding.place or 'the environment'}"
            yield from _wrapped("", f"{finding.said} {finding.reached}", 6)
        yield ""


def _wrapped(label: str, said: str, indent: int = 2) -> list[str]:
    first = " " * indent + label
    return textwrap.wrap(
        said, WIDTH, initial_indent=first, subsequent_indent=" " * len(first),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _addresses(audit: Audit, every: bool) -> Iterator[str]:
    """Give the addresses by verdict; those with the same reasons share one heading."""
    yield "Addresses, were they moved to ASGI"
    for name in (NOT_READY, COST, READY):
        of_kind = [v for v in audit.verdicts if v.verdict == name]
        if not of_kind:
            continue
        yield f"\n{MARKS[name]} {name}: {len(of_kind)}"
        if name == READY and not every:
            continue
        groups: dict[tuple[str, ...], list[Assessment]] = {}
        for verdict in of_kind:
            groups.setdefault(tuple(_reasons(verdict)), []).append(verdict)
        for reasons, verdicts in groups.items():
            for reason in reasons:
                yield from _wrapped("", reason, 4)
            shown = verdicts if every or name == NOT_READY else verdicts[:5]
            for verdict in shown:
                yield f"      {verdict.address.route}  {verdict.address.view.name}"
            if len(shown) < len(verdicts):
                yield f"      and {len(verdicts) - len(shown)} more (--all shows them)"


def _reasons(verdict: Assessment) -> Iterator[str]:
    """Give each sort of reason once, with all its lines: ``(shop/views.py:3, 8; other.py:1)``."""
    places: dict[str, list[Place]] = {}
    for reason in verdict.reasons:
        code = f"{reason.code}: " if reason.code else ""
        places.setdefault(f"{code}{reason.said}", []).extend(filter(None, [reason.place]))
    for said, found in places.items():
        files = []
        for _, same in groupby(sorted(found), key=lambda place: place.file):
            first, *others = same
            files.append(", ".join([str(first), *(str(place.line) for place in others)]))
        yield f"{said} ({'; '.join(files)})" if files else said


def _summary(audit: Audit) -> Iterator[str]:
    counts = Counter(v.verdict for v in audit.verdicts)
    warnings = sum(f.kind.code.startswith("W") for f in audit.findings)
    notes = len(audit.findings) - warnings
    yield ""
    over = " with Tandem's over it" if audit.adopted else ""
    yield (
        f"{audit.settings}{over}: {warnings} warnings and {notes} notes in {audit.files} files; of"
        f" {len(audit.verdicts)} addresses {counts[READY]} are ready, {counts[COST]} ready with"
        f" cost, {counts[NOT_READY]} not ready."
    )
    if audit.debug:
        yield (
            "DEBUG is on: caches, layers, hosts and proxy headers were not judged; give the"
            " settings that serve (--settings)."
        )
    if not audit.ruff:
        yield "ruff is not installed: blocking calls were looked for by name only."
    if not audit.compared:
        yield (
            "The settings could not be read in a process of their own: the upstreams were not"
            " compared, nor ASGI's database connections looked at."
        )


def as_json(audit: Audit) -> str:
    """Return ``audit`` as JSON; docs/checks.md describes it."""
    return json.dumps(
        {
            "findings": [_finding(f) for f in audit.findings],
            "addresses": [_address(v) for v in audit.verdicts],
            "files": audit.files,
            "ruff": audit.ruff,
            "settings": audit.settings,
            "debug": audit.debug,
            "adopted": audit.adopted,
            "upstreams_compared": audit.compared,
            "failed": audit.failed,
        },
        indent=2,
        ensure_ascii=False,
    )


def _place(place: Place | None) -> dict[str, Any]:
    return {"file": str(place.file), "line": place.line} if place else {"file": None, "line": 0}


def _finding(finding: Finding) -> dict[str, Any]:
    kind = finding.kind
    level = "warning" if kind.code.startswith("W") else "info"
    return {
        "id": finding.id, "level": level, **_place(finding.place), "title": kind.title,
        "message": finding.said, "reached_by": [str(place) for place in finding.also],
        "why": kind.why, "cure": kind.cure, "cost": kind.cost,
        "verdict": kind.verdict or None,
    }  # fmt: skip


def _address(verdict: Assessment) -> dict[str, Any]:
    view = verdict.address.view
    return {
        "route": verdict.address.route, "name": verdict.address.name, "view": view.name,
        "asynchronous": view.asynchronous, "websocket": verdict.address.websocket,
        **_place(view.place), "verdict": verdict.verdict,
        "reasons": [
            {"id": f"tandem.{r.code}" if r.code else None, "message": r.said,
             "verdict": r.verdict, **_place(r.place)}
            for r in verdict.reasons
        ],
    }  # fmt: skip
