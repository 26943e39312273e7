"""Run Ansible's playbooks, and the specifications, on an inventory or on the rehearsal."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from pathlib import Path

from tandem.facts import NEWEST_DEBIAN
from tandem.ops.checkout import site
from tandem.ops.checkout.programs import CACHE, ROOT, Failed, Programs

ANSIBLE = ROOT / "ansible"
BIN = Path(sys.executable).parent
# One Python stays on each server for the whole run: a run costs less than half (docs/servers.md).
# ANSIBLE_STRATEGY=linear: as Ansible alone does it.
STRATEGY = "mitogen_linear"


def inventories(programs: Programs) -> list[str]:
    """Return Ansible's options for ``INVENTORY``, or for the rehearsal that has been booted."""
    given = programs.environment.get("INVENTORY", "")
    state = Path(programs.environment.get("SERVERS_STATE") or CACHE / "servers")
    if given:
        if not Path(given).exists():
            raise Failed(f"there is no inventory {given}; ansible/inventories has examples.")
        files = [str(Path(given).resolve())]
    elif (state / "topology").exists():
        files = [(state / "topology").read_text(), str(state / "inventory.yml")]
    else:
        raise Failed(
            "no INVENTORY given and no servers are booted: make servers, or make …"
            " INVENTORY=ansible/inventories/yours/hosts.yml"
        )
    return [f"--inventory={file}" for file in files]


def prepared(programs: Programs) -> list[str]:
    """Lay out the site that ``SITE`` names; return Ansible's options for it."""
    if (place := site.named(programs.environment)) is None:
        return []
    programs.environment |= site.prepare(place, NEWEST_DEBIAN, programs)
    return [f"--extra-vars=@{programs.environment['SITE_VARIABLES']}"]


def play(programs: Programs, playbook: str, *options: str) -> None:
    """Become ``ansible-playbook``."""
    command = [*inventories(programs), *prepared(programs), playbook, *options]
    environment = programs.environment
    if (environment.get("ANSIBLE_STRATEGY") or STRATEGY) == STRATEGY:
        found = importlib.util.find_spec("ansible_mitogen")
        if found is None or found.origin is None:
            raise Failed("there is no Mitogen here; 'docker/venv.sh servers' installs it.")
        environment |= {
            "ANSIBLE_STRATEGY": STRATEGY,
            "ANSIBLE_STRATEGY_PLUGINS": str(Path(found.origin).parent / "plugins/strategy"),
            # It says so of every strategy that is not its own.
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
        }
    programs.become(str(BIN / "ansible-playbook"), *command, folder=ANSIBLE)


def verify(programs: Programs, *options: str) -> int:
    """Ask the servers whether they are as they should be; read only."""
    chosen = inventories(programs)
    prepared(programs)
    programs.environment |= {
        "PATH": f"{BIN}{os.pathsep}{programs.environment['PATH']}",
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
    }
    # testinfra takes one inventory.
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as merged:
        listed: list[str] = [str(BIN / "ansible-inventory"), *chosen, "--list", "--yaml"]
        if status := programs.run(*listed, out=merged.file, folder=ANSIBLE):
            return status
        return programs.run(
            sys.executable, "-m", "pytest", "tests/servers/specs", "--hosts=ansible://all",
            f"--ansible-inventory={merged.name}", *options,
        )  # fmt: skip
