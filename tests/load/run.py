"""Start the traffic, do something to the site, and read what the users noticed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from tests.load.site import Site
from tests.stack import ROOT


def during(
    event: Callable[[], Any], site: Site, rate: int = 200, sockets: int = 500
) -> dict[str, Any]:
    """Call ``event`` under load; return the report of ``tests.load.__main__``."""
    with subprocess.Popen(
        [
            sys.executable, "-m", "tests.load", site.host, site.address, str(site.port),
            site.cookie, str(rate), str(sockets),
        ],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as load:  # fmt: skip
        try:
            assert load.stdin is not None
            assert load.stdout is not None
            ready = load.stdout.readline()
            assert ready == "ready\n", load.communicate()[1][-2000:]
            event()
            out, err = load.communicate("stop\n", timeout=200)
        finally:
            load.kill()
    assert out, err[-2000:]
    return json.loads(out)


def nobody_noticed(report: dict[str, Any]) -> None:
    """Assert that no request failed and no message was lost, doubled or missed."""
    assert report["failed"] == [], report
    assert report["lost"] == report["doubled"] == report["missed"] == [], report
    assert report["stuck"] == [], report
    assert report["refused"] == [], report


def sockets_moved_in_turn(report: dict[str, Any]) -> None:
    """Assert that every socket was told (1012), not all at once, and came back.

    How soon depends on the machine, which serves and asks here: `make bench` measures it.
    """
    assert set(report["closes"]) == {"1012"}, report
    assert report["slowest_return_s"] < 30, report
    # On average over half of them no more than a fifth a second; a single second may see more.
    assert report["half_closed_in_s"] >= 2.5, report
