"""The machine's own stall is measured, for real."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.runner.stall import LATE, STOLEN, Stall, Watch


def test_a_machine_that_stands_still_is_found_out():
    """As seen by the process that looks, which is stopped here in the machine's place."""
    watch = Watch()
    pid = watch._process.pid
    time.sleep(LATE)  # it has begun
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED)
    time.sleep(4 * LATE)
    os.kill(pid, signal.SIGCONT)
    stall = watch.stop()
    assert stall
    assert stall.late > LATE


@pytest.mark.parametrize(
    ("stall", "stalled"),
    [
        (Stall(late=LATE / 2, stolen=0, waiting=0), False),
        (Stall(late=LATE * 2, stolen=0, waiting=0), True),
        (Stall(late=0, stolen=STOLEN * 2, waiting=0), True),
        (Stall(late=0, stolen=0, waiting=1), False),
    ],
)
def test_a_late_timer_or_a_stolen_processor_is_a_stall_and_a_queue_is_none(stall, stalled):
    assert bool(stall) is stalled
    assert ("did not stall" in str(stall)) is not stalled
