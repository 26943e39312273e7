"""What a soak asks of itself: the same seed, the same faults; a broken promise, a red run."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.soak.faults import Fault, faults
from tests.soak.report import Report, broken

ROLL, KILL = Fault("roll", True, print), Fault("kill", False, print)


def found(**more: Any) -> dict[str, Any]:
    """Return a report of the load in which nothing was noticed, but for ``more``."""
    nothing: dict[str, Any] = {
        "event_s": 1.0, "requests": 9, "failures": 0, "failed": [], "late": 0, "messages": 5,
        "posts": 1, "lost": [], "doubled": [], "missed": [], "stuck": [], "refused": [],
        "closes": {}, "slowest_return_s": 0.0,
    }  # fmt: skip
    return nothing | more


def order(seed: int) -> list[str]:
    """Return the names of two rounds of faults."""
    return [fault.name for fault in islice(faults(None, None, random.Random(seed)), 14)]


def test_a_seed_gives_the_same_faults_again_and_another_seed_others():
    assert order(7) == order(7)
    assert order(7) != order(8)


def test_each_kind_of_fault_comes_once_a_round():
    for names in (order(7)[:7], order(7)[7:]):
        assert sorted(name.split()[0] for name in names) == [
            "kill", "move", "pause", "reload", "restart", "restart", "roll",
        ]  # fmt: skip


def test_nothing_noticed_is_nothing_broken():
    assert broken(ROLL, found(), {"open": 10}, 10) == []


@pytest.mark.parametrize("what", ["lost", "doubled", "missed", "stuck"])
@pytest.mark.parametrize("fault", [ROLL, KILL])
def test_no_fault_may_cost_a_message_or_a_socket(fault: Fault, what: str):
    assert len(broken(fault, found(**{what: ["x"]}), {"open": 10}, 10)) == 1


def test_held_sockets_come_back():
    assert "1 of the 10" in broken(KILL, found(), {"open": 9}, 10)[0]


def test_requests_may_fail_where_something_is_killed_and_not_where_it_is_rolled():
    failed = found(failures=2, failed=["GET /: 502", "GET /: 502"])
    assert broken(KILL, failed, {"open": 10}, 10) == []
    assert "2 requests failed" in broken(ROLL, failed, {"open": 10}, 10)[0]
    refused = found(refused=[["InvalidStatus: 503", 3]])
    assert "503" in broken(ROLL, refused, {"open": 10}, 10)[0]


def test_what_a_busy_machine_answers_late_breaks_nothing():
    late = found(
        failures=1, late=1, failed=["GET /: TimeoutError "], refused=[["TimeoutError: x", 1]]
    )
    assert broken(ROLL, late, {"open": 10}, 10) == []


def test_a_broken_promise_makes_the_run_red_and_is_in_the_file(tmp_path: Path, capsys):
    report = Report(tmp_path / "r.json", 7, 10)
    report.fault("roll", found(), {}, [])
    report.memory({"asgi-1": 2048})
    report.memory({"asgi-1": 4096})
    assert report.end() == 0
    report.fault("kill", found(lost=["x"]), {"1012": 3}, ["1 messages were lost: ['x']"])
    assert report.end() == 1
    assert "BROKEN kill: 1 messages were lost" in capsys.readouterr().out
    assert '"last": 4096' in (tmp_path / "r.json").read_text()
