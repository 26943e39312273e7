"""Figures over time in bounded memory: the steps get longer as the time that they cover does."""

from __future__ import annotations

from dataclasses import dataclass, field

from tandem.ops.report.quantiles import Sketch

SHORTEST_STEP_SECONDS = 10
MOST_STEPS = 120


@dataclass(slots=True)
class Step:
    """What happened in one step."""

    requests: int = 0
    errors: int = 0
    times: Sketch = field(default_factory=Sketch)


@dataclass
class Scale:
    """The length of a step, which all timelines of a report share."""

    seconds: int = SHORTEST_STEP_SECONDS
    timelines: list[Timeline] = field(default_factory=list)
    first: int | None = None  # the numbers of the first and last step, at this length
    last: int = 0

    def step_of(self, time: float) -> int:
        """Return the number of the step at ``time``, after making room for it."""
        number = int(time // self.seconds)
        if self.first is None:
            self.first = self.last = number
        elif not self.first <= number <= self.last:
            self.first, self.last = min(self.first, number), max(self.last, number)
            while self.last - self.first >= MOST_STEPS:
                self.seconds *= 2
                self.first //= 2
                self.last //= 2
                number //= 2
                for timeline in self.timelines:
                    timeline.halve()
        return number


class Timeline:
    """The steps of one row of a report; steps in which nothing happened are left out."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        self.steps: dict[int, Step] = {}
        scale.timelines.append(self)

    def at(self, time: float) -> Step:
        """Return the step of ``time``, in seconds since the epoch."""
        number = self.scale.step_of(time)
        step = self.steps.get(number)
        if step is None:
            step = self.steps[number] = Step()
        return step

    def halve(self) -> None:
        """Make one step of every two."""
        merged: dict[int, Step] = {}
        for number, step in self.steps.items():
            into = merged.get(number // 2)
            if into is None:
                merged[number // 2] = step
            else:
                into.requests += step.requests
                into.errors += step.errors
                into.times.merge(step.times)
        self.steps = merged
