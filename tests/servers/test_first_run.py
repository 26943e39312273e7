"""A first run that fails again and again: each time the next goes on from there.

The tests build on each other, in this order.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.servers.conftest import until_done
from tests.servers.provisioning import again, all_hold
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal, changes, recap

pytestmark = pytest.mark.timeout(3 * HANG_SECONDS)
RELEASES = "/srv/tandem/releases"


@pytest.fixture(scope="module")
def hapless(release: str) -> Iterator[Rehearsal]:
    """Boot a blank server, for an operator who calls ansible-playbook himself."""
    rehearsal = Rehearsal("hapless.yml", "hapless", strategy="linear")
    rehearsal.down()
    rehearsal.up()
    # SSH on another port as well, and something of the operator's own that listens.
    rehearsal.execute(
        "hapless",
        "printf 'Port 22\\nPort 2222\\n' >/etc/ssh/sshd_config.d/20-mine.conf;"
        "systemctl restart ssh; systemd-run --quiet --unit mine python3 -m http.server 9100",
    )
    yield from until_done(rehearsal)


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
    play = hapless.start("site.yml")
    try:
        assert play.stdout is not None
        for line in play.stdout:
            if "Install its packages" in line:
                break
        else:
            pytest.fail("the play never came to the release")
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
    first = hapless.provision()
    hapless.strategy = {}  # the rest as `make` does it, which is faster
    story = {"first run": first, **again(hapless)}
    assert recap(story["first run"])["hapless"]["failed"] == 0
    assert recap(story["second run"])["hapless"]["failed"] == 0
    assert changes(story["second run"]) == []
    # On settings that are documented, whichever they are.
    assert all_hold(story["specifications"]), story["specifications"]


def test_a_value_reaches_the_site_as_it_is(hapless: Rehearsal):
    shown = hapless.execute(
        "hapless", "tandem-manage shell -v0 -c 'import os; print(repr(os.environ[\"MOTTO\"]))'"
    )
    assert shown.splitlines()[-1] == repr('it\'s "quoted", \\ and\n$two lines')
