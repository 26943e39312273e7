"""How `make roll` replaces instances: what it asks of an engine that only takes notes."""

from __future__ import annotations

import sys

from tests.unit.ops.replica.test_up import Checkout, checkout  # noqa: F401 - the fixture

ROLL = (
    sys.executable, "-c",
    "from tandem.ops.replica.roll import roll; from tandem.ops.replica.stack import Stack;"
    "from tandem.ops.checkout.programs import command; stack = Stack();"
    "raise SystemExit(command(lambda: roll(stack, stack.instances())))",
)  # fmt: skip
NAME = "tandem-noted-asgi-1"


def test_an_instance_leaves_nginx_before_it_stops_and_the_next_waits_for_it(
    checkout: Checkout,  # noqa: F811
):
    done = checkout.run(*ROLL, RUNS="1")
    assert done.returncode == 0, done.stderr
    steps = [
        f"exec {NAME} sh -c TANDEM_UPSTREAM=$(cat /tmp/instance) exec"
        " python -m tandem.instance.handover leave",
        f"stop {NAME}", f"rm --force {NAME}",
        "compose --progress quiet up --detach --no-recreate --wait --wait-timeout 90 asgi",
    ]  # fmt: skip
    asked = [checkout.asked(step) for step in steps]
    assert -1 not in asked
    assert asked == sorted(asked)


def test_one_that_does_not_get_healthy_runs_the_old_release_again(
    checkout: Checkout,  # noqa: F811
):
    done = checkout.run(*ROLL, RUNS="1", FAIL="up --detach --no-recreate --wait")
    assert done.returncode != 0
    assert checkout.asked("logs --tail 15") > 0
    assert checkout.asked("tag sha256:before tandem-noted-app") > checkout.asked(f"stop {NAME}")
