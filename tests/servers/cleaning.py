"""What a run made is gone afterwards, however it ended; nothing else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from tests.checkout import named
from tests.servers.rehearsal import COPIES

LABEL = "tandem.servers"  # docker/servers.py puts it on all that it makes


def _docker(*command: str) -> list[str]:
    done = subprocess.run(["docker", *command], check=False, text=True, capture_output=True)
    return done.stdout.splitlines()


def remove_servers() -> None:
    """Remove the containers and networks of this checkout's rehearsals; copies stay."""
    label = f'{{{{.Label "{LABEL}"}}}}'
    for kind, remove in (
        (("ps", "--all"), ("rm", "--force", "--volumes")),
        (("network", "ls"), ("network", "rm")),
    ):
        listed = _docker(*kind, "--filter", f"label={LABEL}", "--format", f"{{{{.ID}}}} {label}")
        ours = [line.split()[0] for line in listed if line.split()[1].startswith(named(""))]
        if ours:
            _docker(*remove, *ours)
    # A copy that was made anew leaves the one of before without a name.
    _docker("image", "prune", "--force", "--filter", f"label={LABEL}={COPIES}")


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
