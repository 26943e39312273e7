"""Usage: ``python -m tests.soak``; ``SOAK_…`` in the environment says how long and how much."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.checkout import CACHE
from tests.load.drains import drains, followed
from tests.load.run import during
from tests.replica.routes import Routes
from tests.replica.test_roll import site
from tests.soak.crowd import Crowd, crowd, memory
from tests.soak.faults import Fault, faults
from tests.soak.report import Report, broken, uneven
from tests.soak.rfc6455 import failures
from tests.stack import Stack, copy_of_checkout

# Ten thousand sockets come back in this time: more handshakes a second than that a small
# machine does not do.
DRAIN_SECONDS = 60
RATE, SOCKETS = 50, 500


class Replica(Stack):
    """A replica of this run's own."""

    what = "soak"

    def env(self, **settings: str) -> dict[str, str]:
        """Return the environment of its commands."""
        drain = {
            "SOCKET_DRAIN_SECONDS": str(DRAIN_SECONDS),
            "STOP_SECONDS": str(DRAIN_SECONDS + 30),
        }
        return super().env(**drain, **settings)


@contextmanager
def running(stack: Stack) -> Iterator[None]:
    """Bring the replica up, from nothing, and remove it at the end."""
    down = ("--profile", "*", "down", "--volumes", "--remove-orphans")
    stack.compose(*down)
    try:
        stack.up()
        yield
    finally:
        stack.compose(*down, "--rmi", "all")


def one(stack: Stack, fault: Fault, held: Crowd, report: Report) -> None:
    """Let one fault happen under load; note what it did."""
    before = Counter(held.state()["closes"])
    with followed(stack) as log:
        found = during(fault.happen, site(stack), RATE, SOCKETS)
        told = drains(log())
    state = held.gathered()
    wrong = broken(fault, found, state, held.count) + uneven(told, DRAIN_SECONDS)
    report.fault(fault.name, found, dict(Counter(state["closes"]) - before), wrong)
    report.memory(memory(stack))


def soak(stack: Stack, report: Report, rng: random.Random, seconds: float, count: int) -> None:
    """Go from fault to fault for ``seconds``, once all are held; the last is finished."""
    report.conformance(*failures(stack))
    with (
        tempfile.TemporaryDirectory() as folder,
        copy_of_checkout(Path(folder) / "checkout") as root,
        crowd(site(stack), count) as held,
    ):
        opened = held.gathered()["open"]
        print(f"tandem: {opened} of {count} sockets are held.", flush=True)
        assert opened == count, held.state()
        report.memory(memory(stack))
        end = time.monotonic() + seconds
        for fault in faults(stack, Routes(Replica(root)), rng):
            print(f"tandem: {fault.name} …", file=sys.stderr, flush=True)
            one(stack, fault, held, report)
            if time.monotonic() > end:
                break
    report.conformance(*failures(stack))


def interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Have a SIGTERM clean up as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """Run; return 1 if a promise was broken."""
    signal.signal(signal.SIGTERM, interrupt)
    minutes = float(os.environ.get("SOAK_MINUTES", "120"))
    count = int(os.environ.get("SOAK_CLIENTS", "10000"))
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
    print(f"tandem: {minutes:g} minutes, {count} clients; the same again: SOAK_SEED={seed}")
    report = Report(CACHE / f"soak-{seed}.json", seed, count)
    stack = Replica()
    try:
        with running(stack):
            soak(stack, report, random.Random(seed), minutes * 60, count)
    finally:
        status = report.end()
    return status


if __name__ == "__main__":
    sys.exit(main())
