"""Drains, as the instances' logs tell of them."""

from __future__ import annotations

import pytest

from tests.load.drains import Drain, drains
from tests.load.run import sockets_moved_in_turn

EVEN = "INFO tandem.drain: 250 sockets and streams let go in 9.96 s\n"


def test_drains_are_found_among_other_lines():
    log = f"WARNING x: y\n{EVEN}INFO z\nINFO tandem.drain: 3 sockets and streams let go in 0.10 s\n"
    assert drains(log) == [Drain(250, 9.96), Drain(3, 0.10)]


@pytest.mark.parametrize(
    ("drain", "even"),
    [
        (Drain(250, 9.96), True), (Drain(250, 30.0), True), (Drain(250, 5.0), False),
        (Drain(20, 0.95), True), (Drain(20, 0.5), False), (Drain(1, 0.0), True),
    ],
)  # fmt: skip
def test_each_socket_waits_for_its_turn_in_the_window(drain: Drain, even: bool):
    assert drain.was_even(10) == even


def test_sockets_moved_in_turn_only_if_the_log_knows_of_all():
    report = {"closes": {"1012": 500}}
    sockets_moved_in_turn(report, EVEN * 2)
    for log in ("", EVEN, EVEN.replace("9.96", "1.00") * 2):
        with pytest.raises(AssertionError):
            sockets_moved_in_turn(report, log)
    with pytest.raises(AssertionError):
        sockets_moved_in_turn({"closes": {"1012": 499, "1006": 1}}, EVEN * 2)
