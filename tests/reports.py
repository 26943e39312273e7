"""A failing test's report shows what the containers said meanwhile; conftest.py uses it."""

from __future__ import annotations

import time

import pytest

from tests.own import last_lines
from tests.stack import Stack

BEGAN = pytest.StashKey[float]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note when the test begins."""
    item.stash[BEGAN] = time.time()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Add the last lines of each container of the test's stack."""
    report = yield
    stacks = [s for s in getattr(item, "funcargs", {}).values() if isinstance(s, Stack)]
    if report.failed and stacks:
        said = last_lines(stacks[0], item.stash.get(BEGAN, 0.0))
        report.sections.append((f"the containers of {stacks[0].project}", said))
    return report
