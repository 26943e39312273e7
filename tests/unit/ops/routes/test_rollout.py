"""``tandem routes move --auto``: forward while it goes well, back by itself."""

from __future__ import annotations

import pytest

from tandem.ops.routes.arguments import parser
from tandem.ops.routes.rollout import Patience, climb
from tandem.ops.routes.verdict import Verdict

GOOD, WORSE, UNKNOWN = Verdict


class Road:
    """A time that passes only by sleeping, and verdicts that are given in turn."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = list(verdicts)
        self.applied: list[int] = []
        self.said: list[str] = []
        self.time = 0.0

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def climb(self, *shares: int, start: int = 0, longest: float = 1000) -> int:
        return climb(
            shares, start, self.applied.append, lambda since: self.verdicts.pop(0),
            Patience(100, longest), self.said.append, self.sleep, lambda: self.time,
        )  # fmt: skip


def test_steps_that_are_well_lead_to_the_top_which_is_not_judged():
    road = Road(GOOD, GOOD, GOOD)
    assert road.climb(1, 10, 50, 100) == 0
    assert road.applied == [1, 10, 50, 100]
    assert road.verdicts == []
    assert road.time == 300


def test_a_step_that_is_worse_is_taken_back():
    road = Road(GOOD, WORSE)
    assert road.climb(1, 10, 50, 100) == 1
    assert road.applied == [1, 10, 1]
    assert "10 % is worse than wsgi; back to 1 %" in road.said


def test_a_first_step_that_is_worse_leads_back_to_the_start():
    road = Road(WORSE)
    assert road.climb(20, 100, start=10) == 1
    assert road.applied == [20, 10]


def test_too_few_requests_are_waited_for():
    road = Road(UNKNOWN, UNKNOWN, GOOD)
    assert road.climb(10, 100) == 0
    assert road.time == 150


def test_the_wait_is_bounded_and_the_step_stays():
    road = Road(*[UNKNOWN] * 100)
    assert road.climb(1, 10, longest=500) == 2
    assert road.applied == [1]
    assert 500 <= road.time < 600


@pytest.mark.parametrize("word", ["10,1", "1,1", "1,101", "a", "", "1,,2"])
def test_steps_that_do_not_grow_are_refused(word: str):
    with pytest.raises(SystemExit):
        parser().parse_args(["move", "/a/", "--auto", word])


def test_steps_are_read_as_they_are_written():
    assert parser().parse_args(["move", "/a/", "--auto", "1, 10,100"]).auto == [1, 10, 100]
