"""Plants faults in a copy of the checkout and runs the tests that must find them there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.checkout import ROOT
from tests.mutants.faults import LINT, Fault
from tests.stack import copy_of_checkout

# One test, hung or not; a warm replica needs a minute to take a change.
LIMIT_SECONDS = {"lint": 300, "unit": 300, "replica": 1200, "servers": 3600}
# What a test says when a promise is broken: assert, pytest.raises that saw nothing, pytest.fail.
ASSERTIONS = ("AssertionError", "Failed")


@dataclass
class Outcome:
    """What became of a fault: ``killed``, ``survived``, or ``error`` and why."""

    state: str
    says: str
    seconds: float


class Copy:
    """A copy of the checkout, to break."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def make(cls, folder: Path) -> Copy:
        """Copy the checkout to ``folder``; what the product keeps there in ``.cache`` stays."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name in (".cache", ".venv"):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        with copy_of_checkout(folder):
            if not (folder / ".venv").exists():
                (folder / ".venv").symlink_to(ROOT / ".venv")
            # Some tests and linters ask git which files there are.
            for command in (["init", "--quiet"], ["add", "--all"]):
                subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
        return cls(folder)

    @contextmanager
    def with_fault(self, fault: Fault) -> Iterator[None]:
        """Have the fault in the copy."""
        file = self.folder / fault.file
        sound = file.read_text()
        file.write_text(fault.planted(sound))
        try:
            yield
        finally:
            file.write_text(sound)

    def lint(self, test: str) -> tuple[str, str]:
        """Run a linter; return how it ended, and the end of what it said."""
        status, said = self._command(test.removeprefix(LINT).split(), LIMIT_SECONDS["lint"])
        return {0: "passed", None: "hung"}.get(status, "failed"), said

    def pytest(
        self, tests: Iterable[str], seconds: float, all_of_them: bool = False
    ) -> list[dict[str, str]]:
        """Run tests, to the first failure; return what ``verdict`` noted of each phase."""
        noted = self.folder / ".cache/verdict"
        noted.parent.mkdir(exist_ok=True)
        noted.unlink(missing_ok=True)
        plugin = ["-p", "tests.mutants.verdict", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", "--quiet", *plugin]
        command += [] if all_of_them else ["--exitfirst"]
        status, said = self._command([*command, *tests], seconds, MUTANTS_VERDICT=str(noted))
        lines = noted.read_text().splitlines() if noted.exists() else []
        found = [json.loads(line) for line in lines]
        if status is None:
            found.append(
                {"test": "", "when": "hung", "outcome": "failed", "error": "", "says": said}
            )
        elif not found:
            found.append(
                {"test": "", "when": "start", "outcome": "failed", "error": "", "says": said}
            )
        return found

    def clean(self) -> None:
        """Remove the containers, networks, volumes and images of tests in the copy."""
        self._command([sys.executable, "-m", "tests.runner.sweep"], LIMIT_SECONDS["replica"])

    def _command(self, command: list[str], seconds: float, **more: str) -> tuple[int | None, str]:
        """Run a command; return its status, ``None`` if it had to be ended, and its last words."""
        # Not a byte of compiled code: a fault may be written within its file's second.
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "KEEP_STACK": "1", **more}
        # Of many faults it is the sign that what is waited for never comes.
        env["HANG_SECONDS"] = "60"
        env["PYTHONPATH"] = str(self.folder)
        env["PATH"] = f"{ROOT / '.venv/bin'}:{env['PATH']}"
        env.pop("PYTEST_ADDOPTS", None)
        env.pop("PYTEST_CURRENT_TEST", None)
        process = subprocess.Popen(
            command, cwd=self.folder, env=env, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return None, f"ended after {seconds} s. {said[-500:]}"
        return process.returncode, said[-500:].strip()


def green(copy: Copy, faults: Iterable[Fault]) -> dict[str, str]:
    """Run the named tests without a fault; return those that do not pass, and what they say."""
    red = {}
    for layer in {fault.layer for fault in faults}:
        tests = sorted({fault.test for fault in faults if fault.layer == layer})
        if layer == "lint":
            ended = {test: copy.lint(test) for test in tests}
            red |= {test: said for test, (outcome, said) in ended.items() if outcome != "passed"}
        else:
            red |= _red(copy, tests, LIMIT_SECONDS[layer])
    return red


def _red(copy: Copy, tests: list[str], seconds: float) -> dict[str, str]:
    """As ``green``, for pytest's: all in one run, which one that is not there would end."""
    noted = copy.pytest(tests, len(tests) * seconds, all_of_them=True)
    if noted[-1]["when"] == "start" and len(tests) > 1:
        return {t: said for test in tests for t, said in _red(copy, [test], seconds).items()}
    red = {}
    for test in tests:
        own = [n for n in noted if n["test"].partition("[")[0] == test.partition("[")[0]]
        failed = [n["says"] or n["error"] for n in own if n["outcome"] == "failed"]
        if not any(n["when"] == "call" for n in own):
            failed.append(noted[-1]["says"] or "it did not run")
        if failed:
            red[test] = failed[0]
    return red


def plant(copy: Copy, fault: Fault) -> Outcome:
    """Plant one fault and tell what its test makes of it."""
    began = time.monotonic()
    with copy.with_fault(fault):
        if fault.layer == "lint":
            outcome, says = copy.lint(fault.test)
            state = {"passed": "survived", "failed": "killed"}.get(outcome, "error")
        else:
            state, says = judged(fault, copy.pytest([fault.test], LIMIT_SECONDS[fault.layer]))
    return Outcome(state, says, round(time.monotonic() - began, 1))


def judged(fault: Fault, noted: list[dict[str, str]]) -> tuple[str, str]:
    """Return ``killed``, ``survived`` or ``error`` of what the test's phases were, and why.

    Only an assertion kills, or what the entry says in ``ends``: a test that cannot be
    collected or started says nothing about a promise.
    """
    failed = [note for note in noted if note["outcome"] == "failed"]
    for note in failed:
        hung = note["error"] == "Failed" and note["says"].startswith("Timeout (>")  # pytest-timeout
        if hung and "hung" not in fault.ends:
            continue
        if note["when"] == "call" and note["error"] in (*ASSERTIONS, *fault.ends):
            return "killed", note["says"]
        if note["when"] in fault.ends:  # setup, hung
            return "killed", note["says"]
    if failed:
        note = failed[0]
        return "error", f"{note['when']}: {note['error']} {note['says']}"
    if not any(note["when"] == "call" for note in noted):
        return "error", "it was skipped"
    return "survived", ""


def as_json(outcome: Outcome) -> dict[str, object]:
    """Return an outcome for the file of results."""
    return asdict(outcome)
