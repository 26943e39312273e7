"""The kinds of process (wsgi, asgi, notify) and their instances, from ``tandem_kinds``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tandem import facts

Kinds = Mapping[str, Mapping[str, Any]]


def app_hosts(groups: Mapping[str, Any]) -> str:
    """Return the pattern of all servers that run instances, of groups that the inventory has."""
    return ":".join(kind for kind in facts.KINDS if kind in groups) or ":".join(facts.SIDES)


def total(kinds: Kinds, what: str) -> int:
    """Return how many ``what`` all instances of all kinds have together."""
    return sum(len(k["hosts"]) * k["instances"] * k[what] for k in kinds.values())


def instance_names(kinds: Kinds, host: str) -> list[str]:
    """Return the instances that ``host`` runs: ``["wsgi@1", …]``."""
    return [
        f"{name}@{n}"
        for name, kind in kinds.items()
        if host in kind["hosts"]
        for n in range(1, kind["instances"] + 1)
    ]


def processes_of(
    host: str, processes: list[str], servers: Mapping[str, list[str]], apps: list[str]
) -> list[str]:
    """Return the site's own processes that ``host`` runs: ``["process@worker", …]``.

    ``servers`` says which run each of ``processes``; otherwise the first of ``apps`` does.
    """
    return [f"process@{name}" for name in processes if host in servers.get(name, apps[:1])]


def run_by(
    names: list[str], listening: list[str], credentials: list[str], spread: bool
) -> dict[str, dict[str, list[str]]]:
    """Return the files that instances run by, and those of ``listening`` listen by, by unit."""
    units = "/etc/systemd/system"
    found = {}
    for name in names:
        unit = f"{units}/{name.partition('@')[0]}@"
        found[f"{name}.service"] = {
            "files": [
                f"{facts.INSTANCES}/{name}", facts.SITE_ENV, f"{unit}.service",
                f"{unit}.service.d/sandbox.conf", f"{unit}.service.d/host.conf",
                *(f"{facts.CREDENTIALS}/{credential}" for credential in credentials),
            ]
        }  # fmt: skip
        if name in listening:
            own = [f"{unit}.socket.d/listen.conf"] if spread else []
            found[f"{name}.socket"] = {"files": [f"{unit}.socket", *own]}
    return found


def listen(names: list[str], kinds: Kinds, address: str) -> dict[str, str]:
    """Return the TCP address of each of ``names``: ``{"wsgi@1": "10.0.0.2:8101"}``."""
    found = {}
    for name in names:
        kind, _, number = name.partition("@")
        found[name] = f"{address}:{kinds[kind]['port']}{number}"
    return found


def nginx_settings(kinds: Kinds, hostvars: Any, spread: bool) -> dict[str, str]:
    """Return ``WSGI_INSTANCES``, ``WSGI_SERVERS`` and their like: for tandem.ops.nginx.generate.

    Several servers: ``app1/wsgi@1=10.0.0.2:8101,…``; one: empty, each has a Unix socket.
    """
    found = {}
    for name, kind in kinds.items():
        servers = [
            f"{host}/{instance}={address}"
            for host in (kind["hosts"] if spread else [])
            for instance, address in listen(
                instance_names({name: kind}, host),
                kinds,
                hostvars[host]["tandem_private_address"],
            ).items()
        ]
        count = kind["instances"] if kind["hosts"] else 0
        found |= {
            f"{name.upper()}_INSTANCES": str(count),
            f"{name.upper()}_SERVERS": ",".join(servers),
        }
    return found


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "tandem_app_hosts": app_hosts,
            "tandem_total": total,
            "tandem_instance_names": instance_names,
            "tandem_processes_of": processes_of,
            "tandem_run_by": run_by,
            "tandem_kind_settings": nginx_settings,
        }
