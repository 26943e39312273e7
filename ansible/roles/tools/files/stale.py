#!/usr/bin/env python3
"""Tell whether a unit runs on files of before: stale.py [--reload] UNIT PATH...

Exit status: 0 up to date, 1 stale (a PATH changed since the unit started, or with
--reload since its youngest process did, or it does not run), 2 a PATH is missing.

Unlike a handler, which a lost connection can swallow, the answer is the same however
often and whenever it is asked.
"""

import os
import subprocess
import sys
import time
from pathlib import Path


def started(unit: str) -> float:
    """Return when the unit was started, in seconds of the epoch; 0: not running."""
    # A service may take a while from its start, when it reads its files, to being active.
    service = unit.endswith(".service")
    names = ("ActiveState", f"{'ExecMainStart' if service else 'ActiveEnter'}TimestampMonotonic")
    shown = subprocess.run(
        ["systemctl", "show", unit, *(f"--property={n}" for n in names)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    values = dict(line.split("=", 1) for line in shown.splitlines())
    if values["ActiveState"] != "active":
        return 0.0
    return time.time() - time.monotonic() + int(values[names[1]]) / 1e6


def youngest(unit: str) -> float:
    """Return when the unit's youngest process was started: a reload replaces the workers."""
    group = subprocess.run(
        ["systemctl", "show", unit, "--property=ControlGroup", "--value"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    ticks = os.sysconf("SC_CLK_TCK")
    times = [0.0]
    for pid in Path(f"/sys/fs/cgroup{group}/cgroup.procs").read_text().split():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        times.append(booted + int(fields[19]) / ticks)
    return max(times)


def main() -> None:
    """Compare and exit."""
    arguments = sys.argv[1:]
    reload = arguments[:1] == ["--reload"]
    unit, *paths = arguments[reload:]
    since = started(unit)
    if since and reload:
        since = youngest(unit)
    for path in paths:
        try:
            # Of a symbolic link itself: /srv/tandem/current is one.
            changed = os.lstat(path).st_ctime
        except FileNotFoundError:
            print(f"{path} is missing")
            sys.exit(2)
        if changed > since:
            print(f"{unit} is older than {path}")
            sys.exit(1)


main()
