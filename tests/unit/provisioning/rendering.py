"""Templates and variables of the roles, rendered by Ansible itself, without a server."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

from tests.checkout import ROOT

ANSIBLE = ROOT / "ansible"
ROLES = sorted(path for path in (ANSIBLE / "roles").iterdir() if path.is_dir())
FACTS = {
    "memtotal_mb": 4096,
    "distribution": "Debian",
    "distribution_major_version": "13",
    "distribution_release": "trixie",
    "architecture": "x86_64",
    "virtualization_type": "kvm",
}


@cache
def _loader() -> DataLoader:
    init_plugin_loader()
    from ansible.plugins.loader import filter_loader

    filter_loader.add_directory(str(ANSIBLE / "filter_plugins"))
    loader = DataLoader()
    loader.set_basedir(str(ANSIBLE))
    return loader


class Server:
    """A server of an inventory, as the roles see it."""

    def __init__(self, inventory: str, name: str, **variables: Any) -> None:
        known = yaml.safe_load((ANSIBLE / "inventories" / inventory / "hosts.yml").read_text())[
            "all"
        ]
        hosts: dict[str, dict[str, Any]] = known["hosts"]
        shared = {**known.get("vars", {}), **variables}
        groups = {"all": sorted(hosts)}
        groups |= {g: sorted(c.get("hosts") or {}) for g, c in known.get("children", {}).items()}
        found: dict[str, Any] = {}
        for role in ROLES:
            for part in ("defaults", "vars"):
                if (file := role / part / "main.yml").exists():
                    found |= _loader().load_from_file(str(file), trusted_as_template=True) or {}
        hostvars = {
            host: {"inventory_hostname": host, "tandem_site": "site", **shared, **(own or {})}
            for host, own in hosts.items()
        }
        self._variables = {
            **found, **shared, **(hosts[name] or {}), "groups": groups, "hostvars": hostvars,
            "inventory_hostname": name, "group_names": [g for g in groups if name in groups[g]],
            "ansible_facts": FACTS, "playbook_dir": str(ANSIBLE), "release": "r1",
            "ansible_search_path": [str(role) for role in ROLES],
        }  # fmt: skip

    def value(self, text: str, **more: Any) -> Any:
        """Return what a template gives on this server."""
        trusted = {k: trust_as_template(v) if isinstance(v, str) else v for k, v in more.items()}
        templar = Templar(_loader(), variables={**self._variables, **trusted})
        return templar.template(trust_as_template(text))

    def __getitem__(self, name: str) -> Any:
        """Return a variable."""
        return self.value(f"{{{{ {name} }}}}")

    def arguments(self, task: dict[str, Any], module: str) -> dict[str, Any]:
        """Return the arguments of a task's module, rendered."""
        return {
            name: self.value(value, **task.get("vars", {})) if isinstance(value, str) else value
            for name, value in task[module].items()
        }

    def file(self, role: str, template: str, **more: Any) -> str:
        """Return a role's template, rendered."""
        text = (ANSIBLE / "roles" / role / "templates" / template).read_text()
        return str(self.value(text, role_path=str(ANSIBLE / "roles" / role), **more))


def one(**variables: Any) -> Server:
    """Return the only server of the single inventory."""
    known = yaml.safe_load((ANSIBLE / "inventories/single/hosts.yml").read_text())["all"]
    return Server("single", next(iter(known["hosts"])), **variables)


def several(name: str, **variables: Any) -> Server:
    """Return a server of the production inventory: edge1, app1, app2 or data1."""
    return Server("production", name, **variables)


def tasks() -> list[tuple[Path, dict[str, Any]]]:
    """Return every task of the roles, those in blocks included, with its file."""
    files = [f for role in ROLES for f in sorted((role / "tasks").glob("*.yml"))]
    found: list[tuple[Path, dict[str, Any]]] = []

    def walk(file: Path, entries: list[dict[str, Any]], around: dict[str, Any]) -> None:
        for entry in entries:
            if "block" in entry:
                outer = {**around, **{k: v for k, v in entry.items() if k in ("when", "no_log")}}
                for part in ("block", "rescue", "always"):
                    walk(file, entry.get(part, []), outer)
            else:
                found.append((file, {**around, **entry}))

    for file in files:
        walk(file, yaml.safe_load(file.read_text()) or [], {})
    return found
