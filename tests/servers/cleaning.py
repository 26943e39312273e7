"""What a run made is gone afterwards, however it ended; nothing else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.checkout import CACHE, ROOT, named
from tests.servers.rehearsal import COPIES

LABEL = "tandem.servers"  # tandem.ops.servers puts it on all that it makes


def rehearsals() -> set[str]:
    """Return the names of this checkout's rehearsals of which something is there."""
    label = f'{{{{.Label "{LABEL}"}}}}'
    found: set[str] = set()
    for kind in (("ps", "--all"), ("network", "ls")):
        listed = subprocess.run(
            ["docker", *kind, "--filter", f"label={LABEL}", "--format", label],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        found.update(listed.stdout.split())
    return {name for name in found if name.startswith(named(""))}


def remove_servers() -> None:
    """Remove the servers of this checkout's rehearsals; copies stay."""
    for name in rehearsals():
        where = {"SERVERS_NAME": name, "SERVERS_STATE": str(CACHE / name)}
        subprocess.run(
            [sys.executable, "-m", "tandem", "servers", "down"],
            cwd=ROOT, env=os.environ | where, check=True,
        )  # fmt: skip
    # A copy that was made anew leaves the one of before without a name.
    prune = ["docker", "image", "prune", "--force", "--filter", f"label={LABEL}={COPIES}"]
    subprocess.run(prune, check=True, capture_output=True)


def descendants(pid: int) -> list[int]:
    """Return the processes that ``pid`` and its children have started, deepest first."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [*descendants(child), child]
    return found


def end_children(seconds: float = 10) -> None:
    """End every process that this one, or a child of it, has started and that still runs."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        running = descendants(os.getpid())
        for pid in running:
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + seconds
        while any(_runs(pid) for pid in running) and time.monotonic() < deadline:
            time.sleep(0.1)


def _runs(pid: int) -> bool:
    """Tell whether a process is there and not merely waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
