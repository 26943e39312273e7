"""Compare the answers of both sides, and leave out what varies on one side by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from enum import StrEnum
from functools import reduce
from operator import and_, or_
from statistics import median
from typing import TypeVar

from tandem.ops.compare.client import Answer
from tandem.ops.compare.normalise import Normal, normalise
from tandem.ops.compare.rules import Rules

# difflib needs quadratic time: of longer texts it sees the part around the first difference.
MOST_LINES = 2000
T = TypeVar("T")


class Outcome(StrEnum):
    """What is known of an address."""

    SAME = "same"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Header:
    """A header that differs; a side without it has no values."""

    name: str
    wsgi: list[str]
    asgi: list[str]


@dataclass(frozen=True)
class Result:
    """What was found at one address."""

    method: str
    path: str
    verdict: Outcome
    reason: str = ""  # where it is undecided
    statuses: tuple[list[int], list[int]] = ([], [])  # wsgi, asgi
    headers: list[Header] = field(default_factory=list)
    diff: list[str] = field(default_factory=list)  # unified, of the body
    varies: list[str] = field(default_factory=list)  # what varies on one side by itself
    seconds: tuple[float, float] | None = None  # medians: wsgi, asgi

    @property
    def kind(self) -> str:
        """What differs, without where: the same for pages that share a mistake."""
        changed = [line for line in self.diff if line.startswith(("+", "-"))]
        return repr((self.statuses, self.headers, changed, self.reason))


def compare(
    method: str,
    path: str,
    wsgi: Sequence[Answer],
    asgi: Sequence[Answer],
    rules: Rules,
    sent: Sequence[str] = (),
) -> Result:
    """Return how the answers of both sides, in pairs, differ."""
    varies: list[str] = []
    later = {answer.status for answer in wsgi[1:] if not answer.error}
    if later and wsgi[0].status not in later:
        # Whoever is asked first has what comes once: a welcome, a redirect to it.
        wsgi, varies = wsgi[1:], ["status of the first answer"]
    errors = [next((a.error for a in side if a.error), "") for side in (wsgi, asgi)]
    if all(errors):
        return Result(method, path, Outcome.UNDECIDED, f"wsgi and asgi: {errors[0]}")
    statuses = tuple(sorted({a.status for a in side if not a.error}) for side in (wsgi, asgi))
    if any(errors):
        name, error = ("wsgi", errors[0]) if errors[0] else ("asgi", errors[1])
        return Result(
            method, path, Outcome.DIFFERENT, f"{name}: {error}", (statuses[0], statuses[1])
        )
    first, second = ([normalise(a, rules, sent) for a in side] for side in (wsgi, asgi))
    diff = _body(first, second, varies)
    headers = _headers(first, second, varies)
    same = statuses[0] == statuses[1] and not headers and not diff
    return Result(
        method,
        path,
        Outcome.SAME if same else Outcome.DIFFERENT,
        "",
        (statuses[0], statuses[1]),
        headers,
        diff,
        varies,
        (median(a.seconds for a in wsgi), median(a.seconds for a in asgi)),
    )


def _headers(wsgi: list[Normal], asgi: list[Normal], varies: list[str]) -> list[Header]:
    # A validator follows from the body: it says nothing where the body was made equal.
    own = any(answer.masked for answer in (*wsgi, *asgi)) or bool(varies)

    def values(answer: Normal, name: str) -> list[str]:
        found = answer.headers.get(name) or answer.validators.get(name, [])
        return ["*"] if found and own and name in answer.validators else found

    names = sorted({n for a in (*wsgi, *asgi) for n in (*a.headers, *a.validators)})
    found = []
    for name in names:
        sides = [[values(answer, name) for answer in side] for side in (wsgi, asgi)]
        match _varying(*sides):
            case True:
                varies.append(f"header {name}")
            case None:
                found.append(Header(name, sides[0][0], sides[1][0]))
    return found


def _varying(wsgi: list[T], asgi: list[T]) -> bool | None:
    """Tell whether what was seen on both sides varies by itself; None: the sides differ.

    False: everything is the same.  One side that always says what the other, which
    varies, never does, differs from it.
    """
    steady = [all(value == side[0] for value in side) for side in (wsgi, asgi)]
    if all(steady):
        return False if wsgi[0] == asgi[0] else None
    if not any(steady):
        return True
    fixed, other = (wsgi[0], asgi) if steady[0] else (asgi[0], wsgi)
    return True if fixed in other else None


def _body(wsgi: list[Normal], asgi: list[Normal], varies: list[str]) -> list[str]:
    texts = [answer.lines for answer in (*wsgi, *asgi)]
    if any(lines is None for lines in texts):
        return _digests(wsgi, asgi, varies)
    (first, loose), (second, shaky) = (_steady(side) for side in (wsgi, asgi))
    if loose or shaky:
        varies.append("lines of the body")
    # What WSGI says differently from one time to the next is no effect of ASGI: a clock, a
    # message.  What ASGI alone leaves out now and then may well be one.
    return _unified(*([x for x in lines if x not in loose] for lines in (first, second)))


def _digests(wsgi: list[Normal], asgi: list[Normal], varies: list[str]) -> list[str]:
    sides = [[answer.digest for answer in side] for side in (wsgi, asgi)]
    match _varying(*sides):
        case True:
            varies.append("the body")
        case None:
            return [f"-sha256 {sides[0][0]}", f"+sha256 {sides[1][0]}"]
    return []


def _steady(side: list[Normal]) -> tuple[list[str], set[str]]:
    """Return the lines that all answers of a side have, in their order, and those that vary.

    How often a line is there counts: what ends a message that was there once, ends others, too.
    """
    answers = [answer.lines or () for answer in side]
    counts = [Counter(lines) for lines in answers]
    fewest, most = reduce(and_, counts), reduce(or_, counts)
    shortest = min(answers, key=len)  # has the least of what is there once
    had = Counter(shortest)
    kept = [line for line in shortest if had[line] == fewest[line]]
    return kept, {line for line in most if most[line] > fewest[line]}


def _unified(first: list[str], second: list[str]) -> list[str]:
    if first == second:
        return []
    start = next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    begin = max(0, start - 3)
    before, after = (lines[begin : begin + MOST_LINES] for lines in (first, second))
    return list(unified_diff(before, after, "wsgi", "asgi", n=2, lineterm=""))
