"""What instances say in their logs when they let their sockets go: by their own clock.

A client cannot tell: where the machine is busy, it hears of many closes at once.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tandem.drain import FASTEST_PER_SECOND
from tests.stack import Stack

LINE = re.compile(r"(\d+) sockets and streams let go in ([\d.]+) s")


class Drain(NamedTuple):
    """One instance's sockets, and the seconds from the first's turn to the last's."""

    count: int
    seconds: float

    def was_even(self, window: float) -> bool:
        """Tell whether each waited for its turn in ``window`` seconds (``tandem.drain``)."""
        pace = max(self.count / window, FASTEST_PER_SECOND)
        return self.seconds >= (self.count - 1) / pace - 0.01  # written with two digits


def drains(log: str) -> list[Drain]:
    """Return what a log tells of."""
    return [Drain(int(count), float(seconds)) for count, seconds in LINE.findall(log)]


@contextmanager
def followed(stack: Stack, service: str = "asgi") -> Iterator[Callable[[], str]]:
    """Follow the logs of a replica's instances, also of those that go; give what has come."""
    with tempfile.TemporaryFile("w+") as log:
        command = ["docker", "compose", "logs", "--follow", "--tail", "0", "--no-log-prefix"]
        follower = subprocess.Popen(
            [*command, service], cwd=stack.root, env=stack.env(), stdout=log, stderr=log
        )

        def told() -> str:
            log.seek(0)
            return log.read()

        try:
            yield told
        finally:
            follower.kill()
            follower.wait()
