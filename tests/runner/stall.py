"""Tell whether the machine itself stalled while something was measured.

A process of its own looks, so that a busy test does not look like a busy machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from select import select

TICK = 0.05  # s
# Measured on two cores: 88 ms late beside two processes that never rest, 377 ms beside twenty.
LATE = 0.25  # s
STOLEN = 0.10  # of the processors' time, by the host of a virtual machine


@dataclass(frozen=True)
class Stall:
    """What the machine did: ``late`` in s, the others as shares of the time (0 to 1)."""

    late: float
    stolen: float
    waiting: float

    def __bool__(self) -> bool:
        """Tell whether the machine stalled; that programs wait for each other is no stall."""
        return self.late > LATE or self.stolen > STOLEN

    def __str__(self) -> str:
        return (
            f"the machine {'stalled' if self else 'did not stall'}: a timer of "
            f"{TICK * 1000:.0f} ms was at most {self.late * 1000:.0f} ms late, "
            f"{self.stolen:.0%} of the processors was stolen, "
            f"somebody waited for one {self.waiting:.0%} of the time"
        )


class Watch:
    """Watches from its creation to ``stop()``."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()  # it has begun

    def stop(self) -> Stall:
        """End the watch; return what was seen."""
        out, _ = self._process.communicate()  # closes its input, which ends it
        return Stall(**json.loads(out))


def _processors() -> tuple[int, int]:
    """Return how long the processors were stolen, and all they have been, in ticks."""
    times = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return times[7], sum(times)


def _waited() -> float:
    """Return for how many seconds somebody has waited for a processor; 0 where nobody counts."""
    try:
        first = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    except OSError:
        return 0.0
    return int(first.rpartition("=")[2]) / 1e6


def _watch() -> None:
    """Watch until the input ends; print what was seen."""
    stolen, total, waited = *_processors(), _waited()
    began, worst = time.monotonic(), 0.0
    print("watching", flush=True)  # noqa: T201 - to Watch
    while True:
        due = time.monotonic() + TICK
        ended = select([sys.stdin], [], [], TICK)[0]
        worst = max(worst, time.monotonic() - due)
        if not ended:
            continue
        stolen_now, total_now = _processors()
        seen = Stall(
            late=worst,
            stolen=(stolen_now - stolen) / max(1, total_now - total),
            waiting=(_waited() - waited) / (time.monotonic() - began),
        )
        print(json.dumps(vars(seen)))  # noqa: T201
        return


if __name__ == "__main__":
    _watch()
