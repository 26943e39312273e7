"""What one more run of site.yml mends, and what a reboot brings back."""

from __future__ import annotations

import pytest

from tests.servers.provisioning import all_hold, verify
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal, recap

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)
KEY = "cat /etc/tandem/credentials/secret_key"
STARTED = "systemctl show -P ExecMainStartTimestampMonotonic wsgi@1 asgi@2"


@pytest.fixture(scope="module")
def repaired(servers: Rehearsal) -> dict[str, str]:
    """Harm both servers, each in its way, and run site.yml once; give what was before.

    One has what a lost connection leaves: half a release, changed files, nothing restarted.
    Somebody has taken away the other's key, so that it gets a new one.
    """
    before = {
        "release": servers.execute("trixie", "readlink /srv/tandem/current"),
        "key": servers.execute("bookworm", KEY),
        "started": servers.execute("bookworm", STARTED),
    }
    servers.execute(
        "trixie",
        f"cd {before['release']}; rm .complete venv/bin/uvicorn; touch half;"
        "echo '# half' >>/etc/nginx/tandem/maps.conf; touch /etc/nginx/tandem/site.conf;"
        "sed -i /WSGI_THREADS/s/4/3/ /etc/tandem/site.env;"
        "systemctl stop asgi@2.socket asgi@2.service",
    )
    servers.execute("bookworm", "rm /etc/tandem/credentials/secret_key")
    hosts = recap(servers.provision())
    assert {host: counted["failed"] for host, counted in hosts.items()} == {
        "trixie": 0, "bookworm": 0,
    }  # fmt: skip
    return before


def test_an_interrupted_run_is_repaired_by_the_next(servers: Rehearsal, repaired: dict[str, str]):
    assert servers.execute("trixie", f"ls {repaired['release']}/half", check=False) == ""
    assert servers.execute("trixie", "systemctl is-active asgi@2") == "active"
    assert "half" not in servers.execute("trixie", "cat /etc/nginx/tandem/maps.conf")
    assert "4" in servers.execute("trixie", "grep WSGI_THREADS /etc/tandem/site.env")


def test_a_rotated_secret_is_in_force_after_one_run(servers: Rehearsal, repaired: dict[str, str]):
    """Whoever was logged in by the old key no longer is; all instances have the new one."""
    assert servers.execute("bookworm", KEY) != repaired["key"]
    new = servers.execute("bookworm", STARTED)
    assert not set(new.split()) & set(repaired["started"].split())


def test_a_server_comes_back_serving_after_a_reboot(servers: Rehearsal):
    for host in servers.hosts:
        servers.reboot(host)
    verified = verify(servers)
    assert all_hold(verified), verified
