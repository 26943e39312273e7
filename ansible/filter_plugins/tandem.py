"""Filters that let the playbooks use the ``tandem`` package itself: one home for each fact."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tandem.ops.nginx.existing import render as render_beside  # noqa: E402
from tandem.ops.nginx.generate import GENERATED, edge_config, render  # noqa: E402
from tandem.ops.routes.model import RoutesError, load  # noqa: E402


def nginx_files(settings: dict[str, Any], routes: str) -> dict[str, str]:
    """Return nginx's generated files, ``{name: text}``, for ``settings`` and a routes file.

    Raises ``AnsibleFilterError`` in the words of ``tandem.ops.routes``.
    """
    try:
        files = render({k: str(v) for k, v in settings.items()}, load(Path(routes)))
    except KeyError as error:
        raise AnsibleFilterError(f"the setting {error.args[0]} is missing") from None
    except (RoutesError, ValueError) as error:
        raise AnsibleFilterError(str(error)) from None
    return {name: GENERATED + text for name, text in files.items()}


def beside_files(settings: dict[str, Any], routes: str, websocket: str) -> dict[str, str]:
    """Return nginx's files for a server that has its own nginx: ``tandem.ops.nginx.existing``."""
    try:
        files = render_beside(
            {k: str(v) for k, v in settings.items()}, load(Path(routes)), websocket
        )
    except KeyError as error:
        raise AnsibleFilterError(f"the setting {error.args[0]} is missing") from None
    except (RoutesError, ValueError) as error:
        raise AnsibleFilterError(str(error)) from None
    return {name: GENERATED + text for name, text in files.items()}


def folder_files(folder: str) -> dict[str, str]:
    """Return every text file under ``folder``, ``{relative name: text}``."""
    root = Path(folder)
    if not root.is_dir():
        raise AnsibleFilterError(f"{folder} is no folder")
    return {str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*")) if p.is_file()}


def below(files: dict[str, str], folder: str) -> dict[str, str]:
    """Return the files with their names in ``folder``."""
    return {f"{folder}/{name}": text for name, text in files.items()}


def unit_files(files: dict[str, str], kinds: list[str], dropins: list[str]) -> dict[str, str]:
    """Return the units of ``kinds`` and their drop-ins by name below /etc/systemd/system.

    ``files`` are those of deploy/systemd.
    """
    units = {"tandem.target": files["tandem.target"]}
    for kind in kinds:
        units[f"{kind}@.service"] = files[f"{kind}@.service"]
        units |= {f"{kind}@.service.d/{name}": files[name] for name in dropins}
        if f"{kind}@.socket" not in files:  # it listens nowhere: process@worker
            continue
        units[f"{kind}@.socket"] = files[f"{kind}@.socket"]
        units[f"{kind}@trial.service.d/trial.conf"] = files["trial.conf"]
        units[f"{kind}@trial.socket.d/trial.conf"] = files["trial-socket.conf"]
    return units


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "tandem_nginx_files": nginx_files,
            "tandem_edge_config": edge_config,
            "tandem_folder_files": folder_files,
            "tandem_beside_files": beside_files,
            "tandem_below": below,
            "tandem_unit_files": unit_files,
        }
