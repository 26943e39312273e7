"""Run layers of tests (docs/testing.md): ``python -m tests.runner [--keep] LAYER… [-- OPTION…]``.

What follows ``--`` goes to pytest.  ``--keep`` leaves the replica running.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import signal
import sys

from tests.checkout import CACHE
from tests.runner import sweep
from tests.runner.run import Durations, Run
from tests.runner.screen import Screen, total
from tests.runner.steps import LAYERS, RESULTS, steps

INTERRUPTED = 130


async def run(runs: dict[str, Run], screen: Screen) -> bool:
    """Run all; return whether they came to their end, uninterrupted."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(each.run(runs)) for each in runs.values()]
    everything = asyncio.gather(*tasks)
    interrupted = asyncio.create_task(stop.wait())
    while not everything.done() and not stop.is_set():
        screen.tick()
        await asyncio.wait([everything, interrupted], timeout=0.5, return_when="FIRST_COMPLETED")
    screen.tick()
    if everything.done():
        interrupted.cancel()
        await everything
        return True
    screen.say("tests: interrupted; removing what they made.")
    for each, task in zip(runs.values(), tasks, strict=True):
        if each.state == "waiting":
            task.cancel()
    await asyncio.gather(*(each.end() for each in runs.values()))
    await asyncio.gather(*tasks, return_exceptions=True)
    return False


def main() -> int:
    """Run what the command line says; return the exit status."""
    parser = argparse.ArgumentParser(prog="tests.runner", description=__doc__)
    parser.add_argument("layers", nargs="+", choices=LAYERS)
    parser.add_argument("--keep", action="store_true", help="leave what runs for the next time")
    ours, theirs = sys.argv[1:], []
    if "--" in ours:
        ours, theirs = ours[: ours.index("--")], ours[ours.index("--") + 1 :]
    options = parser.parse_args(ours)
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(
                "tests: others of this checkout are under way; run them when those have ended."
            )
        return layers(set(options.layers), theirs, options.keep)


def layers(chosen: set[str], arguments: list[str], keep: bool) -> int:
    """Run layers and report; return the exit status."""
    for old in RESULTS.iterdir():
        if old.name != "lock":
            old.unlink()
    if keep:
        os.environ["KEEP_STACK"] = "1"  # servers are booted from copies, which are kept anyway
    runs = {step.name: Run(step) for step in steps(chosen, arguments)}
    durations = Durations(CACHE / "durations.json")
    screen = Screen(list(runs.values()), durations)
    ended = asyncio.run(run(runs, screen))
    durations.keep(list(runs.values()), whole=ended and not arguments)
    screen.table()
    left: list[str] = []
    # What was interrupted is in no state to be kept.
    if "engine" in runs and not (keep and ended):
        left = sweep.remove(sweep.RUNNING)
        sweep.remove(sweep.RUNNING)  # and what the engine was about to start
        if ended and left:
            screen.say(f"tests: left behind, and now removed: {', '.join(left)}")
    if not ended:
        return INTERRUPTED
    failures = sum(each.failures for each in runs.values()) + bool(left)
    closing = total(list(runs.values()), failures)
    (RESULTS / "total").write_text(f"{closing}\n")
    screen.say(f"\n{closing}")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
