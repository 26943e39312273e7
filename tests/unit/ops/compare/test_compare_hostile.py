"""``tandem compare`` on patterns and pages that were made to take for ever."""

from __future__ import annotations

import re

import pytest

from tandem.ops.bounded.work import cpu
from tandem.ops.compare import replay
from tandem.ops.compare.client import Answer
from tandem.ops.compare.difference import Outcome
from tandem.ops.compare.normalise import normalise
from tandem.ops.compare.replay import Replay
from tandem.ops.compare.rules import Rules, RulesError
from tandem.ops.compare.sources import Chosen, Request

HTML = (("content-type", "text/html"),)
PAGES = {
    "csrf": "csrf" * 20_000,
    "csrf spaces": ("csrf" + " " * 1000) * 80,
    "inputs": '<input name="csrf ' * 5_000,
    "one input": "<input " + "value=x " * 10_000,
    "one named": "<input " + "name=csrf " * 8_000,
    "nonces": 'nonce="' * 10_000,
    "quotes": "csrf='" * 13_000,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_80_kb_is_made_equal_in_time_that_grows_with_it(name: str):
    with cpu(5):  # it was 13 s and more, and four times that at twice the size
        normalise(Answer(200, HTML, PAGES[name].encode()), Rules())


def judged(monkeypatch, pattern: str, body: bytes):
    monkeypatch.setattr(replay, "CPU_SECONDS", 0.5)
    made = Replay(None, None, Rules().extended(ignore_patterns=[pattern]))  # type: ignore[arg-type]
    answers = {side: [Answer(200, HTML, body)] for side in ("wsgi", "asgi")}
    return made._judged(Request("GET", "/"), answers, Chosen(iter([])))


def test_a_pattern_that_never_ends_leaves_an_address_undecided(monkeypatch):
    found = judged(monkeypatch, r"(a+)+$", b"a" * 100 + b"b")
    assert found.verdict is Outcome.UNDECIDED
    assert found.reason == (
        "the answers cannot be compared: it took more than 0.5 s of the processor"
    )
    assert judged(monkeypatch, r"a+", b"a" * 100 + b"b").verdict is Outcome.SAME


@pytest.mark.parametrize("pattern", ["(" * 5000, "a{99999999999999999999}", "(?P<a", "\\"])
def test_a_pattern_that_is_none_is_told(pattern: str):
    with pytest.raises(RulesError, match="is no regular expression"):
        Rules().extended(ignore_patterns=[pattern])
    with pytest.raises((re.error, OverflowError, RecursionError)):
        re.compile(pattern)
