"""site.yml on blank servers, again, after interruptions, and on wrong input."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.servers.rehearsal import Rehearsal, changes, recap
from tests.stack import ROOT

pytestmark = pytest.mark.timeout(900)
HOSTS = ("trixie", "bookworm")


def test_one_run_makes_blank_servers_serve(servers: Rehearsal):
    hosts = recap(servers.first_run)
    assert set(hosts) == set(HOSTS)
    assert all(host["failed"] == host["unreachable"] == 0 for host in hosts.values())


def test_every_specification_holds(servers: Rehearsal):
    assert " passed" in servers.run("make", "verify", "ARGS=-q").stdout


def test_the_connection_budget_is_printed(servers: Rehearsal):
    assert "= 40, and 20 reserved, of 100" in servers.first_run


def test_a_second_run_changes_nothing(servers: Rehearsal, record_property):
    began = time.monotonic()
    printed = servers.provision()
    record_property("second run, two hosts, s", round(time.monotonic() - began))
    assert changes(printed) == []
    assert set(recap(printed)) == set(HOSTS)


def test_check_mode_succeeds_and_shows_nothing(servers: Rehearsal):
    printed = servers.provision("--check", "--diff")
    assert changes(printed) == []
    assert "+++" not in printed


def test_an_interrupted_run_is_repaired_by_the_next(servers: Rehearsal):
    """Leave what a lost connection leaves: half a release, changed files, nothing restarted."""
    before = servers.execute("trixie", "readlink /srv/tandem/current")
    servers.execute(
        "trixie",
        f"rm {before}/.complete {before}/venv/bin/uvicorn; touch {before}/half;"
        "echo '# half' >>/etc/nginx/tandem/maps.conf; touch /etc/nginx/tandem/site.conf;"
        "sed -i s/WSGI_THREADS=4/WSGI_THREADS=3/ /etc/tandem/site.env;"
        "systemctl stop asgi@2.socket asgi@2.service",
    )
    assert recap(servers.provision("--limit", "trixie"))["trixie"]["failed"] == 0
    assert servers.execute("trixie", f"ls {before}/half", check=False) == ""
    assert servers.execute("trixie", "systemctl is-active asgi@2") == "active"
    assert "half" not in servers.execute("trixie", "cat /etc/nginx/tandem/maps.conf")
    assert "THREADS=4" in servers.execute("trixie", "grep WSGI_THREADS /etc/tandem/site.env")


def test_a_rotated_secret_is_in_force_after_one_run(servers: Rehearsal):
    """Whoever was logged in by the old key no longer is; all instances have the new one."""
    keys = "cat /etc/tandem/credentials/secret_key"
    before = servers.execute("bookworm", keys)
    started = "systemctl show -P ExecMainStartTimestampMonotonic wsgi@1 asgi@2"
    old = servers.execute("bookworm", started)
    servers.execute("bookworm", "rm /etc/tandem/credentials/secret_key")
    assert recap(servers.provision("--limit", "bookworm"))["bookworm"]["failed"] == 0
    assert servers.execute("bookworm", keys) != before
    new = servers.execute("bookworm", started)
    assert not set(new.split()) & set(old.split())


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"tandem_server_names": "[]"}, "tandem_server_names must be a list of host names"),
        ({"tandem_server_names": '["a b"]'}, "tandem_server_names must be a list of host names"),
        ({"tandem_wsgi_instanes": "2"}, "unknown variable tandem_wsgi_instanes"),
        ({"tandem_tls": '"letsencrypt"'}, "tandem_tls must be self-signed, files or acme"),
        ({"tandem_tls": '"acme"'}, "tls_acme_email must be set"),
        (
            {"tandem_tls": '"acme"', "tls_acme_email": '"a@b.example"'},
            "no authority gives a certificate for trixie.test",
        ),
        ({"tandem_tls": '"files"'}, "must be files on this machine"),
        ({"tandem_release": '"v0"'}, "there is no release 'v0' for trixie"),
        ({"tandem_asgi_database_pool": "60"}, "That is too much: lower the instances"),
    ],
)
def test_wrong_input_stops_before_anything_is_changed(
    servers: Rehearsal, variables: dict[str, str], sentence: str
):
    extra = "{" + ", ".join(f'"{k}": {v}' for k, v in variables.items()) + "}"
    printed = servers.provision("--limit", "trixie", "--extra-vars", extra, check=False)
    assert sentence in " ".join(printed.split())
    assert recap(printed)["trixie"]["changed"] == 0
    assert "Traceback" not in printed


def certificate(folder: Path, names: str) -> Path:
    """Make a self-signed certificate for ``names`` in ``folder``."""
    folder.mkdir()
    subprocess.run([ROOT / "deploy/self-signed.sh", folder, names], check=True)
    return folder


def test_a_certificate_that_does_not_belong_to_its_key_is_refused(
    servers: Rehearsal, tmp_path: Path
):
    one, two = certificate(tmp_path / "1", "trixie.test"), certificate(tmp_path / "2", "x.test")
    for certificate_of, key_of, sentence in (
        (one, two, "does not belong to the key"),
        (two, two, "does NOT match"),
    ):
        printed = servers.provision(
            "--limit", "trixie", "-e", "tandem_tls=files",
            "-e", f"tls_certificate={certificate_of}/fullchain.pem",
            "-e", f"tls_key={key_of}/privkey.pem", check=False,
        )  # fmt: skip
        assert sentence in printed
        assert recap(printed)["trixie"]["changed"] == 0


def test_a_release_for_another_debian_is_refused(servers: Rehearsal, release: str, tmp_path: Path):
    wrong = tmp_path / "tandem-wrong-trixie.tar.gz"
    wrong.write_bytes((ROOT / f"dist/tandem-{release}-bookworm.tar.gz").read_bytes())
    printed = servers.provision(
        "--limit", "trixie", "-e", "tandem_release=wrong",
        "-e", f"tandem_release_folder={tmp_path}", check=False,
    )  # fmt: skip
    assert "was built for bookworm" in printed
    assert recap(printed)["trixie"]["changed"] == 0


def test_an_unreachable_server_is_named(servers: Rehearsal):
    printed = servers.provision(
        "--limit", "trixie", "-e", "ansible_host=127.0.0.99", "-e", "ansible_port=9", check=False
    )
    assert "trixie" in printed
    assert "Connection refused" in printed


def test_a_server_comes_back_serving_after_a_reboot(servers: Rehearsal):
    for host in HOSTS:
        servers.reboot(host)
    deadline = time.monotonic() + 90
    while True:
        done = servers.run("make", "verify", "ARGS=-q -x", check=False)
        if done.returncode == 0:
            break
        assert time.monotonic() < deadline, done.stdout[-4000:]
        time.sleep(3)
