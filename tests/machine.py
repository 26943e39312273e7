"""Several tests at a time on this machine, of all its checkouts, but one alone while it is quiet.

The locks are the kernel's (``flock``): a process that dies leaves them.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

# No machine needs so long for one step, however busy it is: whoever waits longer waits in vain.
# A whole test gets more (`timeout` in pyproject.toml), so that its wait can say what it was for.
HANG_SECONDS = int(os.environ.get("HANG_SECONDS", "300"))

FOLDER = Path(tempfile.gettempdir()) / "tandem-machine"
# In s: whoever wants to be alone keeps the others out for so long, then lets them go on for so long
# while one that is in takes longer. Nobody waits for the long test of another checkout.
CLOSED_SECONDS, OPEN_SECONDS = 30, 60
# Set while a turn is held: what a test starts runs within the turn of that test.
HELD = "TANDEM_TURN"


@contextmanager
def locked(file: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold a lock of this machine; ``how`` is one of ``fcntl``'s ``LOCK_…``."""
    with file.open("a") as held:
        fcntl.flock(held, how)
        yield


@contextmanager
def turn(alone: bool = False, folder: Path = FOLDER) -> Iterator[None]:
    """Wait for a turn among the tests of this machine; ``alone``: until no other has one."""
    if HELD in os.environ:
        yield
        return
    folder.mkdir(exist_ok=True)
    gate = folder / "gate.lock"
    with (folder / "floor.lock").open("a") as floor:
        if alone:
            with locked(folder / "next.lock"):
                while not _quiet(floor, gate):
                    time.sleep(OPEN_SECONDS)
        else:
            with locked(gate):
                fcntl.flock(floor, fcntl.LOCK_SH)
        os.environ[HELD] = "alone" if alone else "shared"
        try:
            yield
        finally:
            del os.environ[HELD]


def _quiet(floor: TextIO, gate: Path) -> bool:
    """Let nobody new in for a while; tell whether all others have left, and the floor is ours."""
    with locked(gate):
        deadline = time.monotonic() + CLOSED_SECONDS
        while time.monotonic() < deadline:
            try:
                fcntl.flock(floor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return True
    return False


def once(file: Path, make: Callable[[], Any]) -> Any:
    """Return what ``make`` returned (JSON) in the first process that asked for ``file``."""
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            file.write_text(json.dumps(make()))
        return json.loads(file.read_text())


if __name__ == "__main__":  # python -m tests.machine COMMAND…: run it within a turn
    with turn():
        sys.exit(subprocess.call(sys.argv[1:]))
