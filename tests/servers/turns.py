"""Several tests at a time on this machine, but one alone while it has to be quiet."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def locked(file: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold a lock of this machine, which a process that dies leaves."""
    with file.open("a") as held:
        fcntl.flock(held, how)
        yield


@contextmanager
def turn(folder: Path, alone: bool) -> Iterator[None]:
    """Wait for a turn among the processes that use ``folder``.

    Whoever wants to be alone waits at the gate, so that nobody new comes in before.
    """
    with (folder / "floor.lock").open("a") as floor:
        with locked(folder / "gate.lock"):
            fcntl.flock(floor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


def once(file: Path, make: Callable[[], Any]) -> Any:
    """Return what ``make`` returned (JSON) in the first process that asked for ``file``."""
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            file.write_text(json.dumps(make()))
        return json.loads(file.read_text())
