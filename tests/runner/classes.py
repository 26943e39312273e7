"""The pytest plugin of the classes of tests (docs/testing.md): who runs beside whom, and how often.

No mark: *correctness*, which knows no seconds but ``tests.machine.HANG_SECONDS``.
"""

from __future__ import annotations

import signal
from contextlib import ExitStack
from types import FrameType
from typing import Any

import pytest
from _pytest.runner import call_and_report

from tests.machine import HANG_SECONDS, turn
from tests.runner.stall import Watch

MARKS = {
    "order": "by ids and the server's own time stamps; no seconds of this side",
    "pace": "how fast, as a ratio to what this machine did a moment before; alone, and repeated "
    "once when the machine stalled",
    "alone": "nothing else is tested meanwhile on this machine",
}
REPEATED = "repeated"  # the outcome of a first run that does not count
MACHINE = "the machine"
_quiet = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks; have a SIGTERM tear the fixtures down as Ctrl-C does."""
    for mark, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{mark}: {meaning}")
    config.pluginmanager.register(Pace())
    config.stash[_quiet] = ExitStack()
    config.add_cleanup(config.stash[_quiet].close)
    signal.signal(signal.SIGTERM, _interrupt)
    if config.pluginmanager.has_plugin("dsession"):
        from xdist.workermanage import NodeManager

        NodeManager.EXIT_TIMEOUT = HANG_SECONDS  # the processes tear down, too


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _alone(item: pytest.Item | None) -> bool:
    return item is not None and any(map(item.get_closest_marker, ("alone", "pace")))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put those that want to be alone last: they wait once for the others to be done.

    Not where test processes share files: there the groups have an order of their own.
    """
    if not config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        items.sort(key=_alone)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None):
    """Give each test its turn, fixtures included, before its time begins to count."""
    quiet = item.config.stash[_quiet]
    if not _alone(item):
        with turn():
            return (yield)
    quiet.enter_context(turn(alone=True))
    try:
        return (yield)
    finally:
        if not _alone(nextitem):  # else it is kept: nobody's work has to end once more
            quiet.close()


class Pace:
    """Runs the tests of pace, again if the machine stalled.  Its hook comes after the turn."""

    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None):
        """Run the test; when it fails while the machine stalls, report that and run it again."""
        if not item.get_closest_marker("pace"):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = _attempt(item, nextitem, first=True) or _attempt(item, nextitem, first=False)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the first result of each test that was run again; the second is where all are."""
        if first := terminalreporter.stats.get(REPEATED):
            terminalreporter.section("run again, for the machine stalled")
            for report in first:
                terminalreporter.write_line(f"first run of {report.nodeid}")
                report.toterminal(terminalreporter._tw)
                terminalreporter.write_line(dict(report.sections)[MACHINE])

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Name the outcome of a first run."""
        return (REPEATED, "R", REPEATED.upper()) if report.outcome == REPEATED else None


def _attempt(item: Any, nextitem: pytest.Item | None, first: bool) -> list[pytest.TestReport]:
    """Run a test, as ``_pytest.runner.runtestprotocol`` does; return its reports.

    Return none when it is to be run again: its failure is then reported as ``REPEATED``.
    """
    if not item._request:
        item._initrequest()
    watch = Watch()
    reports = [call_and_report(item, "setup", log=False)]
    if reports[0].passed:
        reports.append(call_and_report(item, "call", log=False))
    stall, failure = watch.stop(), reports[-1]
    failure.sections.append((MACHINE, str(stall)))
    again = first and failure.failed and bool(stall)
    # What is not its own stays when it is run again.
    then = item.parent if again else nextitem
    reports.append(call_and_report(item, "teardown", log=False, nextitem=then))
    item._request, item.funcargs = False, None
    if not again:
        return reports
    failure.outcome = REPEATED
    item.ihook.pytest_runtest_logreport(report=failure)
    return []
