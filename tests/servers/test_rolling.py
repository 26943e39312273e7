"""Deploys, rollbacks and upgrades of a server while users are at it.

The load is 200 requests/s and 500 chat sockets whose clients number their messages.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.load.run import during, nobody_noticed, sockets_moved_in_turn
from tests.servers.rehearsal import Rehearsal
from tests.stack import ROOT, copy_of_checkout

pytestmark = pytest.mark.timeout(900)
HOST = "hapless"


@pytest.fixture(scope="module")
def single(hapless: Rehearsal, release: str) -> Rehearsal:
    """Give the server, serving."""
    if not hapless.execute(HOST, "readlink /srv/tandem/current", check=False):
        hapless.provision()
    return hapless


def runs(server: Rehearsal) -> dict[str, str]:
    """Return what each instance runs."""
    listed = json.loads(server.execute(HOST, "/usr/local/lib/tandem/instance.py list"))
    return {entry["instance"]: entry["runs"] for entry in listed}


def deploy(server: Rehearsal, release: str, check: bool = True) -> str:
    """Run deploy.yml; return what it printed."""
    done = server.run("docker/play.sh", "deploy.yml", "-e", f"release={release}", check=check)
    assert check or done.returncode != 0, done.stdout
    return done.stdout + done.stderr


@pytest.mark.alone
def test_a_deploy_is_noticed_by_nobody(single: Rehearsal, following: str):
    began = time.time()
    report = during(lambda: deploy(single, following), single.site(HOST))
    assert set(runs(single).values()) == {following}
    nobody_noticed(report)
    sockets_moved_in_turn(report, single.said(HOST, "asgi@*", began))


@pytest.mark.alone
def test_nor_is_a_rollback(single: Rehearsal, release: str):
    began = time.time()
    report = during(lambda: single.run("docker/play.sh", "rollback.yml"), single.site(HOST))
    assert set(runs(single).values()) == {release}
    nobody_noticed(report)
    sockets_moved_in_turn(report, single.said(HOST, "asgi@*", began))


@pytest.mark.alone
@pytest.mark.parametrize(
    "change",
    [
        "systemctl reload nginx",
        "apt-get update -qq && DEBIAN_FRONTEND=noninteractive"
        " apt-get install -qq --reinstall nginx nginx-common",
    ],
)
def test_nor_is_a_new_nginx_and_its_old_workers_end(single: Rehearsal, change: str):
    def event() -> None:
        old = set(single.execute(HOST, "pgrep -f 'nginx: worker'").split())
        single.execute(HOST, change)
        deadline = time.monotonic() + 40
        while old & set(single.execute(HOST, "pgrep -f 'nginx: worker'").split()):
            assert time.monotonic() < deadline, "an old worker is still there"
            time.sleep(1)

    began = time.time()
    report = during(event, single.site(HOST))
    nobody_noticed(report)
    sockets_moved_in_turn(report, single.said(HOST, "asgi@*", began))
    assert sum(report["closes"].values()) == report["sockets"]


@pytest.mark.alone
def test_a_killed_process_costs_only_what_it_was_at(single: Rehearsal):
    """`kill -9` of each process in turn, as the machine's memory killer does it."""

    def event() -> None:
        # A unit's main process, or a child of that.
        for what in ("wsgi@1", "wsgi@2 child", "asgi@2", "nginx", "nginx child"):
            unit, _, child = what.partition(" ")
            main = single.execute(HOST, f"systemctl show -P MainPID {unit}.service")
            pid = single.execute(HOST, f"pgrep -P {main} | head -1") if child else main
            single.execute(HOST, f"kill -9 {pid}")
            time.sleep(5)

    report = during(event, single.site(HOST))
    assert report["lost"] == report["doubled"] == report["missed"] == [], report
    assert report["slowest_return_s"] < 30, report
    # In flight on the killed processes: five times a tenth of a second's at most, and none
    # that was merely refused.
    assert report["failures"] < report["rate"] / 2, report
    for failure in report["failed"]:
        assert failure.startswith("POST") or re.search(
            "Incomplete|Reset|BrokenPipe|SSL", failure
        ), report


BROKEN = {
    "it cannot be loaded": ("app/config/asgi.py", "import os\n", "import os\nimport no_such\n"),
    "it dies soon after the start": (
        "app/config/wsgi.py", "import os\n",
        "import os, sys, threading\nif 'gunicorn' in sys.argv[0]:\n"
        "    threading.Timer(3, os.killpg, [os.getpgrp(), 9]).start()\n",
    ),
    "it is slow to say how it is": (
        "tandem/health/checks.py", "    failed = failures()\n",
        "    import time; time.sleep(4)\n    failed = failures()\n",
    ),
    "a migration fails": (
        "app/uploads/migrations/0001_initial.py", "operations = [",
        "operations = [migrations.RunSQL('SELECT no_such'),",
    ),
}  # fmt: skip
SENTENCES = {
    "it cannot be loaded": "No module named 'no_such'",
    "it dies soon after the start": "does not work as wsgi@trial",
    "it is slow to say how it is": "s to answer on /health/ready/",
    "a migration fails": "every instance runs the release of before",
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_release_is_stopped_and_noticed_by_nobody(
    single: Rehearsal, tmp_path: Path, fault: str
):
    name = "broken-" + fault.replace(" ", "-")
    with copy_of_checkout(tmp_path / "checkout") as root:
        file, old, new = BROKEN[fault]
        text = (root / file).read_text()
        assert old in text
        if fault == "a migration fails":  # a new one, which depends on all there is
            file = file.replace("0001_initial", "0099_broken")
            new_text = (
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                "    dependencies = [('uploads', '0001_initial')]\n"
                "    operations = [migrations.RunSQL('SELECT no_such')]\n"
            )
        else:
            new_text = text.replace(old, new, 1)
        (root / file).write_text(new_text)
        subprocess.run(
            ["docker/release.sh"], cwd=root, check=True, capture_output=True,
            env={**os.environ, "DEBIAN": "trixie", "RELEASE": name},
        )  # fmt: skip
        archive = f"tandem-{name}-trixie.tar.gz"
        (root / "dist" / archive).replace(ROOT / "dist" / archive)
    before = runs(single)
    printed: list[str] = []
    try:
        report = during(
            lambda: printed.append(deploy(single, name, check=False)), single.site(HOST), 50, 20
        )
    finally:
        (ROOT / "dist" / archive).unlink()
    assert SENTENCES[fault] in " ".join(printed[0].split())
    assert runs(single) == before
    nobody_noticed(report)
    assert report["closes"] == {}


def start_deploy(server: Rehearsal, release: str) -> subprocess.Popen[str]:
    """Start deploy.yml, with a process group of its own."""
    return subprocess.Popen(
        ["docker/play.sh", "deploy.yml", "-e", f"release={release}"], cwd=ROOT, text=True,
        env={**os.environ, "SERVERS_NAME": server.name, "SERVERS_STATE": str(server.state)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def read_until(play: subprocess.Popen[str], text: str) -> None:
    """Return when the play prints ``text``."""
    assert play.stdout is not None
    for line in play.stdout:
        if text in line:
            return
    raise AssertionError(f"deploy.yml never printed {text!r}")


def other(server: Rehearsal, one: str, two: str) -> str:
    """Return the release that the server does not run."""
    return two if set(runs(server).values()) == {one} else one


@pytest.mark.parametrize("also", ["a second deploy", "a reboot"])
def test_a_deploy_that_was_cut_off_is_finished_by_the_same_command(
    single: Rehearsal, following: str, release: str, also: str
):
    """The controller is killed while the instances roll; meanwhile others may not deploy."""
    wanted = other(single, following, release)
    play = start_deploy(single, wanted)
    if also == "a second deploy":
        read_until(play, "Try the release")
        refused = deploy(single, runs(single)["wsgi@1"], check=False)
        assert f"deploys {wanted} since" in " ".join(refused.split())
    read_until(play, "Roll wsgi@1")
    os.killpg(play.pid, signal.SIGKILL)
    play.wait()
    if also == "a reboot":
        single.reboot(HOST)
    deploy(single, wanted)
    assert set(runs(single).values()) == {wanted}


def test_an_instance_that_was_left_behind_is_taken_along_and_old_releases_go(
    single: Rehearsal, following: str, release: str
):
    """Whatever somebody did by hand: after a deploy all run the same."""
    wanted, behind = runs(single)["wsgi@1"], other(single, following, release)
    single.execute(
        HOST,
        f"ln -sfn /srv/tandem/releases/{behind} /srv/tandem/instances/asgi@2;"
        "systemctl restart asgi@2",
    )
    listed = single.run("docker/play.sh", "releases.yml").stdout
    assert f"asgi@2 runs {behind}" in listed
    single.execute(HOST, "for n in 1 2 3 4 5 6; do mkdir -p /srv/tandem/releases/old-$n; done")
    deploy(single, wanted)
    assert set(runs(single).values()) == {wanted}
    kept = single.execute(HOST, "ls /srv/tandem/releases").split()
    # The broken ones and those that never served go first.
    assert {wanted, behind} <= set(kept)
    assert len(kept) == 5


def test_the_server_keeps_a_log_of_its_deploys(single: Rehearsal, following: str, release: str):
    lines = single.execute(HOST, "cat /var/log/tandem/deploys.jsonl").splitlines()
    entries = [json.loads(line) for line in lines]
    assert {"at", "by", "release", "before", "seconds", "result"} == set(entries[0])
    assert {entry["result"] for entry in entries} >= {"ok", "failed when tried", "migration failed"}
    assert any((e["release"], e["before"]) == (following, release) for e in entries)


def test_a_rollback_to_a_release_that_is_not_kept_is_refused(single: Rehearsal):
    done = single.run("docker/play.sh", "rollback.yml", "-e", "release=long-gone", check=False)
    assert done.returncode != 0
    assert "keeps no release long-gone; it keeps" in " ".join(done.stdout.split())
