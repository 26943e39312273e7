"""Who runs this play, and whether somebody who ran one still does."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any


def machine() -> str:
    """Return what tells this boot of this machine, and this container on it, from others."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{os.readlink('/proc/self/ns/pid')}"


def started(pid: int) -> str:
    """Return when a process was started, in clock ticks since boot; empty: there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def holder(facts: dict[str, Any]) -> dict[str, Any]:
    """Return ``facts`` and who holds the lock: this run of ansible-playbook.

    Filters of a task run in a worker, whose parent is ansible-playbook itself.
    """
    pid = os.getppid()
    began = started(pid)
    return {
        **facts,
        "by": f"{getpass.getuser()}@{socket.gethostname()}",
        "machine": machine(),
        "pid": pid,
        "started": began,
        "id": f"{machine()}/{pid}/{began}",
    }


def dead(present: dict[str, Any]) -> bool:
    """Tell whether a holder was a process of this machine that has ended."""
    return present["machine"] == machine() and started(present["pid"]) != present["started"]


def instance_line(found: dict[str, str]) -> str:
    """Return a line of releases.yml on an instance."""
    wanted = "" if found["runs"] == found["release"] else f" (should run {found['release']})"
    return f"{found['instance']} runs {found['runs'] or 'nothing'}{wanted}, {found['state']}"


def deploy_line(entry: dict[str, Any]) -> str:
    """Return a line of releases.yml on a deploy."""
    before = f" after {entry['before']}" if entry["before"] else ""
    return (
        f"{entry['at']} {entry['by']}: {entry['release']}{before}, {entry['seconds']} s:"
        f" {entry['result']}"
    )


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {
            "tandem_lock_holder": holder,
            "tandem_holder_is_dead": dead,
            "tandem_instance_line": instance_line,
            "tandem_deploy_line": deploy_line,
        }
