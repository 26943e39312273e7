"""Start the traffic, do something to the site, and read what the users noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.load.drains import drains
from tests.load.site import Site
from tests.machine import HANG_SECONDS
from tests.stack import ROOT

DRAIN_SECONDS = 10.0  # SOCKET_DRAIN_SECONDS of the replica and of the servers


def during(
    event: Callable[[], Any], site: Site, rate: int = 100, sockets: int = 300
) -> dict[str, Any]:
    """Call ``event`` under load; return the report of ``tests.load.__main__``."""
    with subprocess.Popen(
        [
            sys.executable, "-m", "tests.load", site.host, site.address, str(site.port),
            ",".join([site.cookie, *site.crowd]), str(rate), str(sockets),
        ],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as load:  # fmt: skip
        try:
            assert load.stdin is not None
            assert load.stdout is not None
            ready = load.stdout.readline()
            assert ready == "ready\n", load.communicate()[1][-2000:]
            event()
            out, err = load.communicate("stop\n", timeout=3 * HANG_SECONDS)
        finally:
            load.kill()
    assert out, err[-2000:]
    return json.loads(out)


def nobody_noticed(report: dict[str, Any]) -> None:
    """Assert that no request failed and no message or POST was lost, doubled or missed."""
    assert report["failed"] == [], report
    assert report["lost"] == report["doubled"] == report["missed"] == [], report
    assert report["stuck"] == [], report
    assert report["refused"] == [], report


def sockets_moved_in_turn(report: dict[str, Any], log: str) -> None:
    """Assert that every socket was told (1012) in its turn, by the ``log`` of the instances.

    That all came back, ``nobody_noticed`` asserts; how soon depends on the machine, which
    serves and asks here: `make bench` measures it.
    """
    assert set(report["closes"]) == {"1012"}, report
    told = drains(log)
    assert sum(drain.count for drain in told) >= report["closes"]["1012"], (told, report)
    assert all(drain.was_even(DRAIN_SECONDS) for drain in told), told
