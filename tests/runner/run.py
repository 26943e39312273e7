"""Run the steps, each as soon as it may, and end what they started."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.checkout import ROOT
from tests.runner.notes import NOTES, Layer
from tests.runner.steps import NOTHING_CHOSEN, RESULTS, Step

END_SECONDS = 120  # what an interrupted step gets for removing what it made


class Run:
    """One step; ``state``: waiting, running, passed, failed, interrupted, not run (for a need)."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.state = "waiting"
        self.log = RESULTS / f"{step.name}.log"
        self.layer = Layer(RESULTS / f"{step.name}.notes")
        self.began = self.seconds = 0.0
        self.ended = asyncio.Event()
        self.process: asyncio.subprocess.Process | None = None

    @property
    def failures(self) -> int:
        """Return how many tests failed: at least one if the step did."""
        return max(self.layer.count("failed"), int(self.state in ("failed", "not run")))

    async def run(self, others: dict[str, Run]) -> None:
        """Wait for the others that come before, then run."""
        try:
            for name in (*self.step.after, *self.step.needs):
                if name in others:
                    await others[name].ended.wait()
            if any(others[name].state != "passed" for name in self.step.needs):
                self.state = "not run"
                return
            await self._execute()
        finally:
            self.ended.set()

    async def _execute(self) -> None:
        self.state, self.began = "running", time.monotonic()
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.step.command,
                cwd=ROOT,
                env={**os.environ, **self.step.env, NOTES: str(self.layer.file)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                # A group of its own: Ctrl-C comes to us, and we see to it that it ends.
                start_new_session=True,
            )
            status = await self.process.wait()
        self.signal(signal.SIGKILL)  # what it has left behind
        self.seconds = time.monotonic() - self.began
        good = (0, NOTHING_CHOSEN) if self.step.tests else (0,)
        self.state = "passed" if status in good else "failed"

    def signal(self, number: int) -> None:
        """Send a signal to all processes of the step."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    async def end(self) -> None:
        """Have it tear down what it made, and end it."""
        if self.state == "running":
            self.signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.ended.wait(), END_SECONDS)
            except TimeoutError:
                self.signal(signal.SIGKILL)
                await self.ended.wait()
            self.state = "interrupted"


@dataclass
class Durations:
    """How long steps and tests took when they last passed, in s."""

    file: Path

    def __post_init__(self) -> None:
        """Read what is known."""
        with suppress(OSError, ValueError):
            self.known: dict[str, float] = json.loads(self.file.read_text())
            return
        self.known = {}

    def keep(self, runs: list[Run], whole: bool) -> None:
        """Note those of a run; steps only if the run was of ``whole`` layers."""
        for run in runs:
            if run.state == "passed" and whole:
                self.known[run.step.name] = round(run.seconds, 1)
            for test, result in run.layer.ended.items():
                if result["outcome"] == "passed":
                    self.known[test] = round(result["seconds"], 1)
        self.file.write_text(json.dumps(self.known, indent=1, sort_keys=True))
