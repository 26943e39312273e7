"""What becomes of programs that run when the command is interrupted, and of its locks."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tandem.ops.checkout.engine import numbers
from tandem.ops.checkout.programs import TERMINATED, Failed, Programs, told
from tests.stack import ROOT, wait_for

# Says that it runs, and takes its time to end when it is told to.
SLOW = """
trap 'sleep 0.5; echo ended >"$0.ended"; exit 3' INT TERM
echo running >"$0.running"
while :; do sleep 0.1; done
"""
COMMAND = """
import os, sys
from tandem.ops.checkout.programs import Programs, command
programs = Programs.here()
programs.held = [int(word) for word in sys.argv[3:]]
for descriptor in programs.held:
    os.set_inheritable(descriptor, True)
try:
    sys.exit(command(lambda: programs.run("sh", "-c", sys.argv[1], sys.argv[2])))
except KeyboardInterrupt:
    sys.exit(130)
"""


@contextmanager
def running(name: Path, *held: int) -> Iterator[subprocess.Popen[str]]:
    """Run the slow program by a command with a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, SLOW, name, *map(str, held)], cwd=ROOT, text=True,
        start_new_session=True, pass_fds=held,
    )  # fmt: skip
    try:
        wait_for(Path(f"{name}.running").exists)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_ctrl_c_waits_for_the_program_which_has_got_it_too(tmp_path: Path):
    with running(tmp_path / "it") as process:
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == 130
        assert (tmp_path / "it.ended").exists()


def test_sigterm_is_handed_on_and_waited_for(tmp_path: Path):
    with running(tmp_path / "it") as process:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait() == TERMINATED
        assert (tmp_path / "it.ended").exists()


def test_a_program_that_outlives_the_command_keeps_its_lock(tmp_path: Path):
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with running(tmp_path / "it", lock.fileno()) as process:
            lock.close()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            with (tmp_path / "lock").open("w") as other, pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(Failed, match="there is no program no-such-program on this machine"):
        Programs.here().run("no-such-program")


def test_a_full_disk_is_called_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    log = tmp_path / "log"
    log.write_text("one\n\ntwo: No space left on device\n")
    with pytest.raises(Failed, match="the disk is full"):
        told(log, 1, "it failed.")
    assert capsys.readouterr().err == "two: No space left on device\n"


@pytest.mark.parametrize(
    ("version", "enough"),
    [("2.24", True), ("v2.24.0", True), ("2.9.1", False), ("2.26.1-4", True), ("", False)],
)
def test_versions_are_compared_by_their_numbers(version: str, enough: bool):
    assert (numbers(version) >= numbers("2.24")) is enough


def test_a_program_that_is_given_bytes_gets_them_as_they_are():
    programs = Programs.here()
    given = bytes(range(256))
    process = programs.start("cat", text=False, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert programs.end(process, given) == given
