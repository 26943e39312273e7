"""Move a route in steps, each kept or taken back by what ``tandem routes report`` finds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tandem.ops.routes.history import now
from tandem.ops.routes.target import STDERR, TargetError
from tandem.ops.routes.verdict import Verdict


@dataclass(frozen=True)
class Patience:
    """How long a step takes, in seconds."""

    hold: float  # at least, before it is judged
    longest: float  # at most, before it is left as it is


def gate(path: str, inventories: Sequence[Path] = ()) -> Callable[[str], Verdict]:
    """Return what asks the report about ``path`` since a time (ISO 8601).

    The report is of the replica, or of the edges of ``inventories``.  Where it cannot be
    had, asking raises ``TargetError``.
    """

    def ask(since: str) -> Verdict:
        command = [sys.executable, "-m", "tandem", "routes", "report", "--gate"]
        command += ["--route", path, "--since", since]
        command += [f"--inventory={inventory}" for inventory in inventories]
        status = subprocess.run(command, stdout=STDERR).returncode
        if status not in list(Verdict):
            raise TargetError("the report cannot judge (above); the step stays")
        return Verdict(status)

    return ask


def climb(
    shares: Sequence[int],
    start: int,
    apply: Callable[[int], None],
    ask: Callable[[str], Verdict],
    patience: Patience,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Apply one of ``shares`` after the other; return the exit status.

    0: all are applied.  1: a step was worse, and the share before (``start`` before the
    first) is in force again.  2: too few requests came to tell, and the step stays.
    The last step of 100 % has nothing left to be compared with, and is not judged.
    """
    before = start
    for share in shares:
        apply(share)
        if share == 100:
            return 0
        since, began = now(), clock()
        sleep(patience.hold)
        while (verdict := ask(since)) is Verdict.UNKNOWN:
            if clock() - began >= patience.longest:
                say(f"not enough requests to judge {share} %; it stays there")
                return int(Verdict.UNKNOWN)
            sleep(max(patience.hold / 4, 1))
        if verdict is Verdict.WORSE:
            say(f"{share} % is worse than wsgi; back to {before} %")
            apply(before)
            return int(Verdict.WORSE)
        before = share
    return 0
