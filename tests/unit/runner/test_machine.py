"""The lock of the machine: who is alone is, and who dies leaves it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.patience import eventually_sync

CLOSED = 2  # locks of one that waits for the others to leave: that it is next, and the gate

HOLD = """
from tests import machine
from tests.machine import turn
machine.CLOSED_SECONDS, machine.OPEN_SECONDS = {patience}
with turn(alone={alone}):
    print("in", flush=True)
    input()
"""
NESTED = """
import subprocess, sys
from tests.machine import turn
with turn():
    inner = "from tests.machine import turn\\nwith turn(alone=True): print('inner')"
    subprocess.run([sys.executable, "-c", inner], check=True)
"""


@contextmanager
def holder(
    alone: bool, patience: tuple[float, float] = (600, 0)
) -> Iterator[subprocess.Popen[str]]:
    """Start a process that waits for a turn and keeps it until its input ends."""
    command = [sys.executable, "-c", HOLD.format(alone=alone, patience=patience)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def is_in(process: subprocess.Popen[str]) -> bool:
    """Wait until it has its turn."""
    assert process.stdout is not None
    return process.stdout.readline() == "in\n"


def locks(process: subprocess.Popen[str]) -> list[str]:
    """Return the kernel's lines on what it holds or waits for."""
    lines = Path("/proc/locks").read_text().splitlines()
    return [line for line in lines if f" {process.pid} " in line]


def wait_until_kept_out(process: subprocess.Popen[str]) -> None:
    """Wait until another's lock, or those that are in, keep it out."""
    eventually_sync(
        lambda: any("->" in line for line in locks(process)) or len(locks(process)) == CLOSED
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_several_run_at_a_time(apart: Path, stack: ExitStack):
    assert is_in(stack.enter_context(holder(alone=False)))
    assert is_in(stack.enter_context(holder(alone=False)))


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_who_is_alone_excludes_the_others(apart: Path, stack: ExitStack, first, second):
    one = stack.enter_context(holder(alone=first))
    assert is_in(one)
    other = stack.enter_context(holder(alone=second))
    wait_until_kept_out(other)
    one.communicate("\n")
    assert is_in(other)


def test_a_holder_that_is_killed_leaves_its_turn(apart: Path, stack: ExitStack):
    one = stack.enter_context(holder(alone=True))
    assert is_in(one)
    one.kill()
    assert is_in(stack.enter_context(holder(alone=True)))


def test_who_waits_to_be_alone_lets_nobody_new_in(apart: Path, stack: ExitStack):
    one = stack.enter_context(holder(alone=False))
    assert is_in(one)
    quiet = stack.enter_context(holder(alone=True))
    wait_until_kept_out(quiet)
    late = stack.enter_context(holder(alone=False))
    wait_until_kept_out(late)
    one.communicate("\n")
    assert is_in(quiet)


def test_a_test_that_takes_long_keeps_nobody_out(apart: Path, stack: ExitStack):
    one = stack.enter_context(holder(alone=False))
    assert is_in(one)
    quiet = stack.enter_context(holder(alone=True, patience=(0.05, 0.05)))
    eventually_sync(lambda: locks(quiet))
    assert is_in(stack.enter_context(holder(alone=False)))
    assert quiet.poll() is None


def test_who_waits_to_be_alone_has_its_turn_in_the_end(apart: Path, stack: ExitStack):
    one = stack.enter_context(holder(alone=False))
    assert is_in(one)
    quiet = stack.enter_context(holder(alone=True, patience=(0.05, 0.05)))
    eventually_sync(lambda: locks(quiet))
    one.communicate("\n")
    assert is_in(quiet)


def test_what_a_test_starts_runs_within_its_turn(apart: Path):
    run = [sys.executable, "-c", NESTED]
    assert subprocess.check_output(run, cwd=ROOT, text=True) == "inner\n"
