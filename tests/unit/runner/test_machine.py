"""The lock of the machine: who is alone is, and who dies leaves it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.checkout import ROOT

HOLD = "from tests.machine import turn\nwith turn(alone={alone}):\n    print('in', flush=True)\n    input()"


@contextmanager
def holder(alone: bool) -> Iterator[subprocess.Popen[str]]:
    """Start a process that waits for a turn and keeps it until its input ends."""
    command = [sys.executable, "-c", HOLD.format(alone=alone)]
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


def waits(process: subprocess.Popen[str], folder: Path) -> bool:
    """Tell whether it is blocked by a lock of the folder, as the kernel tells, once it tried."""
    while process.poll() is None:
        for line in Path("/proc/locks").read_text().splitlines():
            if "->" in line and line.split()[5] == str(process.pid):
                return True
    return False


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
    assert waits(other, apart)
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
    assert waits(quiet, apart)
    late = stack.enter_context(holder(alone=False))
    assert waits(late, apart)
    one.communicate("\n")
    assert is_in(quiet)


def test_what_a_test_starts_runs_within_its_turn(apart: Path, monkeypatch: pytest.MonkeyPatch):
    inner = "from tests.machine import turn\nwith turn(alone=True): print('inner')"
    outer = f"import subprocess, sys\nfrom tests.machine import turn\nwith turn():\n    subprocess.run([sys.executable, '-c', {inner!r}], check=True)"
    done = subprocess.run([sys.executable, "-c", outer], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "inner\n"
