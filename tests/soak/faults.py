"""What is done to the site while it serves.

Some of it nobody may notice; the rest costs what was under way, but no message, and everybody
comes back.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.replica.routes import PAGE, Routes
from tests.stack import Stack, wait_for

INSTANCES = ("wsgi-1", "wsgi-2", "asgi-1", "asgi-2", "notify-1", "notify-2")
LONGEST_PAUSE_SECONDS = 8.0


@dataclass(frozen=True)
class Fault:
    """One thing that happens; ``unnoticed``: then no request may fail."""

    name: str
    unnoticed: bool
    happen: Callable[[], object]


def faults(stack: Stack, routes: Routes, rng: random.Random) -> Iterator[Fault]:
    """Yield faults for ever: each kind once, in an order that ``rng`` gives, and again."""
    while True:
        share = rng.randint(10, 90)
        killed, paused = rng.choice(INSTANCES), rng.choice(INSTANCES)
        seconds = round(rng.uniform(2, LONGEST_PAUSE_SECONDS), 1)
        kinds = [
            Fault("roll", True, lambda: stack.run("make", "roll")),
            Fault(f"move {PAGE}, {share} %", True, lambda share=share: moved(routes, share)),
            Fault("reload nginx", True, lambda: stack.replica("reload")),
            Fault(f"kill -9 {killed}", False, lambda name=killed: kill(stack, name)),
            Fault("restart redis", False, lambda: restart(stack, "redis")),
            Fault("restart postgres", False, lambda: restart(stack, "postgres")),
            Fault(
                f"pause {paused}, {seconds} s", False,
                lambda name=paused, seconds=seconds: pause(stack, name, seconds),
            ),
        ]  # fmt: skip
        rng.shuffle(kinds)
        yield from kinds


def moved(routes: Routes, share: int) -> None:
    """Move a part of a path's clients to the other side, and back."""
    routes("move", PAGE, "--to", "asgi", "--share", str(share))
    routes("move", PAGE, "--to", "wsgi")


def kill(stack: Stack, name: str) -> None:
    """Kill from outside, as the kernel's out-of-memory killer would; wait for the next process."""
    before = stack.inspect(name)["State"]
    stack.run("kill", "-9", str(before["Pid"]))
    wait_for(lambda: stack.inspect(name)["State"]["StartedAt"] != before["StartedAt"])
    stack.wait_healthy(name)


def restart(stack: Stack, service: str) -> None:
    """Restart a container, and wait until it and all instances are well again."""
    stack.compose("restart", service)
    for name in (f"{service}-1", *INSTANCES):
        stack.wait_healthy(name)


def pause(stack: Stack, name: str, seconds: float) -> None:
    """Let an instance do nothing for a while, as a machine that swaps does."""
    stack.run("docker", "pause", stack.container(name))
    try:
        time.sleep(seconds)
    finally:
        stack.run("docker", "unpause", stack.container(name))
    stack.wait_healthy(name)
