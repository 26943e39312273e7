"""The pytest plugin that notes, line by line in JSON, what a layer does; ``Layer`` reads it.

A test's process and the one that collects the results write to the same file, each whole lines.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.machine import HELD

NOTES = "TANDEM_TEST_NOTES"  # the file


def _note(**what: Any) -> None:
    with open(os.environ[NOTES], "a") as notes:
        notes.write(json.dumps(what) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Take notes, unless this is a run within a test."""
    if NOTES in os.environ and HELD not in os.environ:
        config.pluginmanager.register(Collection())
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(Results())


class Collection:
    """Notes how many tests there are."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note it."""
        if session.items:
            _note(collected=len(session.items))


class Results:
    """Notes when tests begin and end; it is where the results of all processes come."""

    def __init__(self) -> None:
        self.running: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a test begins."""
        self.running[nodeid] = {"outcome": "passed", "seconds": 0.0, "why": ""}
        _note(start=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what is reported of a test."""
        known = self.running[report.nodeid]
        known["seconds"] += report.duration
        if report.outcome != "passed" and known["outcome"] != "failed":
            known["outcome"] = report.outcome
        if report.failed and hasattr(report.longrepr, "reprcrash") and report.longrepr.reprcrash:
            known["why"] = report.longrepr.reprcrash.message.partition("\n")[0]

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note the result."""
        _note(end=nodeid, **self.running.pop(nodeid))


@dataclass
class Layer:
    """What the notes of a layer say so far."""

    file: Path
    collected: int = 0
    running: dict[str, None] = field(default_factory=dict)  # in the order of their start
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    _read: int = 0

    def read(self) -> list[str]:
        """Take in what was noted since; return the tests that failed meanwhile."""
        if not self.file.exists():
            return []
        with self.file.open() as notes:
            notes.seek(self._read)
            text = notes.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole.encode())
        failed = []
        for note in map(json.loads, whole.splitlines()):
            self.collected = note.get("collected", self.collected)
            if "start" in note:
                self.running[note["start"]] = None
            if "end" in note:
                test = note.pop("end")
                self.running.pop(test, None)
                self.ended[test] = note
                failed += [test] if note["outcome"] == "failed" else []
        return failed

    def count(self, outcome: str) -> int:
        """Return how many tests passed, failed or skipped."""
        return sum(result["outcome"] == outcome for result in self.ended.values())


def spoken(nodeid: str) -> str:
    """Say a test's name: ``…/test_chat.py::test_a_killed_worker[asgi]`` → ``chat: a killed …``."""
    file, _, test = nodeid.partition("::")
    name, bracket, parameters = test.rpartition("::")[2].partition("[")
    words = re.sub("^test ", "", name.replace("_", " ")) + (bracket and " [") + parameters
    return f"{Path(file).stem.removeprefix('test_')}: {words}"
