"""Servers of the tests' own: booted, provisioned and asked by the product's commands."""

from __future__ import annotations

import os
import re
import subprocess
import time

import yaml

from tests.checkout import CACHE, ROOT, named
from tests.load.site import Site

# Prints the key of a session of the user "visitor".
SESSION = (
    'tandem-manage shell -v0 -c "from django.contrib.auth import get_user_model as g;'
    "from django.contrib.sessions.backends.db import SessionStore as S;"
    "u, _ = g().objects.get_or_create(username='visitor'); s = S();"
    "s['_auth_user_id'] = str(u.pk);"
    "s['_auth_user_backend'] = 'django.contrib.auth.backends.ModelBackend';"
    "s['_auth_user_hash'] = u.get_session_auth_hash(); s.save(); print(s.session_key)\""
)
TOPOLOGIES = ROOT / "tests" / "servers" / "topologies"


class Rehearsal:
    """The servers of one topology.  ``what`` keeps it apart from the others of this checkout."""

    def __init__(self, topology: str, what: str = "servers") -> None:
        self.topology = TOPOLOGIES / topology
        self.name = named(what)
        self.state = CACHE / self.name

    def run(
        self, *command: str, check: bool = True, seconds: float = 900, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the checkout for these servers."""
        environment = {
            **os.environ,
            "SERVERS_NAME": self.name,
            "SERVERS_STATE": str(self.state),
            "ANSIBLE_NOCOLOR": "1",
            **variables,
        }
        done = subprocess.run(
            command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=seconds
        )
        if check and done.returncode:
            raise AssertionError(
                f"{command} exited {done.returncode}:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
            )
        return done

    def up(self) -> None:
        """Boot the servers."""
        self.run("make", "servers", f"TOPOLOGY={self.topology}")

    def down(self) -> None:
        """Remove them."""
        self.run("make", "servers-down")

    def provision(self, *options: str, check: bool = True) -> str:
        """Run site.yml; return what was printed."""
        done = self.run("docker/play.sh", "site.yml", *options, check=check)
        if not check:
            assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def execute(self, host: str, script: str, check: bool = True) -> str:
        """Run a shell script as root on a server; return its output."""
        return self.run(
            "docker", "exec", f"{self.name}-{host}", "bash", "-c", script, check=check
        ).stdout.strip()

    def said(self, host: str, units: str, since: float) -> str:
        """Return what the journal has of ``units`` (a pattern) since a Unix time."""
        return self.execute(
            host, f"journalctl --output cat --unit '{units}' --since @{since:.6f} --no-pager"
        )

    def site(self, host: str) -> Site:
        """Return the site of a server, as a user who is logged in."""
        out = self.execute(host, SESSION)
        return Site(f"{host}.test", self.address(host), 443, f"sessionid={out.splitlines()[-1]}")

    def address(self, host: str) -> str:
        """Return a server's address."""
        inventory = yaml.safe_load((self.state / "inventory.yml").read_text())
        return inventory["all"]["hosts"][host]["ansible_host"]

    def reboot(self, host: str) -> None:
        """Reboot a server, really, and wait until its SSH answers."""
        boot = self.execute(host, "cat /proc/1/stat | cut -d' ' -f22")
        self.run("docker", "exec", f"{self.name}-{host}", "systemctl", "reboot", check=False)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            time.sleep(0.5)
            state = self.run(
                "docker", "inspect", "--format", "{{.State.Running}}", f"{self.name}-{host}"
            ).stdout.strip()
            if state == "false":
                self.run("docker", "start", f"{self.name}-{host}")
            started = self.execute(host, "cat /proc/1/stat | cut -d' ' -f22", check=False)
            # While it goes down, the engine's complaint comes as output, too.
            if started.isdigit() and started != boot:
                return
        raise AssertionError(f"{host} did not come back")


def recap(printed: str) -> dict[str, dict[str, int]]:
    """Return Ansible's recap: ``{host: {"ok": …, "changed": …, "failed": …}}``."""
    found = {}
    for line in printed.partition("PLAY RECAP")[2].splitlines():
        if match := re.match(r"(\S+)\s+: (ok=.*)", line):
            found[match[1]] = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", match[2])}
    return found


def changes(printed: str) -> list[str]:
    """Return what a run changed: ``["nginx : Reload nginx: changed: [trixie]", …]``."""
    found, task = [], ""
    for line in printed.splitlines():
        if match := re.match(r"TASK \[(.*)\]", line):
            task = match[1]
        elif line.startswith("changed:"):
            found.append(f"{task}: {line}")
    return found
