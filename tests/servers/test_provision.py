"""site.yml on blank servers, again, and on wrong input."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.checkout import ROOT
from tests.servers.copies import Kept
from tests.servers.provisioning import all_hold
from tests.servers.rehearsal import HANG_SECONDS, PLAY, RELEASES, Rehearsal, changes, recap

pytestmark = pytest.mark.timeout(4 * HANG_SECONDS)
HOSTS = {"trixie", "bookworm"}


@pytest.fixture(scope="module")
def story(both: Kept, record_testsuite_property) -> dict[str, str]:
    """Give what was said when the blank servers of this run were provisioned."""
    found = both.made()
    record_testsuite_property("blank to kept, two hosts, s", found["seconds"])
    return found


def test_one_run_makes_blank_servers_serve(story: dict[str, str]):
    hosts = recap(story["first run"])
    assert set(hosts) == HOSTS
    assert all(host["failed"] == host["unreachable"] == 0 for host in hosts.values())


def test_the_connection_budget_is_printed(story: dict[str, str]):
    assert "= 40, and 20 reserved, of 100" in story["first run"]


def test_a_second_run_changes_nothing(story: dict[str, str]):
    assert changes(story["second run"]) == []
    hosts = recap(story["second run"])
    assert set(hosts) == HOSTS
    assert all(host["failed"] == host["unreachable"] == 0 for host in hosts.values())


def test_check_mode_succeeds_and_shows_nothing(story: dict[str, str]):
    assert changes(story["look"]) == []
    assert "+++" not in story["look"]
    assert all(host["failed"] == 0 for host in recap(story["look"]).values())
    assert set(recap(story["look"])) == HOSTS


def test_every_specification_holds(story: dict[str, str]):
    assert all_hold(story["specifications"]), story["specifications"]


def certificate(folder: Path, names: str) -> Path:
    """Make a self-signed certificate for ``names`` in ``folder``."""
    folder.mkdir()
    subprocess.run([ROOT / "deploy/self-signed.sh", folder, names], check=True)
    return folder


@pytest.fixture(scope="module")
def wrong(release: str, tmp_path_factory) -> dict[str, dict[str, Any]]:
    """Give the variables of a server for each case of wrong input, files included."""
    folder = tmp_path_factory.mktemp("wrong")
    one, two = certificate(folder / "1", "trixie.test"), certificate(folder / "2", "x.test")
    (folder / "tandem-wrong-trixie.tar.gz").write_bytes(
        (RELEASES / f"tandem-{release}-bookworm.tar.gz").read_bytes()
    )

    def files(certificate_of: Path, key_of: Path) -> dict[str, str]:
        return {
            "tandem_tls": "files",
            "tls_certificate": f"{certificate_of}/fullchain.pem",
            "tls_key": f"{key_of}/privkey.pem",
        }

    return {
        "no-name": {"tandem_server_names": []},
        "no-host-name": {"tandem_server_names": ["a b"]},
        "misspelt": {"tandem_wsgi_instanes": 2},
        "no-such-tls": {"tandem_tls": "letsencrypt"},
        "no-address": {"tandem_tls": "acme"},
        "private-name": {"tandem_tls": "acme", "tls_acme_email": "a@b.example"},
        "no-files": {"tandem_tls": "files"},
        "other-key": files(one, two),
        "other-name": files(two, two),
        "no-release": {"tandem_release": "v0"},
        "other-debian": {"tandem_release": "wrong", "tandem_release_folder": str(folder)},
        "too-many-for-postgres": {"tandem_asgi_database_pool": 60},
        "too-many-for-redis": {"tandem_redis_max_clients": 31},
        "away": {"ansible_host": "127.0.0.99", "ansible_port": 9},
    }


SENTENCES = {
    "no-name": "tandem_server_names must be a list of host names",
    "no-host-name": "tandem_server_names must be a list of host names",
    "misspelt": "unknown variable tandem_wsgi_instanes",
    "no-such-tls": "tandem_tls must be self-signed, files or acme",
    "no-address": "tls_acme_email must be set",
    "private-name": "no authority gives a certificate for trixie.test",
    "no-files": "must be files on this machine",
    "other-key": "does not belong to the key",
    "other-name": "does NOT match",
    "no-release": "there is no release 'v0' for trixie",
    "other-debian": "was built for bookworm",
    "too-many-for-postgres": "That is too much: lower the instances",
    "too-many-for-redis": "Redis: 32 of 31. That is too much",
    "away": "Connection refused",
}


def inventory(servers: Rehearsal, file: Path, cases: dict[str, dict[str, Any]]) -> Path:
    """Write an inventory whose hosts are all the server ``trixie``, each with a site of its own."""
    reached = servers.inventory
    hosts = {
        case: {
            **reached["hosts"]["trixie"],
            "tandem_site": case,
            "tandem_server_names": ["trixie.test"],
            "tandem_release_folder": str(RELEASES),
            **variables,
        }
        for case, variables in cases.items()
    }
    groups = {
        group: {"hosts": {case: {} for case in cases}}
        for group in ("edge", "wsgi", "asgi", "redis", "postgres")
    }
    file.write_text(
        yaml.safe_dump({"all": {"hosts": hosts, "vars": reached["vars"], "children": groups}})
    )
    return file


@pytest.fixture(scope="module")
def refusals(servers: Rehearsal, wrong, tmp_path_factory) -> Iterator[str]:
    """Provision with all of the wrong input at once; give what was printed.

    Each server goes on by itself ("free"), as if it had been given alone.
    """
    file = inventory(servers, tmp_path_factory.mktemp("cases") / "cases.yml", wrong)
    done = servers.run(*PLAY, "site.yml", check=False, INVENTORY=str(file), ANSIBLE_STRATEGY="free")
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("case", SENTENCES)
def test_wrong_input_stops_before_anything_is_changed(servers: Rehearsal, refusals: str, case: str):
    told = rf"^(?:fatal|failed): \[{case}(?: -> localhost)?\].*(?:\n(?![A-Z\[]).*)*"
    complaints = re.findall(told, refusals, re.MULTILINE)
    assert len(complaints) == 1, refusals[-6000:]
    assert SENTENCES[case] in " ".join(complaints[0].split())
    counted = recap(refusals)[case]
    assert counted["failed"] + counted["unreachable"] == 1
    assert counted["changed"] == 0
    assert "Traceback" not in refusals


def test_one_server_with_wrong_input_stops_those_with_right_input(
    servers: Rehearsal, tmp_path: Path
):
    cases = {"right": {}, "wrong": {"tandem_release": "v0"}}
    file = inventory(servers, tmp_path / "cases.yml", cases)
    done = servers.run(*PLAY, "site.yml", check=False, INVENTORY=str(file))
    assert "there is no release 'v0'" in " ".join(done.stdout.split())
    assert {host: counted["changed"] for host, counted in recap(done.stdout).items()} == {
        "right": 0, "wrong": 0,
    }  # fmt: skip
    assert "TASK [base" not in done.stdout
