"""Servers for all tests of this layer: provisioned once, and booted from copies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.checkout import CACHE
from tests.servers import cleaning, provisioning, releases
from tests.servers.copies import Kept
from tests.servers.rehearsal import Rehearsal

# Files whose tests build on each other, or share servers; each other file is its own group.
GROUPS = {
    **dict.fromkeys(("provision", "repairs", "limits", "routes", "site"), "both"),
    **dict.fromkeys(("parity", "tls"), "tls"),
    **dict.fromkeys(("rolling", "broken", "cut_off", "trust", "walk"), "rolling"),
}
# The files in the order in which they begin: those that others wait for, then the longest.
ORDER = (
    "provision", "spread", "rolling", "broken", "cut_off", "trust", "walk", "adopted", "repairs",
    "limits", "routes", "site", "first_run", "parity", "tls", "beside",
)  # fmt: skip


def subject(nodeid: str) -> str:
    """Return what a test's file is about: ``tests/servers/test_tls.py::…`` → ``tls``."""
    return nodeid.partition("::")[0].rpartition("test_")[2].removesuffix(".py")


class ByServers(LoadScopeScheduling):
    """Gives tests of the same servers to one process, in order."""

    def _split_scope(self, nodeid: str) -> str:
        return GROUPS.get(subject(nodeid), subject(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByServers:
    """Divide the tests among the processes."""
    return ByServers(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of this layer in order; the specifications are a run of their own."""
    items.sort(key=lambda i: ORDER.index(subject(i.nodeid)) if subject(i.nodeid) in ORDER else -1)


def rules(config: pytest.Config) -> bool:
    """Tell whether this process begins and ends the run: no worker, and not for ``make verify``."""
    for_verify = getattr(config.option, "hosts", None)
    return not (hasattr(config, "workerinput") or config.option.collectonly or for_verify)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin with nothing of an earlier run of this checkout, which may have been killed."""
    if not rules(session.config):
        return
    CACHE.mkdir(exist_ok=True)
    session.config.the_only_run = (CACHE / "servers.lock").open("a")  # type: ignore[attr-defined]
    try:
        fcntl.flock(session.config.the_only_run, fcntl.LOCK_EX | fcntl.LOCK_NB)  # type: ignore[attr-defined]
    except BlockingIOError:
        pytest.exit("these tests run already in this checkout; wait until that run has ended.", 1)
    cleaning.remove_servers()


def pytest_keyboard_interrupt() -> None:
    """End what runs for the tests, before the test processes do: nobody would know it then."""
    cleaning.end_children()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave nothing but the copies; KEEP_SERVERS=1 leaves the servers."""
    if not rules(session.config) or not hasattr(session.config, "the_only_run"):
        return
    if not kept_running():
        cleaning.remove_servers()


def kept_running() -> bool:
    """Tell whether the servers are to be there after the run."""
    return os.environ.get("KEEP_SERVERS") == "1"


def until_done(rehearsal: Rehearsal) -> Iterator[Rehearsal]:
    """Give servers to the tests of a file, and remove them then: idle ones cost their share."""
    yield rehearsal
    if not kept_running():
        rehearsal.down()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that the processes of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def release() -> str:
    """Give the name of the release of this checkout, whose archives are there."""
    return releases.built()


@pytest.fixture(scope="session")
def following(release: str) -> str:
    """Give the name of the next release, of the same source."""
    return releases.following(release)


@pytest.fixture(scope="session")
def both(release: str, run: Path) -> Kept:
    """Give two servers, each of which is provisioned with a site of its own."""
    return Kept(Rehearsal("both.yml"), provisioning.in_full, run, also=release)


@pytest.fixture(scope="session")
def spread_out(release: str, run: Path) -> Kept:
    """Give four servers that are provisioned with one site."""
    return Kept(Rehearsal("spread.yml", "spread"), provisioning.twice, run, also=release)


@pytest.fixture(scope="session")
def servers(both: Kept) -> Rehearsal:
    """Boot both."""
    return both.boot()


@pytest.fixture(scope="session")
def single(both: Kept) -> Rehearsal:
    """Boot one of them once more, for what is done to a server while others use it."""
    return both.boot(Rehearsal("both.yml", "rolling", only="trixie"))


@pytest.fixture(scope="session")
def trixie(both: Kept) -> Rehearsal:
    """Boot one of them once more, whose certificate may change."""
    return both.boot(Rehearsal("both.yml", "tls", only="trixie"))
