"""The pytest plugin that notes what a layer does; ``notes.Layer`` reads it.

A test's process and the one that collects the results write to the same file, each whole lines.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from tests.machine import HELD
from tests.runner.notes import NOTES


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
