"""Programs that are run: as lists of words, from the root of the checkout, and to their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NoReturn

from tandem.facts import FINE, FOUND

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache"
STILL = "What ran before is still running."
NO_SPACE = "no space left on device"
TERMINATED = 128 + signal.SIGTERM


class Failed(Exception):  # noqa: N818 - it is how a command ends, as argparse's "error" is
    """It cannot go on; the message is its last sentence, or nothing where all is said."""


def missing_checkout() -> str:
    """Return what to say where this is not in a checkout; nothing where it is."""
    if (ROOT / "compose.yaml").exists():
        return ""
    return f"there is no compose.yaml in {ROOT}; this is a command of a checkout of Tandem."


def say(sentence: str) -> None:
    """Tell a person."""
    print(f"tandem: {sentence}", file=sys.stderr, flush=True)


def command(work: Callable[[], int | None]) -> int:
    """Do the work of a command, and return its exit status; ``Failed`` is a sentence and 1."""
    # As Ctrl-C does, it ends what runs, and undoes what is half done.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        return work() or FINE
    except Failed as failed:
        if sentence := str(failed):
            say(sentence)
        return FOUND


def tail(lines: Iterable[str], count: int) -> None:
    """Show the last lines of a log, without those that say nothing."""
    for line in [line.rstrip() for line in lines if line.strip()][-count:]:
        print(line, file=sys.stderr)


@dataclass
class Programs:
    """How programs are run here: their environment, and the locks that they keep for us."""

    environment: dict[str, str]
    # A program that outlives this one (it was killed) still holds them.
    held: list[int] = field(default_factory=list)

    @classmethod
    def here(cls) -> Programs:
        """Return how programs are run with the environment of this one."""
        return cls(dict(os.environ))

    def start(
        self, *command: str | Path, folder: Path = ROOT, **options: object
    ) -> subprocess.Popen[str]:
        """Start a program that is asked nothing."""
        options = {"stdin": subprocess.DEVNULL, "text": True} | options
        if options["text"]:
            options["errors"] = "replace"  # which alone would make text of bytes
        try:
            return subprocess.Popen(
                command, cwd=folder, env=self.environment, pass_fds=self.held, **options,  # type: ignore[call-overload]
            )  # fmt: skip
        except FileNotFoundError:
            raise Failed(f"there is no program {command[0]} on this machine.") from None

    def end(
        self,
        process: subprocess.Popen[str],
        given: str | bytes | None = None,
        seconds: float | None = None,
    ) -> str:
        """Wait for the end of a program; return what it printed, where that is not elsewhere."""
        with process:
            try:
                said: str | None = process.communicate(given, timeout=seconds)[0]  # type: ignore[arg-type]
            except KeyboardInterrupt:
                process.wait()  # Ctrl-C has reached it as well, and it ends in its own way
                raise
            except BaseException:
                process.terminate()
                process.wait()
                raise
        return said or ""

    def run(
        self,
        *command: str | Path,
        out: IO[str] | int | None = None,
        err: IO[str] | int | None = None,
        seconds: float | None = None,
        folder: Path = ROOT,
    ) -> int:
        """Run a program to its end; return its status."""
        process = self.start(*command, stdout=out, stderr=err, folder=folder)
        try:
            self.end(process, seconds=seconds)
        except subprocess.TimeoutExpired:
            return TERMINATED
        return process.returncode

    def read(self, *command: str | Path) -> str:
        """Return what a program prints; nothing where it fails."""
        process = self.start(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        said = self.end(process)
        return "" if process.returncode else said.strip()

    def lines(self, *command: str | Path) -> list[str]:
        """Return the lines that a program prints."""
        return self.read(*command).splitlines()

    def attempt(
        self, sentence: str, log: Path, *command: str | Path, shown: int = 8,
        seconds: float | None = None,
    ) -> None:  # fmt: skip
        """Take a step: where it fails, show its last lines, and end with the sentence."""
        log.parent.mkdir(exist_ok=True)
        with log.open("w") as file:
            status = self.run(*command, out=file, err=subprocess.STDOUT, seconds=seconds)
        if status:
            told(log, shown, sentence)

    def become(self, *command: str, folder: Path = ROOT) -> NoReturn:
        """Let a program take the place of this one: it has the terminal."""
        os.chdir(folder)
        os.execvpe(command[0], command, self.environment)  # noqa: S606


def told(log: Path, shown: int, sentence: str) -> NoReturn:
    """Show the last lines of what has failed, and end with the sentence, or with a better one."""
    text = log.read_text(errors="replace")
    tail(text.splitlines(), shown)
    if NO_SPACE in text.lower():
        sentence = f"the disk is full; 'docker system df' shows what could go. {STILL}"
    raise Failed(sentence)
