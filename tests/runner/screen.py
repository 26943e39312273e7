"""What a run of tests prints: lines of progress, failures when they happen, a table at the end."""

from __future__ import annotations

import re
import sys
import time

from tests.runner.notes import shorten, spoken
from tests.runner.run import Durations, Run

WIDTH = 110
WHY = 280  # characters of a failure in the closing lines; all of it comes when its layer ends
SLOWEST = 3
OFTEN, SELDOM = 10, 30  # s between lines of a step: when it does something new; when it does not


def seconds(number: float) -> str:
    """Say how long something takes: ``12 s``, ``3 min 5 s``."""
    whole = round(number)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"


class Screen:
    """Prints.  On a terminal there is one line for each step that runs, else now and then one."""

    def __init__(self, runs: list[Run], durations: Durations) -> None:
        self._runs, self._durations = runs, durations
        self._terminal = sys.stdout.isatty()
        self._drawn = 0  # lines that are to be replaced
        # By step: when, what, and since when it is the same.
        self._said: dict[str, tuple[float, str, float]] = {}
        self._over: set[str] = set()

    def say(self, text: str) -> None:
        """Print lines that stay."""
        self._erase()
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def tick(self) -> None:
        """Print what has happened since."""
        for run in self._runs:
            for test in run.layer.read():
                why = run.layer.ended[test]["why"]
                self.say(f"{run.step.name:9} FAILED  {spoken(test)}: {why}")
            if run.ended.is_set() and run.step.name not in self._over:
                self._over.add(run.step.name)
                self._end(run)
        running = [run for run in self._runs if run.state == "running"]
        if self._terminal:
            self._erase()
            for run in running:
                sys.stdout.write(self._line(run)[:WIDTH] + "\n")
            self._drawn = len(running)
            sys.stdout.flush()
        else:
            for run in running:
                self._plain(run)

    def _plain(self, run: Run) -> None:
        now, line = time.monotonic(), self._line(run)
        when, before, since = self._said.get(run.step.name, (0.0, "", now))
        if now - when > (OFTEN if line != before else SELDOM):
            self._said[run.step.name] = now, line, since if line == before else now
            if line == before:
                line += f", for {seconds(now - since)} now"
            self.say(line)

    def _erase(self) -> None:
        if self._drawn:
            sys.stdout.write(f"\033[{self._drawn}F\033[J")
            self._drawn = 0

    def _line(self, run: Run) -> str:
        """Say what a step does now, and how long that usually takes."""
        layer, name = run.layer, run.step.name
        if not layer.collected:
            return f"{name:9} {self._usually(name)}".rstrip()
        place = f"[{len(layer.ended):3}/{layer.collected}]"
        test = next(iter(layer.running), "")
        return (
            f"{name:9} {place} {spoken(test)} {self._usually(test)}".rstrip()
            if test
            else (f"{name:9} {place} {'waiting for its turn, or removing what it made'}")
        )

    def _usually(self, what: str) -> str:
        usual = self._durations.known.get(what)
        return f"(usually {seconds(usual)})" if usual else ""

    def _end(self, run: Run) -> None:
        """Say how a step ended; if it failed, all that it said about that."""
        self.say(f"{run.step.name:9} {run.state} in {seconds(run.seconds)}")
        if run.state == "failed":
            text = run.log.read_text(errors="replace")
            found = re.search(r"^=+ (ERRORS|FAILURES) =+$", text, re.MULTILINE)
            shown = text[found.start() :] if found else "\n".join(text.splitlines()[-60:])
            self.say("\n".join(f"{run.step.name:9}| {line}" for line in shown.splitlines()))

    def table(self) -> None:
        """Print what took longest, how the layers ended, and last what is to be looked at."""
        self._erase()
        self.say("")
        for run in self._runs:
            ended = run.layer.ended
            slowest = sorted(ended, key=lambda test: -ended[test]["seconds"])[:SLOWEST]
            for test in slowest:
                self.say(f"{run.step.name:9} {seconds(ended[test]['seconds']):>12}  {spoken(test)}")
        self.say(f"\n{'':9} {'passed':>7} {'failed':>7} {'skipped':>7}   time")
        for run in self._runs:
            counted = [run.layer.count("passed"), run.failures, run.layer.count("skipped")]
            row = " ".join(f"{number or '-':>7}" for number in counted)
            self.say(f"{run.step.name:9} {row}   {seconds(run.seconds)}, {run.state}")
        for run in self._runs:
            for test, result in run.layer.ended.items():
                if result.get("first"):
                    self._tell(run, "once red", test, result["first"])
        for run in self._runs:
            for test, result in run.layer.ended.items():
                if result["outcome"] == "failed":
                    self._tell(run, "FAILED", test, result["why"])

    def _tell(self, run: Run, how: str, test: str, why: str) -> None:
        said = f"{spoken(test)}: {why}"
        self.say(f"{run.step.name:9} {how:8} {shorten(said, WHY)}")


def total(runs: list[Run], failures: int) -> str:
    """Return pytest's closing line for all layers."""
    passed, skipped = (sum(run.layer.count(what) for run in runs) for what in ("passed", "skipped"))
    closing = f"{passed} passed, {failures} failed, {skipped} skipped"
    again = sum(bool(result.get("first")) for run in runs for result in run.layer.ended.values())
    return f"{closing}, {again} rerun" if again else closing
