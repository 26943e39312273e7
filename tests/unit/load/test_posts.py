"""The audit of POSTs: each that was acknowledged is there once, no other twice."""

from __future__ import annotations

import pytest

from tests.load import requests
from tests.load.requests import Requests
from tests.load.site import Site


@pytest.fixture
def kept(monkeypatch) -> list[str]:
    """Give what the site keeps, to be filled."""
    texts: list[str] = []

    async def history(site: Site, room: str) -> list[tuple[int, str]]:
        return list(enumerate(texts)) if room.endswith("-0") else []

    monkeypatch.setattr(requests, "history", history)
    return texts


def traffic(acknowledged: str, unsure: str = "") -> Requests:
    found = Requests(Site("localhost", "127.0.0.1", 443, ""), "run", 1)
    found.acknowledged = set(acknowledged)
    found.posted = set(acknowledged) | set(unsure)
    return found


@pytest.mark.parametrize("texts", ["ab", "abc", "bca"])
async def test_what_was_not_acknowledged_may_be_there_or_not(kept: list[str], texts: str):
    kept.extend(texts)
    assert await traffic("ab", "c").audit() == {"lost": [], "doubled": []}


async def test_an_acknowledged_post_that_is_not_there_is_lost(kept: list[str]):
    kept.append("a")
    assert (await traffic("ab").audit())["lost"] == ["b"]


@pytest.mark.parametrize("twice", ["a", "c"], ids=["acknowledged", "not acknowledged"])
async def test_a_post_that_is_there_twice_is_doubled(kept: list[str], twice: str):
    kept.extend(f"ab{twice}{twice}")
    assert (await traffic("ab", "c").audit())["doubled"] == [twice]


def test_no_two_requests_of_any_runs_post_the_same():
    runs = [Requests(Site("", "", 1, ""), name, 1) for name in ("one", "two")]
    assert len({run.text(n) for run in runs for n in range(100)}) == 200
    assert not {run.room(0) for run in runs[:1]} & {run.room(0) for run in runs[1:]}
