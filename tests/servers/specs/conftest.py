"""What the specifications share: the inventory's facts, read as Ansible reads them.

Run by ``make verify``: read-only, harmless on real servers.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tandem.facts import KINDS
from tandem.ops.routes.model import Route, load

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def variables(host: Any) -> dict[str, Any]:
    """Return the host's inventory variables, and what its site brings."""
    site = os.environ.get("SITE_VARIABLES")
    return host.ansible.get_variables() | (json.loads(Path(site).read_text()) if site else {})


@pytest.fixture
def routes(variables: dict[str, Any]) -> list[Route]:
    """Return which path is served where."""
    file = str(variables.get("tandem_routes", ROOT / "deploy/routes.yml"))
    return load(Path(file.replace("{{ playbook_dir }}", str(ROOT / "ansible"))))


@pytest.fixture
def own_site() -> bool:
    """Return whether the servers run app/, whose answers are known."""
    return "SITE_VARIABLES" not in os.environ


@pytest.fixture
def peers(host: Any, variables: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the inventory variables of the site's other servers."""
    read, here = host.backend.ansible_runner.get_variables, variables["inventory_hostname"]
    others = [read(name) for name in variables["groups"]["all"] if name != here]
    site = variables.get("tandem_site")
    return [other for other in others if other.get("tandem_site") == site]


@pytest.fixture
def groups(variables: dict[str, Any]) -> set[str]:
    """Return the names of the host's groups."""
    return set(variables["group_names"])


@pytest.fixture
def name(variables: dict[str, Any]) -> str:
    """Return the site's main name."""
    return variables["tandem_server_names"][0]


@pytest.fixture
def kinds(variables: dict[str, Any], groups: set[str]) -> list[str]:
    """Return the kinds of process that this server runs."""
    # Notification servers are where asgi is, unless the inventory has a group for them.
    home = {"notify": "notify" if "notify" in variables["groups"] else "asgi"}
    return [kind for kind in KINDS if home.get(kind, kind) in groups]


@pytest.fixture
def instances(variables: dict[str, Any], kinds: list[str]) -> list[str]:
    """Return the instances that this server runs: ``["wsgi@1", …]``."""
    return [
        f"{kind}@{n}"
        for kind in kinds
        for n in range(1, int(variables.get(f"tandem_{kind}_instances", 2)) + 1)
    ]


@pytest.fixture
def processes(variables: dict[str, Any]) -> list[str]:
    """Return the site's own processes that this server runs: ``["process@worker", …]``."""
    apps = sorted({host for kind in ("wsgi", "asgi") for host in variables["groups"].get(kind, [])})
    servers = variables.get("tandem_process_servers", {})
    here = variables["inventory_hostname"]
    wanted = variables.get("tandem_processes", [])
    return [f"process@{one}" for one in wanted if here in servers.get(one, apps[:1])]


@pytest.fixture
def ask(host: Any, name: str):
    """Give a function that asks the server itself for a path; returns status and body."""

    def get(path: str, *options: str) -> tuple[int, str]:
        asked = host.run(
            "curl --silent --insecure --max-time 20 --resolve %s:443:127.0.0.1"
            " --write-out '\\n%%{http_code}' %s https://%s" + " %s" * len(options),
            name,
            "--http1.1",
            name + path,
            *options,
        )
        body, _, status = asked.stdout.rpartition("\n")
        return int(status or 0), body

    return get


@pytest.fixture
def setting(variables: dict[str, Any]):
    """Give a function that returns a variable of the inventory, or the default of its role."""

    def get(name: str, role: str = "tandem") -> Any:
        file = ROOT / "ansible/roles" / role / "defaults/main.yml"
        return variables.get(name, yaml.safe_load(file.read_text())[name])

    return get


@pytest.fixture
def sshd_ports(host: Any, variables: dict[str, Any]) -> set[str]:
    """Return the ports of SSH: all that the server has, and that by which it is reached."""
    found = set(re.findall(r"(?m)^port (\d+)$", host.check_output("sshd -T")))
    return found | {str(variables.get("ansible_port", 22))}


def part(name: str) -> Any:
    """Return a fixture that skips what is of another part of the site than this server is."""

    @pytest.fixture
    def of_this_server(groups: set[str]) -> None:
        if name not in groups:
            pytest.skip(f"this server is not in the group {name}")

    return of_this_server


edge, redis, postgres = part("edge"), part("redis"), part("postgres")


@pytest.fixture
def app(kinds: list[str]) -> None:
    """Skip what is of servers that run instances."""
    if not kinds:
        pytest.skip("this server runs no instances")


@pytest.fixture
def identified(setting: Any) -> None:
    """Skip what asks the answers who gave them, where they do not say it."""
    if setting("tandem_identity_headers") != "on":
        pytest.skip("tandem_identity_headers is off")


@pytest.fixture
def spread(groups: set[str]) -> bool:
    """Say whether the site is spread over several servers."""
    return not groups >= {"edge", "wsgi", "asgi", "redis", "postgres"}
