"""The pytest plugin that notes what a layer does; ``notes.Layer`` reads it.

A test's process and the one that collects the results write to the same file, each whole lines.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.machine import HELD
from tests.runner.classes import REPEATED
from tests.runner.notes import NOTES

RERUN = "rerun"  # pytest-rerunfailures' outcome of a first run that does not count


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
        self.first: dict[str, str] = {}  # by test: why its first run failed, which is repeated

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that a test begins, perhaps for the second time."""
        self.running[nodeid] = {"outcome": "passed", "seconds": 0.0, "why": ""}
        _note(start=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what is reported of a test."""
        known = self.running[report.nodeid]
        known["seconds"] += report.duration
        if report.outcome in (RERUN, REPEATED):
            self.first.setdefault(report.nodeid, _why(report))
            if report.outcome == RERUN:  # it starts and finishes again
                known["outcome"] = RERUN
        elif report.outcome != "passed" and known["outcome"] != "failed":
            known["outcome"] = report.outcome
        if report.failed:
            known["why"] = known["why"] or _why(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note the result."""
        _note(end=nodeid, first=self.first.get(nodeid, ""), **self.running.pop(nodeid))


def _why(report: pytest.TestReport) -> str:
    """Return what failed, in a line: ``test_chat.py:12: AssertionError: assert 1 == 2``."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if not crash:
        return " ".join(str(report.longrepr).split())
    return f"{Path(crash.path).name}:{crash.lineno}: {crash.message.partition(chr(10))[0]}"
