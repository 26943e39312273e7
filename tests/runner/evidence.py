"""The pytest plugin that shows, with a failure, what the containers or servers said meanwhile."""

from __future__ import annotations

import pytest

LINES = 40  # of each container or server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Ask each fixture that has ``said(since, lines)``, in Unix seconds, for its logs."""
    report = yield
    if report.failed:
        for name, fixture in getattr(item, "funcargs", {}).items():
            if hasattr(fixture, "said"):
                report.sections.append((f"what {name} said", fixture.said(call.start, LINES)))
    return report
