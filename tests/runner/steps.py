"""The steps of a run of tests: what each needs, and what it runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace

from tests.checkout import CACHE

RESULTS = CACHE / "test"  # of each layer: what it printed (log), its progress, JUnit's report
LAYERS = ("lint", "unit", "replica", "servers", "sites")
NOTHING_CHOSEN = 5  # pytest's exit status when -k fits no test of a layer
# Of a run of everything: a test that fails is run once more, and both results are told, but of no
# more than so many tests of a layer.
AGAIN = ("--reruns=1", "--max-suite-reruns=3", "--rerun-show-tracebacks")


@dataclass(frozen=True)
class Step:
    """A program that is run once those steps succeeded that it ``needs`` and ``after`` ended."""

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    tests: bool = False  # it is pytest


def pytest(layer: str, *arguments: str, start: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the command that tests a layer; ``start`` is what runs pytest in its place."""
    return (
        *(start or (PYTHON, "-m")), "pytest", *arguments,
        f"--junitxml={RESULTS / layer}.xml",
    )  # fmt: skip


PYTHON = sys.executable
# Runs what follows where the browser is.
BROWSER = (PYTHON, "-m", "tests.chromium", PYTHON, "-m")
TURN = (PYTHON, "-m", "tests.machine")
# Unit tests side by side, those of a file together; a step of its own reports what they cover.
WHOLE_UNIT = ("--numprocesses=2", "--dist=loadfile", "--cov", "--cov-report=", "--cov-fail-under=0")


def steps(chosen: set[str], arguments: list[str]) -> list[Step]:
    """Return the steps of the ``chosen`` layers; ``arguments`` are pytest's, for each of them.

    The first two leave the engine's work time; the others share the machine after them, and what
    they need is prepared meanwhile.
    """
    quick = ("lint", "unit", "coverage")
    replica = pytest("replica", "tests/replica", "tests/browser", "tests/sites", start=BROWSER)
    servers = pytest(
        "servers",
        "tests/servers",
        "--ignore=tests/servers/specs",
        "--numprocesses=2",
        "--no-loadscope-reorder",
        start=BROWSER,
    )
    unit = pytest("unit", "tests/unit", *(() if arguments else WHOLE_UNIT))
    sites = pytest("sites", "tests/sites")
    layers = [
        Step("lint", (*TURN, PYTHON, "-m", "tests.lint"), ("linters",)),
        Step("unit", unit, ("ansible",), tests=True),
        Step("replica", replica, ("packages", "chromium", "images"), quick, tests=True),
        Step("servers", servers, ("ansible", "chromium"), quick, tests=True),
        Step("sites", sites, ("packages", "engine"), quick, {"ALL_SITES": "1"}, tests=True),
    ]  # fmt: skip
    layers = [
        replace(step, command=(*step.command, *(arguments or AGAIN))) if step.tests else step
        for step in layers
    ]
    found = [step for step in layers if step.name in chosen]
    if "unit" in chosen and not arguments:
        found.append(Step("coverage", (PYTHON, "-m", "coverage", "report"), needs=("unit",)))
    prepare = [
        Step("packages", ("docker/venv.sh", "test")),
        Step("ansible", ("docker/venv.sh", "test", "servers"), ("packages",)),
        Step("linters", ("docker/venv.sh", "lint"), ("packages",)),
        Step("engine", (*TURN, PYTHON, "-m", "tandem", "replica", "engine"), ("packages",)),
        Step("chromium", (*TURN, PYTHON, "-m", "tests.chromium"), ("engine",)),
        Step("images", (*TURN, PYTHON, "-m", "tests.runner.images"), ("packages", "engine")),
    ]
    needed = {need for step in found for need in step.needs}
    needed |= {need for step in prepare if step.name in needed for need in step.needs}
    return [step for step in prepare if step.name in needed] + found
