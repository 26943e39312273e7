"""The clients that are held, in processes of their own, and the memory of the containers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.load.site import Site
from tests.machine import HANG_SECONDS
from tests.stack import ROOT, Stack

EACH = 2500  # of one process, whose files are limited


class Crowd:
    """``count`` sockets that are open, or on their way back."""

    def __init__(self, site: Site, count: int, processes: ExitStack) -> None:
        self.count = count
        self._holders = []
        for start in range(0, count, EACH):
            command = [
                sys.executable, "-m", "tests.soak.holders", site.host, site.address,
                str(site.port), site.cookie, str(min(EACH, count - start)),
            ]  # fmt: skip
            holder = processes.enter_context(
                subprocess.Popen(
                    command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            processes.callback(holder.kill)
            self._holders.append(holder)

    def state(self) -> dict[str, Any]:
        """Return how many are open, and the closes and refusals since the beginning."""
        found: dict[str, Any] = {"open": 0, "closes": Counter(), "refused": Counter()}
        for holder in self._holders:
            assert holder.stdin is not None
            assert holder.stdout is not None
            holder.stdin.write("\n")
            holder.stdin.flush()
            told = json.loads(holder.stdout.readline())
            found["open"] += told["open"]
            found["closes"].update(told["closes"])
            found["refused"].update(told["refused"])
        return found

    def gathered(self) -> dict[str, Any]:
        """Wait until all are open, or for long no more have come; return the state."""
        state, most, since = self.state(), 0, time.monotonic()
        while state["open"] < self.count and time.monotonic() - since < HANG_SECONDS:
            time.sleep(1)
            state = self.state()
            if state["open"] > most:
                most, since = state["open"], time.monotonic()
        return state


@contextmanager
def crowd(site: Site, count: int) -> Iterator[Crowd]:
    """Hold ``count`` sockets; let them go at the end."""
    with ExitStack() as processes:
        yield Crowd(site, count, processes)


def memory(stack: Stack) -> dict[str, int]:
    """Return the resident memory of each container's processes, in KiB: ``{"asgi-1": …}``."""
    names = stack.run(
        "docker", "ps", "--filter", f"label=com.docker.compose.project={stack.project}",
        "--format", "{{.Names}}",
    ).stdout.split()  # fmt: skip
    found = {}
    for name in sorted(names):
        listed = stack.run("docker", "top", name, "-eo", "pid,rss", check=False).stdout
        found[name.removeprefix(f"{stack.project}-")] = sum(
            int(line.split()[1]) for line in listed.splitlines()[1:]
        )
    return found
