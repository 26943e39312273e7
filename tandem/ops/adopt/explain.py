"""What Tandem replaces of a site's settings, for a person to read: ``tandem adopt --explain``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tandem.ops.adopt.answer import Answer
from tandem.ops.adopt.lines import text

LONGEST = 100  # of a value


def explain(answer: Answer) -> str:
    """Return what the site says of itself, and each setting that is replaced, with the reason."""
    return "\n".join([*_said(answer), *_replaced(answer)])


def _said(answer: Answer) -> Iterator[str]:
    yield "The site's own settings say:"
    for name, value in sorted(answer.settings.items()):
        yield f"  {text(name)} = {_shown(value)}"
    if names := sorted(name for name, one in answer.reads.items() if one.place):
        yield "It reads these variables:"
    for name in names:
        read = answer.reads[name]
        default = f", default {read.default[:LONGEST]}" if read.default is not None else ""
        yield f"  {name} ({read.place}{', given' if read.given else ''}{default})"


def _replaced(answer: Answer) -> Iterator[str]:
    yield "Tandem replaces:"
    for one in sorted(answer.replaced, key=lambda one: one.name):
        yield f"  {one.name}: {one.why}"
        if _shown(one.old) != _shown(one.new):
            yield f"    {_shown(one.old)} → {_shown(one.new)}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    said = text(json.dumps(value, ensure_ascii=False))
    return said if len(said) <= LONGEST else f"{said[:LONGEST]} …"
