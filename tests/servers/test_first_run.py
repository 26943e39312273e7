"""A first run that fails again and again: each time the next goes on from there.

The tests build on each other, in this order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from tests.servers.rehearsal import Rehearsal, changes, recap
from tests.stack import ROOT

pytestmark = pytest.mark.timeout(900)
RELEASES = "/srv/tandem/releases"


def test_another_distribution_is_refused(hapless: Rehearsal):
    hapless.execute("hapless", "cp /etc/debian_version /root; echo 11.9 >/etc/debian_version")
    hapless.execute("hapless", "cp /etc/os-release /root; sed -i s/13/11/ /etc/os-release")
    printed = hapless.provision(check=False)
    hapless.execute("hapless", "cp /root/os-release /root/debian_version /etc")
    assert "hapless runs Debian 11.9; Tandem supports Debian 12 and 13" in " ".join(printed.split())
    assert recap(printed)["hapless"]["changed"] == 0


def test_a_package_mirror_that_fails_is_named(hapless: Rehearsal):
    broken = "/etc/apt/apt.conf.d/99broken"
    hapless.execute("hapless", f"echo 'Acquire::http::Proxy \"http://127.0.0.1:9\";' >{broken}")
    printed = hapless.provision(check=False)
    hapless.execute("hapless", f"rm {broken}")
    assert "python3-apt" in printed  # the first package
    assert recap(printed)["hapless"]["failed"] == 1


def test_a_controller_that_is_killed_leaves_nothing_in_the_way(hapless: Rehearsal):
    """Kill the play, with all of its connections, while it installs the release."""
    environment = {
        **os.environ, "SERVERS_NAME": hapless.name, "SERVERS_STATE": str(hapless.state),
    }  # fmt: skip
    play = subprocess.Popen(
        ["docker/play.sh", "site.yml"], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        assert play.stdout is not None
        for line in play.stdout:
            if "Install its packages" in line:
                break
        else:
            pytest.fail("the play never came to the release")
        time.sleep(1)
    finally:
        os.killpg(play.pid, signal.SIGKILL)
        play.wait()
    assert hapless.execute("hapless", f"ls {RELEASES}/*/.complete", check=False) == ""


def test_a_full_disk_is_named(hapless: Rehearsal):
    hapless.execute("hapless", f"mount -t tmpfs -o size=8m tmpfs {RELEASES}")
    printed = hapless.provision(check=False)
    hapless.execute("hapless", f"umount {RELEASES}")
    assert "No space left on device" in printed
    assert recap(printed)["hapless"]["failed"] == 1


def test_the_next_run_ends_as_a_clean_one_would(hapless: Rehearsal):
    assert recap(hapless.provision())["hapless"]["failed"] == 0
    assert " passed" in hapless.run("make", "verify", "ARGS=-q").stdout
    assert changes(hapless.provision()) == []
