"""A roll-out that something got in the way of is finished by the same command."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from tests.servers.rehearsal import HANG_SECONDS, PLAY, Rehearsal

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)
HOST = "trixie"


def deploy(server: Rehearsal, release: str, check: bool = True) -> str:
    """Run deploy.yml; return what it printed."""
    return server.play("deploy.yml", "-e", f"release={release}", check=check)


def read_until(play: subprocess.Popen[str], text: str) -> None:
    """Return when the play prints ``text``."""
    assert play.stdout is not None
    for line in play.stdout:
        if text in line:
            return
    raise AssertionError(f"deploy.yml never printed {text!r}")


def other(server: Rehearsal, one: str, two: str) -> str:
    """Return the release that the server does not run."""
    return two if set(server.instances(HOST).values()) == {one} else one


@pytest.mark.parametrize("also", ["another is refused meanwhile", "a reboot follows"])
def test_a_controller_that_is_killed_while_instances_roll_is_no_loss(
    single: Rehearsal, following: str, release: str, also: str
):
    wanted = other(single, following, release)
    play = single.start("deploy.yml", "-e", f"release={wanted}")
    if also == "another is refused meanwhile":
        read_until(play, "Try the release")
        refused = deploy(single, single.instances(HOST)["wsgi@1"], check=False)
        assert f"deploys {wanted} since" in " ".join(refused.split())
    read_until(play, "Roll wsgi@1")
    os.killpg(play.pid, signal.SIGKILL)
    play.wait()
    if also == "a reboot follows":
        single.reboot(HOST)
    deploy(single, wanted)
    assert set(single.instances(HOST).values()) == {wanted}
    entries = single.execute(HOST, "cat /var/log/tandem/deploys.jsonl").splitlines()
    last = json.loads(entries[-1])
    assert (last["release"], last["result"]) == (wanted, "ok")


def test_an_instance_that_was_left_behind_is_taken_along_and_old_releases_go(
    single: Rehearsal, following: str, release: str
):
    """Whatever somebody did by hand: afterwards all run the same."""
    wanted = single.instances(HOST)["wsgi@1"]
    behind = other(single, following, release)
    if "complete" not in single.execute(HOST, f"ls -a /srv/tandem/releases/{behind}", check=False):
        deploy(single, behind)
        wanted, behind = behind, wanted
    single.execute(
        HOST,
        f"ln -sfn /srv/tandem/releases/{behind} /srv/tandem/instances/asgi@2;"
        "systemctl restart asgi@2",
    )
    listed = single.run(*PLAY, "releases.yml").stdout
    assert f"asgi@2 runs {behind}" in listed
    single.execute(HOST, "for n in 1 2 3 4 5 6; do mkdir -p /srv/tandem/releases/old-$n; done")
    deploy(single, wanted)
    assert set(single.instances(HOST).values()) == {wanted}
    kept = single.execute(HOST, "ls /srv/tandem/releases").split()
    # The broken ones and those that never served go first.
    assert {wanted, behind} <= set(kept)
    assert len(kept) == 5


def test_a_rollback_to_a_release_that_is_not_kept_is_refused(single: Rehearsal):
    printed = single.play("rollback.yml", "-e", "release=long-gone", check=False)
    assert "keeps no release long-gone; it keeps" in " ".join(printed.split())
