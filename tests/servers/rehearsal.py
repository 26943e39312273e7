"""Servers of the tests' own: booted, provisioned and asked by the product's commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from tests.checkout import CACHE, ROOT, named
from tests.load.site import SESSIONS, Site, crowd

# No command takes so long unless it hangs, however busy the machine is.
HANG_SECONDS = 3600
# Prints the key of a new session of a user.
SESSION = (
    'tandem-manage shell -v0 -c "from django.contrib.auth import get_user_model as g;'
    "from django.contrib.sessions.backends.db import SessionStore as S;"
    "u, _ = g().objects.get_or_create(username='%s'); s = S();"
    "s['_auth_user_id'] = str(u.pk);"
    "s['_auth_user_backend'] = 'django.contrib.auth.backends.ModelBackend';"
    "s['_auth_user_hash'] = u.get_session_auth_hash(); s.save(); print(s.session_key)\""
)
TOPOLOGIES = ROOT / "tests" / "servers" / "topologies"
COPIES = named("kept")  # the first part of the names of this checkout's copies
RELEASES = CACHE / named("releases")
# What the units of a server and its nginx said: since when, and how many lines.
LOGS = (
    "journalctl --no-pager --quiet --output short-precise --since @%.6f --lines %d -u nginx"
    " -u 'wsgi@*' -u 'asgi@*' -u 'notify@*' -u 'process@*' -u 'redis-server@*'"
    " -u 'postgresql@*' -u tandem-firewall; systemctl --failed --no-legend --plain;"
    " tail -n %d /var/log/nginx/error.log 2>/dev/null; true"
)


PLAY = (sys.executable, "-m", "tandem", "servers", "play")


class Rehearsal:
    """The servers of one topology, or ``only`` one of them.

    ``what`` keeps them apart from the others of this checkout; ``strategy`` is Ansible's, if not
    that of ``tandem servers``.
    """

    def __init__(
        self, topology: str, what: str = "servers", only: str = "", strategy: str = ""
    ) -> None:
        self.strategy = {"ANSIBLE_STRATEGY": strategy} if strategy else {}
        self.name = named(what)
        self.state = CACHE / self.name
        self.topology = TOPOLOGIES / topology
        if only:
            self.topology = self._reduced(only)

    def _reduced(self, only: str) -> Path:
        """Write the topology that has one host of ours alone; return its file."""
        inventory = yaml.safe_load(self.topology.read_text())["all"]
        inventory["hosts"] = {only: inventory["hosts"][only]}
        inventory["children"] = {group: {"hosts": {only: {}}} for group in inventory["children"]}
        self.state.mkdir(parents=True, exist_ok=True)
        file = self.state / "reduced.yml"
        file.write_text(yaml.safe_dump({"all": inventory}))
        return file

    @property
    def hosts(self) -> list[str]:
        """Return the names of the topology's hosts."""
        return list(yaml.safe_load(self.topology.read_text())["all"]["hosts"])

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of the product's commands for these servers."""
        return {
            **os.environ,
            "SERVERS_NAME": self.name,
            "SERVERS_STATE": str(self.state),
            "SERVERS_COPIES": COPIES,
            "ANSIBLE_NOCOLOR": "1",
            **self.strategy,
        }

    def run(
        self, *command: str, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the checkout for these servers."""
        done = subprocess.run(
            command, cwd=ROOT, env={**self.environment, **variables}, text=True,
            capture_output=True, timeout=HANG_SECONDS,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(
                f"{command} exited {done.returncode}:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}"
            )
        return done

    def up(self, copy: str = "") -> None:
        """Boot the servers: blank, or from the copies of that name."""
        self.run("make", "servers", f"TOPOLOGY={self.topology}", f"COPY={copy}")

    def keep(self, copy: str) -> None:
        """Keep the servers, as they are, as copies of that name."""
        self.run("make", "servers-keep", f"COPY={copy}")

    def down(self) -> None:
        """Remove them."""
        self.run("make", "servers-down")

    def command(self, playbook: str, *options: str) -> list[str]:
        """Return the command that runs a playbook with the releases of the tests."""
        return [*PLAY, playbook, "-e", f"tandem_release_folder={RELEASES}", *options]

    def play(self, playbook: str, *options: str, check: bool = True) -> str:
        """Run a playbook; return what was printed.  Without ``check`` it has to fail."""
        done = self.run(*self.command(playbook, *options), check=check)
        assert check or done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def provision(self, *options: str, check: bool = True) -> str:
        """Run site.yml; return what was printed."""
        return self.play("site.yml", *options, check=check)

    def start(self, playbook: str, *options: str) -> subprocess.Popen[str]:
        """Start a playbook, with a process group of its own."""
        return subprocess.Popen(
            self.command(playbook, *options), cwd=ROOT, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def execute(self, host: str, script: str, check: bool = True) -> str:
        """Run a shell script as root on a server; return its output."""
        return self.run(
            "docker", "exec", f"{self.name}-{host}", "bash", "-c", script, check=check
        ).stdout.strip()

    def journal(self, host: str, units: str, since: float) -> str:
        """Return what the journal has of ``units`` (a pattern) since a Unix time."""
        return self.execute(
            host, f"journalctl --output cat --unit '{units}' --since @{since:.6f} --no-pager"
        )

    def site(self, host: str, user: str = "visitor") -> Site:
        """Return the site of a server, as a user who is logged in."""
        return Site(
            f"{host}.test", self.address(host), 443, self.cookie(host, user), self.crowd(host)
        )

    def crowd(self, host: str) -> tuple[str, ...]:
        """Return cookies of many users, new ones."""
        return crowd(self.execute(host, f'tandem-manage shell -v0 -c "{SESSIONS}"'))

    def cookie(self, host: str, user: str = "visitor") -> str:
        """Return the Cookie header of a new session of ``user``, made on a server."""
        return f"sessionid={self.execute(host, SESSION % user).splitlines()[-1]}"

    def instances(self, host: str) -> dict[str, str]:
        """Return what each instance of a server runs."""
        listed = self.execute(host, "/usr/local/lib/tandem/instance.py list")
        return {entry["instance"]: entry["runs"] for entry in json.loads(listed)}

    @property
    def inventory(self) -> dict[str, Any]:
        """Return how the servers are reached: the inventory that ``make servers`` wrote."""
        return yaml.safe_load((self.state / "inventory.yml").read_text())["all"]

    def address(self, host: str) -> str:
        """Return a server's address."""
        return self.inventory["hosts"][host]["ansible_host"]

    def reboot(self, host: str) -> None:
        """Reboot a server, really, and wait until all that starts at boot has."""
        container = f"{self.name}-{host}"
        boot = self.execute(host, "cut -d' ' -f22 /proc/1/stat")
        self.run("docker", "exec", container, "systemctl", "reboot", check=False)
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.5)
            running = self.run("docker", "inspect", "--format", "{{.State.Running}}", container)
            if running.stdout.strip() == "false":
                self.run("docker", "start", container)
            started = self.execute(host, "cut -d' ' -f22 /proc/1/stat", check=False)
            # While it goes down, the engine's complaint comes as output, too.
            if not started.isdigit() or started == boot:
                continue
            # Before its bus is there, the first question fails instead of waiting.
            state = self.execute(host, "systemctl is-system-running --wait", check=False)
            if state in ("running", "degraded"):
                self._forget_connections()
                return
        raise AssertionError(f"{host} did not come back")

    def _forget_connections(self) -> None:
        """End SSH's kept connections: of one whose server was rebooted it does not know."""
        options = self.inventory["vars"]["ansible_ssh_common_args"]
        kept = Path(options.rpartition("ControlPath=")[2]).parent
        for socket in kept.glob("*"):
            self.run("ssh", "-o", f"ControlPath={socket}", "-O", "exit", "anybody", check=False)

    def said(self, since: float, lines: int) -> str:
        """Return the servers' own last lines since a Unix time (``tests.runner.evidence``)."""
        if not (self.state / "inventory.yml").exists():
            return ""
        read = LOGS % (since, lines, lines)
        logs = {host: self.execute(host, read, check=False) for host in self.hosts}
        return "\n".join(f"--- {host}\n{log}" for host, log in logs.items())


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
