"""One rehearsal for all tests of this layer: blank servers, provisioned once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.servers.rehearsal import Rehearsal
from tests.stack import ROOT


@pytest.fixture(scope="session")
def release() -> str:
    """Build the release archives for both Debians; return the release's name."""
    rehearsal = Rehearsal("both.yml")
    return rehearsal.run("make", "release").stdout.split("tandem-")[1].rpartition("-")[0]


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
    rehearsal = Rehearsal("hapless.yml", "tandem-test-hapless")
    rehearsal.down()
    rehearsal.up()
    yield rehearsal
    if os.environ.get("KEEP_SERVERS") != "1":
        rehearsal.down()


@pytest.fixture(scope="session")
def following(release: str) -> str:
    """Build the next release, for both Debians; return its name."""
    Rehearsal("both.yml").run("make", "release", "RELEASE=next")
    (ROOT / "dist/release").write_text(f"{release}\n")  # what is installed unless told otherwise
    return "next"
