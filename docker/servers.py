"""Boot the hosts of a topology as blank Debian servers in containers.

A topology is an ordinary Ansible inventory (YAML) whose hosts may say
``debian_release: trixie|bookworm`` and ``ansible_user: root|debian``.  Usage::

    docker/servers.py up TOPOLOGY     boot what is missing; writes .cache/servers/inventory.yml
    docker/servers.py down            remove all of them

Each server has systemd, SSH and an address of its own that this machine reaches.
"""

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

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tandem.bounded.documents import DocumentError, yaml_data  # noqa: E402
from tandem.bounded.files import read_text  # noqa: E402

STATE = Path(os.environ.get("SERVERS_STATE", ROOT / ".cache" / "servers"))
NAME = os.environ.get("SERVERS_NAME", "tandem-servers")
KEY = STATE / "ssh-key"
BOOT_SECONDS = 60


def run(*command: str, check: bool = True, **options: Any) -> str:
    """Run a command; return what it printed.  Exits with its complaint when it fails."""
    done = subprocess.run(command, text=True, capture_output=True, **options)
    if check and done.returncode:
        sys.exit(f"tandem: {' '.join(command[:4])}… failed: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def hosts_of(inventory: Any) -> dict[str, dict[str, Any]]:
    """Return every host of a YAML inventory with the variables written at it.

    Raises ``DocumentError`` for what is no inventory.
    """
    found: dict[str, dict[str, Any]] = {}

    def walk(group: Any) -> None:
        for host, variables in _mapping(_mapping(group).get("hosts")).items():
            if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", str(host)):
                raise DocumentError(f"{host!r} is no name that a server could have")
            found.setdefault(str(host), {}).update(_mapping(variables))
        for child in _mapping(_mapping(group).get("children")).values():
            walk(child)

    for group in _mapping(inventory).values():
        walk(group)
    return found


def _mapping(value: Any) -> dict[Any, Any]:
    if value is None or isinstance(value, dict):
        return value or {}
    raise DocumentError(f"an inventory has mappings only, got {str(value)[:50]!r}")


def image(debian: str) -> str:
    """Build the bootable image of a Debian release; return its name."""
    if debian not in ("trixie", "bookworm"):
        sys.exit(f"tandem: debian_release must be trixie or bookworm, got {debian!r}.")
    run("docker/base-image.sh", f"debian:{debian}-slim", cwd=ROOT)
    name = f"tandem-server:{debian}"
    run(
        "docker", "build", "--quiet", "--target", "server", "--tag", name,
        "--build-arg", f"DEBIAN_RELEASE={debian}", "--file", "docker/Dockerfile", ".",
        cwd=ROOT,
    )  # fmt: skip
    return name


def boot(host: str, variables: dict[str, Any]) -> None:
    """Start the container of ``host``, with our key for its user."""
    container = f"{NAME}-{host}"
    if run("docker", "ps", "--quiet", "--filter", f"name=^{container}$"):
        return
    run("docker", "rm", "--force", container, check=False)
    # Other servers find the site by its names, as by DNS.
    aliases = [f"--network-alias={n}" for n in [host, *variables.get("tandem_server_names", [])]]
    run(
        "docker", "run", "--detach", "--privileged", "--cgroupns=private", "--name", container,
        "--hostname", host, "--network", NAME, *aliases,
        "--tmpfs", "/run", "--tmpfs", "/tmp", image(variables.get("debian_release", "trixie")),  # noqa: S108
    )  # fmt: skip
    user = variables.get("ansible_user", "root")
    home = "/root" if user == "root" else f"/home/{user}"
    run(
        "docker", "exec", "--interactive", container, "sh", "-c",
        f"install -d -m 700 -o {user} {home}/.ssh && cat >{home}/.ssh/authorized_keys"
        f" && chown {user} {home}/.ssh/authorized_keys",
        input=KEY.with_suffix(".pub").read_text(),
    )  # fmt: skip


def address(host: str) -> str:
    """Return the IPv4 address of a running server."""
    found = json.loads(run("docker", "inspect", f"{NAME}-{host}"))
    return found[0]["NetworkSettings"]["Networks"][NAME]["IPAddress"]


def wait_booted(host: str) -> None:
    """Wait until the server's SSH answers; note its host key."""
    deadline = time.monotonic() + BOOT_SECONDS
    while not (keys := run("ssh-keyscan", "-T", "2", "-t", "ed25519", address(host), check=False)):
        if time.monotonic() > deadline:
            sys.exit(f"tandem: {host} did not boot within {BOOT_SECONDS} s; see 'docker logs'.")
        time.sleep(0.5)
    with (STATE / "known_hosts").open("a") as known:
        known.write(keys + "\n")


def up(topology: Path) -> None:
    """Boot the servers of ``topology`` and write the inventory that reaches them."""
    try:
        hosts = hosts_of(yaml_data(read_text(topology)))
    except OSError as error:
        sys.exit(f"tandem: cannot read the topology {topology}: {error.strerror}.")
    except DocumentError as error:
        sys.exit(f"tandem: {topology}:{error.line}: {error}.")
    if not hosts:
        sys.exit(f"tandem: {topology} names no hosts; it must be a YAML inventory.")
    STATE.mkdir(parents=True, exist_ok=True)
    (STATE / "known_hosts").unlink(missing_ok=True)
    if not KEY.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tandem rehearsal", "-f", str(KEY))
    if not run("docker", "network", "ls", "--quiet", "--filter", f"name=^{NAME}$"):
        run("docker", "network", "create", NAME)
    for host, variables in hosts.items():
        boot(host, variables)
    for host in hosts:
        wait_booted(host)
    known = f"-o UserKnownHostsFile={STATE / 'known_hosts'} -o ControlPath={STATE}/%C"
    overlay = {
        "all": {
            "hosts": {
                h: {"ansible_host": address(h), "tandem_private_address": address(h)} for h in hosts
            },
            "vars": {
                "ansible_ssh_private_key_file": str(KEY),
                "ansible_ssh_common_args": known,
                "tandem_rehearsal": True,
            },
        }
    }
    (STATE / "inventory.yml").write_text(yaml.safe_dump(overlay))
    (STATE / "topology").write_text(str(topology.resolve()))
    for host in hosts:
        print(f"{host:12} {address(host):15} ssh -F none -i {KEY} {address(host)}")


def down() -> None:
    """Remove every server and their network."""
    for container in run(
        "docker", "ps", "--all", "--quiet", "--filter", f"name=^{NAME}-"
    ).splitlines():
        run("docker", "rm", "--force", "--volumes", container)
    run("docker", "network", "rm", NAME, check=False)
    for name in ("inventory.yml", "topology", "known_hosts"):
        (STATE / name).unlink(missing_ok=True)


def main() -> None:
    """Do what the command line says."""
    match sys.argv[1:]:
        case ["up", topology]:
            up(Path(topology))
        case ["down"]:
            down()
        case _:
            sys.exit("usage: docker/servers.py up TOPOLOGY | down")


if __name__ == "__main__":
    main()
