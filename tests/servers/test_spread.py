"""One site on four servers, of two Debians."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.load.run import during, nobody_noticed
from tests.load.site import Site
from tests.servers.conftest import until_done
from tests.servers.copies import Kept
from tests.servers.provisioning import all_hold
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal, changes, recap

pytestmark = pytest.mark.timeout(4 * HANG_SECONDS)


@pytest.fixture(scope="module")
def story(spread_out: Kept) -> dict[str, str]:
    """Give what was said when the blank servers of this run were provisioned."""
    return spread_out.made()


@pytest.fixture(scope="module")
def spread(spread_out: Kept) -> Iterator[Rehearsal]:
    """Boot the servers."""
    yield from until_done(spread_out.boot())


def test_one_run_makes_four_blank_servers_serve(story: dict[str, str]):
    assert all(host["failed"] == 0 for host in recap(story["first run"]).values())
    assert len(recap(story["first run"])) == 4
    assert "WSGI 2 × 2 instances" in " ".join(story["first run"].split())


def test_every_specification_holds(story: dict[str, str]):
    assert all_hold(story["specifications"]), story["specifications"]


def test_a_second_run_changes_nothing(story: dict[str, str]):
    assert changes(story["second run"]) == []
    assert [host["failed"] for host in recap(story["second run"]).values()] == [0] * 4


def test_all_application_servers_share_the_generated_secrets(spread: Rehearsal):
    sums = {
        spread.execute(host, "cd /etc/tandem/credentials && sha256sum *")
        for host in ("app1", "app2")
    }
    assert len(sums) == 1
    assert "redis_password" in spread.execute("data1", "ls /etc/tandem/credentials")
    assert "secret_key" not in spread.execute("data1", "ls /etc/tandem/credentials")


async def test_a_message_crosses_from_one_server_to_the_other(spread: Rehearsal):
    """Also that somebody types, which only Redis carries: nothing of it is stored."""
    cookies = {user: spread.cookie("app1", user) for user in ("visitor", "other")}
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE

    async def enter(user: str) -> ClientConnection:
        return await connect(
            "wss://spread.test/ws/chat/spread/?after=0", ssl=tls, origin="https://spread.test",
            host=spread.address("edge1"), additional_headers={"Cookie": cookies[user]},
            open_timeout=HANG_SECONDS,
        )  # fmt: skip

    async def until(socket: ClientConnection, kind: str) -> object:
        async with asyncio.timeout(HANG_SECONDS):
            while kind not in (frame := json.loads(await socket.recv())):
                pass
        return frame[kind]

    sockets = {user: [await enter(user) for _ in range(8)] for user in cookies}
    held = {
        user: {s.response.headers["X-Upstream"]: s for s in opened if s.response}
        for user, opened in sockets.items()
    }
    for user in cookies:
        assert set(held[user]) == {f"{app}/asgi@{n}" for app in ("app1", "app2") for n in (1, 2)}
    there, here = held["visitor"]["app1/asgi@1"], held["other"]["app2/asgi@2"]
    await there.send(json.dumps({"message": "across"}))
    assert await until(here, "message") == "across"
    await there.send(json.dumps({"typing": True}))
    assert await until(here, "typing") == ["visitor"]
    for socket in [*sockets["visitor"], *sockets["other"]]:
        await socket.close()


def test_strangers_reach_neither_the_instances_nor_the_data(spread: Rehearsal):
    """From the edge only the instances can be reached, from app1 only the data."""
    open_ = "timeout 5 bash -c 'exec 3<>/dev/tcp/%s/%s' 2>/dev/null && echo open || echo shut"
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
            "curl --silent --insecure --max-time 30 --output /dev/null --write-out '%{http_code}'"
            " --resolve spread.test:443:127.0.0.1 https://spread.test/"
        )
        codes = [spread.execute("edge1", get) for _ in range(12)]
    finally:
        spread.execute("app2", "nft delete table inet cut")
    assert codes == ["200"] * 12


def test_a_deploy_goes_from_server_to_server_and_nobody_notices(spread: Rehearsal, following: str):
    site = Site(
        "spread.test", spread.address("edge1"), 443, spread.cookie("app1"), spread.crowd("app1")
    )
    report = during(
        lambda: spread.play("deploy.yml", "-e", f"release={following}"), site, rate=20, sockets=60
    )
    nobody_noticed(report)
    assert set(report["closes"]) == {"1012"}
    for host in ("app1", "app2"):
        assert set(spread.instances(host).values()) == {following}


def test_a_rotated_password_of_redis_is_in_force_without_a_restart(spread: Rehearsal):
    """Each process changes to it in turn; then the old one lets nobody in."""
    secret = "/etc/tandem/credentials/redis_password"
    began = "systemctl show -P ExecMainStartTimestampMonotonic redis-server@tandem"
    knocks = (
        "redis-cli -s /run/redis-tandem/redis-server.sock --no-auth-warning"
        f" -a $(cat {secret}%s) ping"
    )
    started = spread.execute("data1", began)
    spread.execute("data1", f"cp {secret} {secret}.old")
    spread.execute("app1", f"rm {secret}")
    try:
        spread.provision("-e", f"release={spread.instances('app1')['asgi@1']}")
        assert spread.execute("data1", knocks % "") == "PONG"
        assert spread.execute("data1", knocks % ".old", check=False) != "PONG"
    finally:
        spread.execute("data1", f"rm {secret}.old")
    for host in ("app1", "app2"):
        names = " ".join(spread.instances(host))
        spread.execute(host, f"/usr/local/lib/tandem/instance.py ready {names}")
    again = spread.execute("data1", began)
    assert again == started


def test_groups_that_do_not_make_a_site_are_refused(spread: Rehearsal):
    printed = spread.provision("-e", "tandem_private_address=nowhere", check=False)
    assert "needs tandem_private_address" in " ".join(printed.split())
    assert all(host["changed"] == 0 for host in recap(printed).values())
