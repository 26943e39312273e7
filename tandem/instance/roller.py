"""Replace instances one after the other; where a successor does not work, take it back.

How an instance is stopped and started is its place's: containers of an engine, units of systemd.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol


class Place(Protocol):
    """Where instances run."""

    def version(self, name: str) -> str:
        """Return what an instance runs; nothing where there is nothing to go back to."""

    def end(self, name: str) -> None:
        """Have nobody sent to an instance any more, let it finish what it is at, and stop it."""

    def begin(self, name: str, version: str = "") -> str:
        """Start an instance, with the new version or an old one; return what is wrong with it."""

    def show(self, name: str) -> None:
        """Show the last lines of what an instance has logged."""


@dataclass
class Roller:
    """Rolls the instances of a place."""

    place: Place
    say: Callable[[str], None]

    def roll(self, names: Iterable[str]) -> str:
        """Replace each; return what is wrong with the first that does not work, or nothing."""
        for name in names:
            self.say(f"replacing {name}.")
            before = self.place.version(name)
            try:
                self.place.end(name)
                problem = self.place.begin(name)
            except BaseException:  # whoever interrupts this finds the site as it was
                self.place.begin(name, before)
                raise
            if problem:
                return self._back(name, before, problem)
        return ""

    def _back(self, name: str, before: str, problem: str) -> str:
        self.place.show(name)
        said = f"{name} {problem}; its last lines are above."
        if before and (again := self.place.begin(name, before)):
            return f"{said} Nor does the old release work: it {again}."
        if not before:
            return f"{said} There is no release to go back to."
        return f"{said} It runs the old release again, and those after it never left it."
