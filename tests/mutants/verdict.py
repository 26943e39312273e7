"""pytest plugin: writes how each test ended, and by which exception, to ``$MUTANTS_VERDICT``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[Any]:
    """Note each phase: ``{"test", "when", "outcome", "error", "says"}``, one JSON object a line."""
    report = yield
    error = call.excinfo.type.__name__ if call.excinfo and report.failed else ""
    says = str(call.excinfo.value)[:300] if error else ""
    line = {"test": item.nodeid, "when": report.when, "outcome": report.outcome}
    with open(os.environ["MUTANTS_VERDICT"], "a") as file:
        file.write(json.dumps({**line, "error": error, "says": says}) + "\n")
    return report
