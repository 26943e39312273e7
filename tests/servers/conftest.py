"""One rehearsal for all tests of this layer: blank servers, provisioned once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.machine import once
from tests.servers.rehearsal import Rehearsal
from tests.stack import ROOT

# Files whose tests build on each other, or share servers; each other file is its own group.
GROUPS = {
    **dict.fromkeys(("first_run", "rolling"), "hapless"),
    **dict.fromkeys(("parity", "provision", "routes", "site", "tls"), "both"),
}


class ByServers(LoadScopeScheduling):
    """Gives tests of the same servers to one process, in order."""

    def _split_scope(self, nodeid: str) -> str:
        name = nodeid.partition("::")[0].rpartition("test_")[2].removesuffix(".py")
        return GROUPS.get(name, name)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByServers:
    """Divide the tests among the processes."""
    return ByServers(config, log)


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the archives of two releases, for both Debians, once for all test processes."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def build() -> list[str]:
        make = Rehearsal("both.yml").run
        name = make("make", "release").stdout.split("tandem-")[1].rpartition("-")[0]
        make("make", "release", "RELEASE=next")
        (ROOT / "dist/release").write_text(f"{name}\n")  # what is installed unless told otherwise
        return [name, "next"]

    return once(folder / "releases.json", build)


@pytest.fixture(scope="session")
def release(releases: list[str]) -> str:
    """Give the name of the release of this checkout."""
    return releases[0]


@pytest.fixture(scope="session")
def following(releases: list[str]) -> str:
    """Give the name of the next release."""
    return releases[1]


@pytest.fixture(scope="session")
def blank(release: str) -> Iterator[Rehearsal]:
    """Boot the blank servers; KEEP_SERVERS=1 leaves them."""
    rehearsal = Rehearsal("both.yml")
    rehearsal.down()
    rehearsal.up()
    yield rehearsal
    if os.environ.get("KEEP_SERVERS") != "1":
        rehearsal.down()


@pytest.fixture(scope="session")
def servers(blank: Rehearsal, record_testsuite_property) -> Rehearsal:
    """Provision them."""
    began = time.monotonic()
    blank.first_run = blank.provision()
    record_testsuite_property("blank to serving, two hosts, s", round(time.monotonic() - began))
    return blank


@pytest.fixture(scope="session")
def hapless(release: str) -> Iterator[Rehearsal]:
    """Boot a server of its own for what goes wrong; test_first_run.py provisions it."""
    rehearsal = Rehearsal("hapless.yml", "hapless")
    rehearsal.down()
    rehearsal.up()
    yield rehearsal
    if os.environ.get("KEEP_SERVERS") != "1":
        rehearsal.down()
