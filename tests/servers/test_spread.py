"""One site on four servers, of two Debians."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.load.run import during, nobody_noticed
from tests.load.site import Site
from tests.servers.rehearsal import Rehearsal, changes, recap

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def spread(release: str) -> Iterator[Rehearsal]:
    """Boot and provision the servers."""
    rehearsal = Rehearsal("spread.yml", "spread")
    rehearsal.down()
    rehearsal.up()
    rehearsal.first_run = rehearsal.provision()
    yield rehearsal
    rehearsal.down()


def test_one_run_makes_four_blank_servers_serve(spread: Rehearsal):
    assert all(host["failed"] == 0 for host in recap(spread.first_run).values())
    assert "WSGI 2 × 2 instances" in " ".join(spread.first_run.split())


def test_every_specification_holds(spread: Rehearsal):
    assert " passed" in spread.run("make", "verify", "ARGS=-q").stdout


def test_a_second_run_changes_nothing(spread: Rehearsal):
    assert changes(spread.provision()) == []


def test_all_application_servers_share_the_generated_secrets(spread: Rehearsal):
    sums = {
        spread.execute(host, "cd /etc/tandem/credentials && sha256sum *")
        for host in ("app1", "app2")
    }
    assert len(sums) == 1
    assert "redis_password" in spread.execute("data1", "ls /etc/tandem/credentials")
    assert "secret_key" not in spread.execute("data1", "ls /etc/tandem/credentials")


@pytest.mark.alone
async def test_a_message_crosses_from_one_server_to_the_other(spread: Rehearsal):
    """Also one that is posted by a WSGI process, wherever that runs."""
    cookie = spread.site("app1").cookie
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE

    async def enter() -> ClientConnection:
        return await connect(
            "wss://spread.test/ws/chat/spread/?after=0", ssl=tls, origin="https://spread.test",
            host=spread.address("edge1"), additional_headers={"Cookie": cookie},
        )  # fmt: skip

    sockets = [await enter() for _ in range(8)]
    held = {}
    for socket in sockets:
        assert socket.response is not None
        held[socket.response.headers["X-Upstream"]] = socket
    assert set(held) == {f"{app}/asgi@{n}" for app in ("app1", "app2") for n in (1, 2)}
    await held["app1/asgi@1"].send(json.dumps({"message": "across"}))
    began = time.monotonic()
    async with asyncio.timeout(10):
        while "message" not in (frame := json.loads(await held["app2/asgi@2"].recv())):
            pass
    assert frame["message"] == "across"
    assert time.monotonic() - began < 1.5  # by Redis; the sweep comes every two seconds
    for socket in sockets:
        await socket.close()


def test_strangers_reach_neither_the_instances_nor_the_data(spread: Rehearsal):
    """From the edge only the instances can be reached, from app1 only the data."""
    open_ = "timeout 1 bash -c 'exec 3<>/dev/tcp/%s/%s' 2>/dev/null && echo open || echo shut"
    app1, data1 = spread.address("app1"), spread.address("data1")
    assert spread.execute("edge1", open_ % (app1, 8101)) == "open"
    assert spread.execute("app2", open_ % (app1, 8101)) == "shut"
    for port in (5432, 6379):
        assert spread.execute("app1", open_ % (data1, port)) == "open"
        assert spread.execute("edge1", open_ % (data1, port)) == "shut"


def test_a_lost_application_server_is_passed_over(spread: Rehearsal):
    cut = "{ type filter hook input priority -300; policy drop; }"
    spread.execute("app2", f"nft add table inet cut; nft 'add chain inet cut every {cut}'")
    try:
        get = (
            "curl --silent --insecure --max-time 20 --output /dev/null --write-out '%{http_code}'"
            " --resolve spread.test:443:127.0.0.1 https://spread.test/"
        )
        codes = [spread.execute("edge1", get) for _ in range(12)]
    finally:
        spread.execute("app2", "nft delete table inet cut")
    assert codes == ["200"] * 12


def test_a_deploy_goes_from_server_to_server_and_nobody_notices(spread: Rehearsal, following: str):
    cookie = spread.site("app1").cookie
    site = Site("spread.test", spread.address("edge1"), 443, cookie)
    report = during(
        lambda: spread.run("docker/play.sh", "deploy.yml", "-e", f"release={following}"),
        site, rate=50, sockets=60,
    )  # fmt: skip
    nobody_noticed(report)
    assert set(report["closes"]) == {"1012"}
    for host in ("app1", "app2"):
        listed = spread.execute(host, "/usr/local/lib/tandem/instance.py list")
        assert {entry["runs"] for entry in json.loads(listed)} == {following}


def test_groups_that_do_not_make_a_site_are_refused(spread: Rehearsal):
    printed = spread.provision("-e", "tandem_private_address=nowhere", check=False)
    assert "needs tandem_private_address" in " ".join(printed.split())
    assert all(host["changed"] == 0 for host in recap(printed).values())
