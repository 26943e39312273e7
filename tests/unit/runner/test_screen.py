"""What a run prints while it goes on."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.runner import screen as module
from tests.runner.notes import Layer, spoken
from tests.runner.run import Durations, Run
from tests.runner.screen import Screen, total
from tests.runner.steps import Step

KILL = "tests/replica/test_chat.py::test_a_killed_worker_loses_no_message"


class Watched(Run):
    """A layer that is in the middle of its tests."""

    def __init__(self, folder) -> None:
        super().__init__(Step("replica", ("true",), tests=True))
        self.state, self.layer = "running", Layer(folder / "notes")

    def note(self, **what) -> None:
        with self.layer.file.open("a") as notes:
            notes.write(json.dumps(what) + "\n")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def run(tmp_path, clock) -> Watched:
    found = Watched(tmp_path)
    found.began = clock[0]
    return found


@pytest.fixture
def screen(run: Watched, tmp_path) -> Screen:
    durations = Durations(tmp_path / "durations.json")
    durations.known = {KILL: 12.3}
    return Screen([run], durations)


def test_a_line_says_what_is_done_and_how_long_that_usually_takes(run, screen, capsys):
    run.note(collected=120)
    run.note(start=KILL)
    screen.tick()
    said = capsys.readouterr().out
    assert said == "replica   [  0/120] chat: a killed worker loses no message (usually 12 s)\n"


def test_without_a_terminal_a_line_comes_at_least_every_half_minute(run, screen, capsys, clock):
    run.note(collected=120)
    run.note(start=KILL)
    lines = []
    for _ in range(120):
        screen.tick()
        lines.append(capsys.readouterr().out)
        clock[0] += 1
    spoken_at = [n for n, line in enumerate(lines) if line]
    assert max(b - a for a, b in itertools.pairwise(spoken_at)) <= 31
    assert len(spoken_at) <= 5
    assert "for 31 s now" in lines[31]


def test_a_note_that_is_half_written_is_read_when_it_is_whole(run):
    run.layer.file.write_text('{"collected": 5}\n{"start": "on')
    run.layer.read()
    assert run.layer.collected == 5
    with run.layer.file.open("a") as notes:
        notes.write('e"}\n')
    run.layer.read()
    assert list(run.layer.running) == ["one"]


def test_a_layer_that_breaks_off_counts_as_failed(run):
    run.note(collected=2)
    run.note(end="one", outcome="passed", seconds=1, why="")
    run.layer.read()
    run.state = "failed"
    assert total([run], run.failures) == "1 passed, 1 failed, 0 skipped"


def test_what_is_to_be_looked_at_comes_last(run, screen, capsys):
    """A record of a run often keeps its end alone."""
    run.note(end="t/test_a.py::test_red", outcome="failed", seconds=1, why="a.py:1: no", first="")
    run.note(end="t/test_a.py::test_luck", outcome="passed", seconds=2, why="", first="a.py:9: oh")
    run.note(end="t/test_a.py::test_fine", outcome="passed", seconds=3, why="", first="")
    run.layer.read()
    screen.table()
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == [
        "replica   once red a: luck: a.py:9: oh",
        "replica   FAILED   a: red: a.py:1: no",
    ]
    assert total([run], run.failures) == "2 passed, 1 failed, 0 skipped, 1 rerun"


@pytest.mark.parametrize(
    ("nodeid", "words"),
    [
        (KILL, "chat: a killed worker loses no message"),
        (
            "tests/unit/ops/report/test_gate.py::test_a_page[GET-test_it]",
            "gate: a page [GET-test_it]",
        ),
        ("tests/unit/ops/report/test_gate.py::TestAll::test_a_page", "gate: a page"),
    ],
)
def test_a_test_is_called_as_one_speaks(nodeid: str, words: str):
    assert spoken(nodeid) == words
