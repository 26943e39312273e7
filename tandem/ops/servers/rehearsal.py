"""Boot the hosts of a topology as Debian servers in containers: blank, or as they were kept.

A topology is an ordinary Ansible inventory (YAML) whose hosts may say
``debian_release: trixie|bookworm`` and ``ansible_user: root|debian``.  ``.cache/servers`` gets an
inventory that reaches them.

Each server has systemd, SSH and an address of its own, the same at each boot, that this
machine reaches.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tandem import facts
from tandem.ops.bounded.documents import DocumentError, yaml_data
from tandem.ops.bounded.files import read_text
from tandem.ops.checkout.images import base_image
from tandem.ops.checkout.programs import CACHE, ROOT, Programs

STATE = Path(os.environ.get("SERVERS_STATE", CACHE / "servers"))
NAME = os.environ.get("SERVERS_NAME", "tandem-servers")
# Copies are images HOLDER/HOST:COPY; several rehearsals may boot those of one.
HOLDER = os.environ.get("SERVERS_COPIES", NAME)
LABEL = "tandem.servers"  # of all that is made here; its value is NAME
ADDRESS = "tandem.address"  # of a copy: where it was kept
KEY = STATE / "ssh-key"
PLACE = hashlib.sha256(f"{STATE} {NAME}".encode())
# SSH's shared connections: a socket's path is short, which a checkout's need not be.
SOCKETS = Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}-{PLACE.hexdigest()[:8]}"
NETWORKS = ipaddress.IPv4Network("10.199.0.0/16")
FIRST_ADDRESS = 10
HANG_SECONDS = 300  # for a boot or a stop: this machine may be busy


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
    """Build the bootable image of a Debian release; return its id."""
    if debian not in facts.DEBIANS:
        known = " or ".join(reversed(facts.DEBIANS))
        sys.exit(f"tandem: debian_release must be {known}, got {debian!r}.")
    base_image(Programs.here(), debian)
    return run(
        "docker", "build", "--quiet", "--target", "server", "--tag", f"tandem-server:{debian}",
        "--build-arg", f"DEBIAN_RELEASE={debian}", "--file", "docker/Dockerfile", ".",
        cwd=ROOT,
    )  # fmt: skip


def copy_of(host: str, copy: str, address: str) -> str:
    """Return the image of a host's copy; exits if there is none that lives at ``address``."""
    name = f"{HOLDER}/{host}:{copy}"
    if not run("docker", "image", "ls", "--quiet", name):
        sys.exit(f"tandem: there is no copy {copy} of {host}; 'tandem servers keep' makes one.")
    kept_at = json.loads(run("docker", "image", "inspect", name))[0]["Config"]["Labels"][ADDRESS]
    if address and kept_at != address:
        sys.exit(
            f"tandem: {host} was kept at {kept_at}, which another network of this machine has now;"
            f" remove that network, or provision anew after 'tandem servers forget {copy}'."
        )
    return name


def network() -> ipaddress.IPv4Network:
    """Make the network of these servers, the same one each time; return its addresses."""
    noted = STATE / "network"
    if run("docker", "network", "ls", "--quiet", "--filter", f"name=^{NAME}$"):
        shown = json.loads(run("docker", "network", "inspect", NAME))
        return ipaddress.IPv4Network(shown[0]["IPAM"]["Config"][0]["Subnet"])
    routes = json.loads(run("ip", "-json", "-4", "route"))
    routed = [ipaddress.ip_network(r["dst"]) for r in routes if r["dst"] != "default"]
    taken = [one for one in routed if isinstance(one, ipaddress.IPv4Network)]
    before = [ipaddress.IPv4Network(noted.read_text())] if noted.exists() else []
    free = list(NETWORKS.subnets(new_prefix=26))
    # Each checkout begins elsewhere, so that two of them seldom want the same.
    start = int(PLACE.hexdigest(), 16) % len(free)
    for subnet in [*before, *free[start:], *free[:start]]:
        if any(subnet.overlaps(one) for one in taken):
            continue
        made = ("docker", "network", "create", "--label", f"{LABEL}={NAME}", "--subnet")
        # Another checkout may have taken it since.
        if run(*made, str(subnet), NAME, check=False):
            noted.write_text(str(subnet))
            return ipaddress.IPv4Network(subnet)
    sys.exit(f"tandem: no network is free in {NETWORKS}; 'docker network ls' shows who has them.")


def share_a_site(hosts: dict[str, dict[str, Any]]) -> bool:
    """Tell whether some of the hosts serve one site together, so know each other's addresses."""
    return len({variables.get("tandem_site") for variables in hosts.values()}) < len(hosts)


def boot(host: str, variables: dict[str, Any], address: str, source: str) -> None:
    """Start the container of ``host`` from the image ``source``, with our key for its user."""
    container = f"{NAME}-{host}"
    if run("docker", "ps", "--quiet", "--filter", f"name=^{container}$"):
        return
    run("docker", "rm", "--force", container, check=False)
    # Other servers find the site by its names, as by DNS.
    aliases = [f"--network-alias={n}" for n in [host, *variables.get("tandem_server_names", [])]]
    run(
        "docker", "run", "--detach", "--privileged", "--cgroupns=private", "--name", container,
        "--label", f"{LABEL}={NAME}", "--hostname", host, "--network", NAME, "--ip", address,
        *aliases, "--tmpfs", "/run", "--tmpfs", "/tmp", source,  # noqa: S108
    )  # fmt: skip
    user = variables.get("ansible_user", "root")
    home = "/root" if user == "root" else f"/home/{user}"
    run(
        "docker", "exec", "--interactive", container, "sh", "-c",
        f"install -d -m 700 -o {user} {home}/.ssh && cat >{home}/.ssh/authorized_keys"
        f" && chown {user} {home}/.ssh/authorized_keys",
        input=KEY.with_suffix(".pub").read_text(),
    )  # fmt: skip


def wait_booted(host: str, address: str) -> None:
    """Wait until everything that starts at boot has, and SSH answers; note its host key."""
    asked = ("docker", "exec", f"{NAME}-{host}", "systemctl", "is-system-running", "--wait")
    deadline = time.monotonic() + HANG_SECONDS
    # "degraded": a unit failed, which is for whoever looks at this server.
    while run(*asked, check=False) not in ("running", "degraded") or not (
        keys := run("ssh-keyscan", "-T", "5", "-t", "ed25519", address, check=False)
    ):
        if time.monotonic() > deadline:
            sys.exit(f"tandem: {host} did not boot within {HANG_SECONDS} s; see 'docker logs'.")
        time.sleep(0.2)
    with (STATE / "known_hosts").open("a") as known:
        known.write(keys + "\n")


def up(topology: Path, copy: str = "") -> None:
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
    SOCKETS.mkdir(mode=0o700, exist_ok=True)
    if SOCKETS.stat().st_uid != os.getuid():
        sys.exit(f"tandem: {SOCKETS} is somebody else's; remove it.")
    (STATE / "known_hosts").unlink(missing_ok=True)
    if not KEY.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tandem rehearsal", "-f", str(KEY))
    free = network()
    addresses = {host: str(free[FIRST_ADDRESS + n]) for n, host in enumerate(hosts)}
    for host, variables in hosts.items():
        at = addresses[host] if share_a_site(hosts) else ""
        debian = variables.get("debian_release", facts.NEWEST_DEBIAN)
        source = copy_of(host, copy, at) if copy else image(debian)
        boot(host, variables, addresses[host], source)
    for host, address in addresses.items():
        wait_booted(host, address)
    known = f"-o UserKnownHostsFile={STATE / 'known_hosts'} -o ControlPath={SOCKETS}/%C"
    overlay = {
        "all": {
            "hosts": {
                h: {"ansible_host": a, "tandem_private_address": a} for h, a in addresses.items()
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
    for host, address in addresses.items():
        print(f"{host:12} {address:15} ssh -F none -i {KEY} {address}")


def ours(*options: str) -> dict[str, str]:
    """Return our containers: ``{host: container}``."""
    listed = run(
        "docker", "ps", "--filter", f"label={LABEL}={NAME}", "--format", "{{.Names}}", *options
    )
    return {name.removeprefix(f"{NAME}-"): name for name in listed.split()}


def keep(copy: str) -> None:
    """Stop the servers, keep each as an image, and boot them again from there.

    Each boot of a copy makes a machine id and SSH host keys of its own.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", copy):
        sys.exit(f"tandem: a copy is named by a-z, 0-9, '.', '_' and '-', got {copy!r}; COPY=name.")
    servers, topology = ours(), STATE / "topology"
    if not servers or not topology.exists():
        sys.exit("tandem: no servers are booted that could be kept; run 'make servers' first.")
    for container in servers.values():
        own = "rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id; : >/etc/machine-id"
        run("docker", "exec", container, "sh", "-c", own)
    # Not while they run: PostgreSQL's files are whole once it has stopped.
    run("docker", "stop", "--time", str(HANG_SECONDS), *servers.values())
    for host, container in servers.items():
        at = json.loads(run("docker", "inspect", container))[0]["NetworkSettings"]["Networks"]
        label = f"LABEL {LABEL}={HOLDER} {ADDRESS}={at[NAME]['IPAMConfig']['IPv4Address']}"
        run("docker", "commit", "--change", label, container, f"{HOLDER}/{host}:{copy}")
        run("docker", "rm", "--volumes", container)
    up(Path(topology.read_text()), copy)


def forget(copy: str) -> None:
    """Remove the copies of that name."""
    listed = run(
        "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{HOLDER}/*:{copy}"
    )
    if not listed:
        sys.exit(f"tandem: there are no copies {copy}.")
    run("docker", "image", "rm", *listed.split())


def down() -> None:
    """Remove every server and their network; the network's addresses stay noted."""
    if servers := ours("--all"):
        run("docker", "rm", "--force", "--volumes", *servers.values())
    run("docker", "network", "rm", NAME, check=False)
    for name in ("inventory.yml", "topology", "known_hosts"):
        (STATE / name).unlink(missing_ok=True)
    shutil.rmtree(SOCKETS, ignore_errors=True)
