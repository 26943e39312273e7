"""The steps: what comes before what, and what is left of one that ended or was ended."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.patience import eventually
from tests.runner import run as module
from tests.runner.run import Durations, Run
from tests.runner.steps import Step, steps


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the folder that steps write to."""
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    return tmp_path


@pytest.fixture
def run_all(results: Path) -> Callable[..., dict[str, Run]]:
    """Give a function that runs steps to their end."""

    def run(*chosen: Step) -> dict[str, Run]:
        async def go() -> dict[str, Run]:
            runs = {step.name: Run(step) for step in chosen}
            await asyncio.gather(*(each.run(runs) for each in runs.values()))
            return runs

        return asyncio.run(go())

    return run


def shell(name: str, script: str, **options) -> Step:
    return Step(name, ("bash", "-c", script), **options)


def test_a_red_layer_hides_no_other(run_all):
    runs = run_all(shell("unit", "exit 1"), shell("replica", "true", after=("unit",)))
    assert [run.state for run in runs.values()] == ["failed", "passed"]
    assert [run.failures for run in runs.values()] == [1, 0]


def test_what_needs_a_step_that_failed_is_not_run_and_counts_as_failed(run_all, results: Path):
    runs = run_all(
        shell("replica", f"touch {results}/ran", needs=("engine",)), shell("engine", "exit 1")
    )
    assert runs["replica"].state == "not run"
    assert runs["replica"].failures == 1
    assert not (results / "ran").exists()


def test_steps_without_a_need_run_side_by_side(run_all, results: Path):
    """Each waits for a file that the other writes."""
    meet = "touch {0}/{1}; until [ -e {0}/{2} ]; do sleep 0.01; done"
    runs = run_all(
        shell("lint", meet.format(results, "a", "b")), shell("unit", meet.format(results, "b", "a"))
    )
    assert {run.state for run in runs.values()} == {"passed"}


def test_no_test_chosen_is_no_failure_of_a_layer_but_of_anything_else(run_all):
    runs = run_all(shell("unit", "exit 5", tests=True), shell("lint", "exit 5"))
    assert [run.state for run in runs.values()] == ["passed", "failed"]


async def test_an_interrupted_step_tears_down_and_leaves_no_process(results: Path):
    child = f"trap 'touch {results}/down; exit 1' TERM; sleep 600 & echo $! >{results}/pid; wait"
    run = Run(shell("replica", child))
    task = asyncio.create_task(run.run({}))
    pid = await pid_in(results / "pid")
    await run.end()
    await task
    assert (results / "down").exists()
    await eventually(lambda: ended(pid))


async def test_a_step_that_ends_leaves_no_process(results: Path):
    run = Run(shell("unit", f"sleep 600 & echo $! >{results}/pid"))
    await run.run({})
    assert run.state == "passed"
    pid = await pid_in(results / "pid")
    await eventually(lambda: ended(pid))


async def pid_in(file: Path) -> int:
    """Wait until a process has written its number."""
    await eventually(lambda: text(file))
    return int(text(file))


def text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def ended(pid: int) -> bool:
    """Tell whether a process has ended, be it that nobody has waited for it yet."""
    return text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] in ([], ["Z"], ["X"])


def test_the_result_of_each_test_is_counted_as_it_happens(run_all, results: Path, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 1 == 2\n"
        "@pytest.fixture\n"
        "def broken(): raise OSError('no server')\n"
        "def test_of_a_broken_fixture(broken): pass\n"
        "@pytest.mark.skip\n"
        "def test_left_out(): pass\n"
    )
    command = (sys.executable, "-m", "pytest", "-p", "tests.runner.progress", "-p", "no:django",
               "-p", "no:asyncio", "-n2", str(tmp_path))  # fmt: skip
    run = run_all(Step("unit", ("env", "-u", "TANDEM_TURN", *command), tests=True))["unit"]
    failed = run.layer.read()
    assert [Path(test).name for test in sorted(failed)] == [
        "test_it.py::test_bad",
        "test_it.py::test_of_a_broken_fixture",
    ]
    assert [run.layer.count(what) for what in ("passed", "failed", "skipped")] == [1, 2, 1]
    assert run.layer.collected == 4
    assert run.failures == 2
    assert {result["why"] for result in run.layer.ended.values()} == {
        "", "test_it.py:3: assert 1 == 2", "test_it.py:5: OSError: no server",
    }  # fmt: skip


def test_what_failed_keeps_the_duration_of_when_it_passed(run_all, results: Path):
    durations = Durations(results / "durations.json")
    durations.known = {"unit": 100.0}
    durations.keep(list(run_all(shell("unit", "exit 1")).values()), whole=True)
    assert Durations(results / "durations.json").known == {"unit": 100.0}
    durations.keep(list(run_all(shell("unit", "true")).values()), whole=True)
    assert Durations(results / "durations.json").known["unit"] < 100


def names(*layers: str, arguments: tuple[str, ...] = ()) -> list[str]:
    return [step.name for step in steps(set(layers), list(arguments))]


def test_a_layer_brings_the_steps_that_it_needs_before_it():
    assert names("unit") == ["packages", "ansible", "unit", "coverage"]
    assert names("unit", arguments=("-k", "chat")) == ["packages", "ansible", "unit"]
    assert names("servers") == ["packages", "ansible", "engine", "chromium", "servers"]
    every = steps({"lint", "unit", "replica", "servers", "sites"}, [])
    for place, step in enumerate(every):
        assert set(step.needs) <= {before.name for before in every[:place]}, step


def test_each_layer_gets_the_arguments_of_pytest():
    for step in steps({"lint", "unit", "replica", "servers"}, ["-k", "chat"]):
        assert ("chat" in step.command) is step.tests
