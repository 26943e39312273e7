"""Deploys, rollbacks and upgrades of a server while users are at it.

The load is up to 100 requests/s and 300 chat sockets whose clients number their messages.
"""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from tests.load.run import during, nobody_noticed, sockets_moved_in_turn
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal
from tests.stack import wait_for

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)
HOST = "trixie"
REINSTALL = (
    "apt-get update -qq && DEBIAN_FRONTEND=noninteractive"
    " apt-get install -qq --reinstall nginx nginx-common"
)


def workers(server: Rehearsal) -> set[str]:
    """Return the process ids of nginx' workers."""
    return set(server.execute(HOST, "pgrep -f 'nginx: worker'").split())


@pytest.fixture(scope="module")
def moves(single: Rehearsal, release: str, following: str) -> dict[str, Any]:
    """Deploy and roll back under one load; give what ran after each, and the load's report."""
    found: dict[str, Any] = {}

    def event() -> None:
        single.play("deploy.yml", "-e", f"release={following}")
        found["deployed"] = single.instances(HOST)
        single.play("rollback.yml")
        found["rolled back"] = single.instances(HOST)

    began = time.time()
    found["report"] = during(event, single.site(HOST))
    found["said"] = single.journal(HOST, "asgi@*", began)
    return found


@pytest.mark.alone
def test_a_deploy_and_a_rollback_move_every_instance(
    moves: dict[str, Any], release: str, following: str
):
    assert set(moves["deployed"].values()) == {following}
    assert set(moves["rolled back"].values()) == {release}


@pytest.mark.alone
def test_a_deploy_and_a_rollback_are_noticed_by_nobody(moves: dict[str, Any]):
    nobody_noticed(moves["report"])
    sockets_moved_in_turn(moves["report"], moves["said"])
    assert sum(moves["report"]["closes"].values()) >= 2 * moves["report"]["sockets"]


@pytest.fixture(scope="module")
def new_nginx(single: Rehearsal) -> dict[str, Any]:
    """Reload nginx, then install it anew, under one load, until the old workers have ended."""

    def event() -> None:
        for change in ("systemctl reload nginx", REINSTALL):
            old = workers(single)
            single.execute(HOST, change)
            wait_for(lambda old=old: not old & workers(single), every=1)

    began = time.time()
    report = during(event, single.site(HOST))
    return {**report, "said": single.journal(HOST, "asgi@*", began)}


@pytest.mark.alone
def test_a_new_nginx_is_noticed_by_nobody_and_its_old_workers_end(new_nginx: dict[str, Any]):
    nobody_noticed(new_nginx)
    sockets_moved_in_turn(new_nginx, new_nginx["said"])
    assert sum(new_nginx["closes"].values()) == 2 * new_nginx["sockets"]


@pytest.mark.alone
def test_a_killed_process_costs_only_what_it_was_at(single: Rehearsal):
    """`kill -9` of each process in turn, as the machine's memory killer does it."""
    # A unit's main process, or a child of that.
    killed = ("wsgi@1", "wsgi@2 child", "asgi@2", "nginx", "nginx child")

    def pids(unit: str, child: str) -> list[str]:
        main = single.execute(HOST, f"systemctl show -P MainPID {unit}.service")
        return single.execute(HOST, f"pgrep -P {main}", check=False).split() if child else [main]

    def event() -> None:
        for what in killed:
            unit, _, child = what.partition(" ")
            before = pids(unit, child)
            single.execute(HOST, f"kill -9 {before[0]}")

            def back(unit=unit, child=child, before=before) -> bool:
                now = pids(unit, child)
                active = single.execute(HOST, f"systemctl is-active {unit}", check=False)
                return (
                    active == "active"
                    and len(now) == len(before)
                    and now[0] not in {"0", before[0]}
                )

            wait_for(back)

    report = during(event, single.site(HOST))
    assert report["lost"] == report["doubled"] == report["missed"] == [], report
    assert report["stuck"] == [], report
    # In flight on the killed processes, and none that was merely refused: as many as come in
    # the time that one took, while this machine was as busy as it was.
    in_flight = report["rate"] * report["during_ms"]["p99"] / 1000
    assert report["failures"] <= len(killed) * (in_flight + 1), report
    for failure in report["failed"]:
        assert failure.startswith("POST") or re.search(
            "Incomplete|Reset|BrokenPipe|SSL", failure
        ), report
