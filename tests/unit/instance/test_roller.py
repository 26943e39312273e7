"""In which order instances are replaced, and what becomes of one that does not work."""

from __future__ import annotations

import pytest

from tandem.instance.roller import Roller


class Noted:
    """A place that takes notes; the ``broken`` do not work as a new version."""

    def __init__(self, broken: str = "", gone: str = "", stops: type[BaseException] | None = None):
        self.broken, self.gone, self.stops = broken, gone, stops
        self.steps: list[str] = []

    def version(self, name: str) -> str:
        return "" if name == self.gone else "old"

    def end(self, name: str) -> None:
        self.steps.append(f"end {name}")
        if self.stops:
            raise self.stops

    def begin(self, name: str, version: str = "") -> str:
        self.steps.append(f"begin {name} {version or 'new'}")
        return "is broken" if self.broken == (f"{name} old" if version else name) else ""

    def show(self, name: str) -> None:
        self.steps.append(f"show {name}")


def rolled(place: Noted) -> tuple[str, list[str]]:
    """Return what went wrong with three instances, and what was said before."""
    said: list[str] = []
    return Roller(place, said.append).roll(["a-1", "a-2", "b-1"]), said


def test_each_is_replaced_before_the_next_is_stopped():
    place = Noted()
    problem, said = rolled(place)
    assert problem == ""
    names = ["a-1", "a-2", "b-1"]
    assert said == [f"replacing {name}." for name in names]
    assert place.steps == [f"{step}" for n in names for step in (f"end {n}", f"begin {n} new")]


def test_the_first_that_does_not_work_runs_the_old_one_again_and_the_others_stay():
    place = Noted(broken="a-2")
    problem, said = rolled(place)
    assert problem == (
        "a-2 is broken; its last lines are above. It runs the old release again, and those after"
        " it never left it."
    )
    assert said[-1] == "replacing a-2."
    assert place.steps[2:] == ["end a-2", "begin a-2 new", "show a-2", "begin a-2 old"]


def test_where_there_is_nothing_to_go_back_to_that_is_said():
    problem, _ = rolled(Noted(broken="a-1", gone="a-1"))
    assert "There is no release to go back to" in problem


@pytest.mark.parametrize("how", [KeyboardInterrupt, SystemExit])
def test_whoever_interrupts_it_finds_the_site_as_it_was(how: type[BaseException]):
    place = Noted(stops=how)
    with pytest.raises(how):
        rolled(place)
    assert place.steps == ["end a-1", "begin a-1 old"]
