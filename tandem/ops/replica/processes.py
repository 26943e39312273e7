"""Whether the site's own processes stay up, and work where they can say so."""

from __future__ import annotations

import time
from subprocess import STDOUT

from tandem.instance import checkup
from tandem.ops.checkout import site
from tandem.ops.checkout.programs import CACHE, Failed, say
from tandem.ops.replica.stack import RUN, Stack

LOG = CACHE / "processes.log"
WATCH_SECONDS = 10.0
STATE = "{{.State.Status}} {{.State.StartedAt}} {{.RestartCount}}"
LINES = "15"
STDERR = 2


def verify(stack: Stack) -> None:
    """Fail unless each process has run for a while, and says that it works if it can."""
    names = site.processes(stack.environment)
    if not names:
        return
    say(f"watching {', '.join(names)} for {WATCH_SECONDS:.0f} s.")
    before = {name: _state(stack, name) for name in names}
    time.sleep(WATCH_SECONDS)
    for name in names:
        state = _state(stack, name)
        if state != before[name] or not state.startswith("running "):
            raise _failed(stack, name, "does not stay up")
    for name in names:
        _check(stack, name)


def ended(stack: Stack) -> None:
    """Fail with the last lines of a process that has ended, if one has."""
    for name in site.processes(stack.environment):
        status, *_, restarts = _state(stack, name).split() or ("", "0")
        if status and (status != "running" or restarts != "0"):
            raise _failed(stack, name, "does not stay up")


def _check(stack: Stack, name: str) -> None:
    command = ("docker", "exec", _container(stack, name), RUN, "checkup", name)

    def asked() -> tuple[int, str]:
        with LOG.open("w") as log:
            status = stack.run(*command, out=log, err=STDOUT, seconds=checkup.SECONDS)
        return status, LOG.read_text(errors="replace")

    if said := checkup.complaint(asked):
        raise _failed(stack, name, f"runs, and its check fails: {said}")


def _failed(stack: Stack, name: str, problem: str) -> Failed:
    """Show the last lines of a process; return how the command ends."""
    stack.run("docker", "logs", "--tail", LINES, _container(stack, name), out=STDERR)
    return Failed(
        f"the process {name} {problem} (its last lines are above); the pages are served. Correct"
        " its command under processes in tandem.yml, or what it says."
    )


def _container(stack: Stack, name: str) -> str:
    return next((one.name for one in stack.of_service(name, "--all")), "")


def _state(stack: Stack, name: str) -> str:
    container = _container(stack, name)
    return stack.read("docker", "inspect", "--format", STATE, container) if container else ""
