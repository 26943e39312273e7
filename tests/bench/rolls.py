"""What users notice of new code: ``make roll`` beside a plain restart; ``make bench B=rolls``.

Both on the running replica, in one run, under the same load: mixed requests, and chat
sockets whose clients number their messages.  It ends by itself after three minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.bench.replica import Replica, row
from tests.load.run import during
from tests.replica.traffic import site
from tests.stack import Stack

RATE, SOCKETS = 100, 500


def plain_restart(stack: Stack) -> None:
    """Restart all instances at once, as a script does that knows no better."""
    stack.compose("restart", "wsgi", "asgi")
    for kind in ("wsgi", "asgi"):
        for number in (1, 2):
            stack.wait_healthy(f"{kind}-{number}")


def roll(stack: Stack) -> None:
    """Replace them in turn."""
    stack.run("make", "roll")


def reload(stack: Stack) -> None:
    """Load nginx' configuration again, and wait until the sockets have moved."""
    stack.replica("reload")
    time.sleep(12)


def main() -> None:
    """Print the table."""
    stack = Replica()
    ways: dict[str, Callable[[Stack], None]] = {
        "docker compose restart": plain_restart, "make roll": roll, "nginx reload": reload,
    }  # fmt: skip
    row("way", "it took s", "requests/s", "failed", "p99 before ms", "p99 after ms",
        "sockets closed", "refused", "last back s", "most back in 1s", "lost, twice")  # fmt: skip
    for name, way in ways.items():
        found = during(lambda way=way: way(stack), site(stack), RATE, SOCKETS)
        row(
            name, found["event_s"], found["rate"], str(found["failures"]),
            found["before_ms"]["p99"], found["during_ms"]["p99"], sum(found["closes"].values()),
            str(sum(times for _, times in found["refused"])), found["slowest_return_s"],
            found["most_returns_in_a_second"],
            str(len(found["lost"] + found["doubled"] + found["missed"])),
        )  # fmt: skip


if __name__ == "__main__":
    main()
