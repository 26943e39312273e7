"""Figures of what was measured."""

from __future__ import annotations


def quantile(values: list[float], q: float) -> float:
    """Return a quantile in milliseconds."""
    ordered = sorted(values)
    return round(1000 * ordered[min(len(ordered) - 1, int(q * len(ordered)))], 1) if ordered else 0


def shortest(moments: list[float], count: int) -> float | None:
    """Return the shortest time in which ``count`` of ``moments`` lie (s); None of fewer."""
    ordered = sorted(moments)
    spans = [last - first for first, last in zip(ordered, ordered[count - 1 :], strict=False)]
    return round(min(spans), 2) if spans else None
