"""A process of the site's own is asked until it works, or for as long as it may take."""

from __future__ import annotations

import pytest

from tandem.instance import checkup


def test_a_process_that_works_at_last_has_no_complaint(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    answers = iter([(1, "not yet"), (1, "not yet"), (0, "pong")])
    assert checkup.complaint(lambda: next(answers)) == ""


@pytest.mark.parametrize(
    ("status", "said", "complaint"),
    [(1, "first\n cannot hear \n\n", "cannot hear"), (3, "\n", "status 3")],
)
def test_a_process_that_does_not_work_in_time_is_told_by_its_last_words(
    monkeypatch: pytest.MonkeyPatch, status: int, said: str, complaint: str
):
    monkeypatch.setattr(checkup, "SECONDS", -1.0)
    assert checkup.complaint(lambda: (status, said)) == complaint
