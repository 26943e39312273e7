"""No test but one of pace asserts that something was fast (docs/testing.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.runner.clocks import offenders

TESTS = ROOT / "tests"
# `make bench`, `make soak` and the load generator measure; that is their work.
MEASURE = {TESTS / name for name in ("bench", "load", "runner", "soak")}
EXCEPTIONS = {
    # The homes of the one limit that tests have, HANG_SECONDS.
    "stack.py::wait_for",
    "patience.py::eventually",
    # Which of two moments came first; how soon does not matter.
    "replica/test_moves.py::seen_after",
    "replica/test_dependencies.py::test_a_restart_of_postgresql_is_waited_for_on_both_upstreams",
}

FAST = "    began = time.monotonic()\n    work()\n    assert time.monotonic() - began < 2\n"
CASES = {
    "elapsed": f"def test():\n{FAST}",
    "turned round": "def test():\n    began = time.time()\n    assert 2 >= time.time() - began\n",
    "of a list": "def test():\n    found = []\n    for _ in range(9):\n"
    "        found.append(time.perf_counter())\n    assert max(found) < 3\n",
    "by a function": "def took():\n    began = time.monotonic()\n    work()\n"
    "    return time.monotonic() - began\n\ndef test():\n    assert took() < 1\n",
    "by an attribute": "class Client:\n    def run(self):\n"
    "        self.outages.append(time.monotonic())\n\n"
    "def test(client):\n    assert max(client.outages) < 5\n",
    "by the event loop": "async def test():\n    began = asyncio.get_running_loop().time()\n"
    "    assert asyncio.get_running_loop().time() - began < 1\n",
    "asynchronous": f"async def test():\n{FAST}",
    "a deadline": "def test():\n    deadline = time.monotonic() + 9\n    while not done():\n"
    "        assert time.monotonic() < deadline\n",
}  # fmt: skip
INNOCENT = {
    "at least so long": "def test():\n    began = time.monotonic()\n"
    "    assert time.monotonic() - began >= 2\n",
    "of pace": f"@pytest.mark.pace\ndef test():\n{FAST}",
    "a file of pace": f"pytestmark = pytest.mark.pace\n\ndef test():\n{FAST}",
    "other figures": "def test():\n    began = time.time()\n    seen = logs(since=began)\n"
    "    assert len(other()) < 5\n",
}


def test_no_test_asserts_that_something_was_fast():
    found = {
        f"{file.relative_to(TESTS)}::{name}"
        for file in TESTS.rglob("*.py")
        if not MEASURE & set(file.parents)
        for name in offenders(file)
    }
    new, gone = found - EXCEPTIONS, EXCEPTIONS - found
    assert not new, f"mark these `pace`, or assert no seconds: {new}"
    assert not gone, f"these are no exceptions any more, take them off the list: {gone}"


@pytest.mark.parametrize("case", CASES)
def test_a_bound_on_seconds_is_found(tmp_path: Path, case: str):
    (tmp_path / "test_it.py").write_text(CASES[case])
    assert list(offenders(tmp_path / "test_it.py")) == ["test"]


@pytest.mark.parametrize("case", INNOCENT)
def test_what_no_busy_machine_can_break_is_not_found(tmp_path: Path, case: str):
    (tmp_path / "test_it.py").write_text(INNOCENT[case])
    assert list(offenders(tmp_path / "test_it.py")) == []
