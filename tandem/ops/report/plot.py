"""Small plots as SVG, styled by classes alone so that a page may forbid inline styles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 10, 24
MOST_TICKS = 5  # more would touch

Point = tuple[float, float]
Formatter = Callable[[float], str]


@dataclass(frozen=True)
class Axis:
    """A range of values and the marks on it."""

    low: float
    high: float
    ticks: Sequence[float]
    label: Formatter
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 to 1."""
        low, high = self.low, self.high
        value = min(max(value, low), high)
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low) if high > low else 0.5


@dataclass(frozen=True)
class Line:
    """One line of a plot, perhaps in pieces, perhaps with a band around it."""

    name: str  # its class
    pieces: Sequence[Sequence[Point]]
    band: Sequence[Sequence[tuple[float, float, float]]] = ()  # x, low, high


def log_axis(values: Sequence[float], label: Formatter, least_span: float = 4) -> Axis:
    """Return a logarithmic axis around positive values, marked at 1, 2 and 5 or at decades."""
    low, high = min(values, default=1.0), max(values, default=1.0)
    if high < low * least_span:
        low, high = low / math.sqrt(least_span), high * math.sqrt(least_span)
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    fine = [m * 10.0**d for d in decades for m in (1, 2, 5) if low <= m * 10.0**d <= high]
    coarse = [tick for tick in fine if f"{tick:e}".startswith("1.0")]
    ticks = coarse if len(coarse) > 2 else fine
    return Axis(low, high, ticks[:: -(-len(ticks) // MOST_TICKS)], label, True)


def linear_axis(high: float, label: Formatter) -> Axis:
    """Return an axis from 0 to at least ``high``, marked in halves or thirds."""
    unit = 10.0 ** math.floor(math.log10(high))
    top = next(m * unit for m in (1, 1.5, 2, 3, 4, 6, 8, 10) if m * unit >= high * 0.999)
    return Axis(0, top, [0, top / 2, top], label)


def draw(title: str, x: Axis, y: Axis, lines: Sequence[Line]) -> str:
    """Return the plot; ``title`` tells those who cannot see it what it shows."""
    return "".join(
        [
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
            *_grid(x, y),
            *(_band(line, x, y) for line in lines if line.band),
            *(_path(line, x, y) for line in lines),
            "</svg>",
        ]
    )


def _at(x: Axis, y: Axis, point: Point) -> str:
    across = LEFT + x.place(point[0]) * (WIDTH - LEFT - RIGHT)
    down = HEIGHT - BOTTOM - y.place(point[1]) * (HEIGHT - TOP - BOTTOM)
    return f"{across:.1f} {down:.1f}"


def _grid(x: Axis, y: Axis) -> list[str]:
    marks = []
    for tick in y.ticks:
        down = float(_at(x, y, (x.low, tick)).split()[1])
        marks.append(f'<path class="grid" d="M{LEFT} {down}H{WIDTH - RIGHT}"/>')
        marks.append(
            f'<text x="{LEFT - 6}" y="{down + 3.5:.1f}" class="end">{escape(y.label(tick))}</text>'
        )
    bottom = HEIGHT - BOTTOM
    for place, tick in enumerate(x.ticks):
        across = float(_at(x, y, (tick, y.low)).split()[0])
        last = place == len(x.ticks) - 1 and across > WIDTH - RIGHT - 20
        anchor = "end" if last else "start" if across < LEFT + 12 else "middle"
        marks.append(f'<path class="grid" d="M{across} {bottom}v4"/>')
        marks.append(
            f'<text x="{across}" y="{HEIGHT - 7}" class="{anchor}">{escape(x.label(tick))}</text>'
        )
    return marks


def _path(line: Line, x: Axis, y: Axis) -> str:
    # A piece of one point is drawn as a dot: a line of no length with round ends.
    found = [
        "M" + "L".join(_at(x, y, point) for point in (piece if len(piece) > 1 else [*piece] * 2))
        for piece in line.pieces
        if piece
    ]
    return f'<path class="line {escape(line.name)}" d="{"".join(found)}"/>'


def _band(line: Line, x: Axis, y: Axis) -> str:
    found = []
    for piece in line.band:
        upper = [_at(x, y, (at, high)) for at, _, high in piece]
        lower = [_at(x, y, (at, low)) for at, low, _ in reversed(piece)]
        found.append("M" + "L".join([*upper, *lower]) + "Z")
    return f'<path class="band {escape(line.name)}" d="{"".join(found)}"/>'
