#!/usr/bin/python
"""Let systemd's units be as wanted, and run on the files of now, all of them at once."""

from __future__ import annotations

import contextlib
import glob
import os
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: units
short_description: Let systemd's units be as wanted, and run on the files of now
description:
  - Enables, starts, restarts and reloads several units by one task.
  - A unit that does not run, or was started before one of its I(files) changed, is stale, and
    restarted.  Unlike a handler, which a lost connection can swallow, this finds the same
    however often and whenever it runs.
options:
  units:
    description:
      - What is wanted of each unit, by its name.
      - "I(enabled): true or false; I(state): started or stopped; I(files): what it runs by;
        I(reloads): what a reload is enough for, compared with the youngest of its processes.
        Files may be patterns, C(/etc/nginx/**/*.conf)."
    type: dict
    required: true
  report:
    description: Change nothing; only tell which are stale.
    type: bool
    default: false
author:
  - Tandem
"""

EXAMPLES = """
- name: Run it by these files
  units:
    units:
      redis-server@tandem.service: {enabled: true, files: [/etc/redis/redis-tandem.conf]}
"""

RETURN = """
stale:
  description: Names of the units that run on files of before, or do not run.
  returned: always
  type: list
done:
  description: What was, or in check mode would be, done.
  returned: always
  type: list
"""

ASKED = ("ActiveState", "UnitFileState", "NeedDaemonReload", "ControlGroup",
         "ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")  # fmt: skip


class Systemd:
    """What systemd says and does, for a module."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.done: list[str] = []

    def show(self, names: list[str]) -> dict[str, dict[str, str]]:
        """Return the properties of each unit."""
        properties = [f"--property={name}" for name in ASKED]
        _, out, _ = self.module.run_command(
            ["systemctl", "show", *properties, "--", *names], check_rc=True
        )
        blocks = out.strip("\n").split("\n\n")
        return {
            name: dict(line.split("=", 1) for line in block.splitlines())
            for name, block in zip(names, blocks, strict=True)
        }

    def do(self, *arguments: str) -> None:
        """Run systemctl, unless this is a look only; fail with its complaint."""
        self.done.append(" ".join(arguments))
        if self.module.check_mode:
            return
        status, _, complaint = self.module.run_command(["systemctl", *arguments])
        if status:
            self.module.fail_json(msg=f"systemctl {' '.join(arguments)}: {complaint.strip()}")


def since(shown: dict[str, str], name: str, youngest: bool) -> float:
    """Return when a unit, or the youngest of its processes, was started; 0: it does not run."""
    if shown["ActiveState"] not in ("active", "reloading"):
        return 0.0
    if youngest:  # a reload replaces the workers
        booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        processes = Path(f"/sys/fs/cgroup{shown['ControlGroup']}/cgroup.procs").read_text().split()
        began = [0.0]
        for process in processes:
            with contextlib.suppress(OSError):  # it has ended meanwhile
                fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
                began.append(booted + int(fields[19]) / os.sysconf("SC_CLK_TCK"))
        return max(began)
    # A service may take a while from its start, when it reads its files, to being active.
    mark = "ExecMainStart" if name.endswith(".service") else "ActiveEnter"
    return time.time() - time.monotonic() + int(shown[f"{mark}TimestampMonotonic"]) / 1e6


def files_of(patterns: list[str]) -> list[str]:
    """Return the files that patterns name; a name without a star stands for itself."""
    return [
        file
        for pattern in patterns
        for file in (sorted(glob.glob(pattern, recursive=True)) if "*" in pattern else [pattern])
    ]


def cure(name: str, wanted: dict[str, Any], shown: dict[str, str]) -> str:
    """Return what a unit that does not run, or runs on files of before, needs; empty: nothing.

    Raises ``FileNotFoundError`` when a file is missing.  Of a link, the link itself counts.
    """
    for what, verb in (("files", "restart"), ("reloads", "reload")):
        if what not in wanted:
            continue
        files = files_of(wanted[what])
        changed = max((os.lstat(file).st_ctime for file in files), default=0.0)
        began = since(shown, name, youngest=what == "reloads")
        if began == 0.0 or changed > began:
            return verb if began else "restart"
    return ""


def settle(
    systemd: Systemd, name: str, wanted: dict[str, Any], shown: dict[str, str], verb: str
) -> None:
    """Do what a unit lacks, and nothing else."""
    enabled = shown["UnitFileState"] in ("enabled", "enabled-runtime")
    active = shown["ActiveState"] in ("active", "reloading", "activating")
    if wanted.get("enabled", enabled) != enabled:
        systemd.do("enable" if wanted["enabled"] else "disable", name)
    if verb:
        systemd.do(verb, name)
    elif wanted.get("state") == "started" and not active:
        systemd.do("start", name)
    elif wanted.get("state") == "stopped" and active:
        systemd.do("stop", name)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "units": {"type": "dict", "required": True},
            "report": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    units: dict[str, dict[str, Any]] = module.params["units"]
    systemd = Systemd(module)
    shown = systemd.show(list(units)) if units else {}
    acts = not module.params["report"]
    old = any(one["NeedDaemonReload"] == "yes" for one in shown.values())
    if acts and old and not module.check_mode:
        module.run_command(["systemctl", "daemon-reload"], check_rc=True)
        shown = systemd.show(list(units))
    cures = {}
    for name, wanted in units.items():
        try:
            cures[name] = cure(name, wanted, shown[name])
        except FileNotFoundError as missing:
            # A look before the first run finds nothing there yet.
            if acts and not module.check_mode:
                module.fail_json(msg=f"{name} runs by {missing.filename}, which is missing.")
            cures[name] = "restart"
    if acts:
        for name, wanted in units.items():
            settle(systemd, name, wanted, shown[name], cures[name])
    found = [name for name, verb in cures.items() if verb]
    module.exit_json(changed=bool(systemd.done), stale=found, done=systemd.done)


if __name__ == "__main__":
    main()
