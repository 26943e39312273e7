"""Replace the instances of the replica in turn, without a failed request."""

from __future__ import annotations

from subprocess import STDOUT

from tandem.facts import KINDS
from tandem.instance.roller import Roller
from tandem.ops.checkout.programs import CACHE, Failed, say
from tandem.ops.replica.nginx import reload
from tandem.ops.replica.stack import UP, Stack

LOG = CACHE / "roll.log"
STDERR = 2
# Not --no-deps: Compose would count that as another setting, and replace it at the next up.
START = (*UP, "--no-recreate", "--wait", "--wait-timeout", "90")
LEAVE = "TANDEM_UPSTREAM=$(cat /tmp/instance) exec python -m tandem.instance.handover leave"


class Containers:
    """The instances, each a container; their names here are without the stack's."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        # Of one that is being replaced: the others of its kind.
        self.others: dict[str, set[str]] = {}

    def version(self, name: str) -> str:
        """Return the image of an instance."""
        form = ("--format", "{{.Image}}")
        return self.stack.read("docker", "inspect", *form, self._container(name))

    def end(self, name: str) -> None:
        """Have nginx pass it over, let it end what it is at, and remove it."""
        container = self._container(name)
        there = self.stack.of_service(self._kind(name), "--all")
        self.others[name] = {one.name for one in there} - {container}
        self._do("docker", "exec", container, "sh", "-c", LEAVE)  # one that has stopped cannot
        self._do("docker", "stop", container)
        self._do("docker", "rm", "--force", container)

    def begin(self, name: str, version: str = "") -> str:
        """Start a successor and wait until it is healthy; return what is wrong, or nothing."""
        kind, container = self._kind(name), self._container(name)
        if version:
            self._do("docker", "tag", version, self.stack.image())
            if self.version(name) == version:  # interrupted before it had stopped
                self._do("docker", "stop", container)
            self._do("docker", "rm", "--force", self._fresh(name))
        if self._do(*START, kind):
            return "did not get healthy"
        # Compose counts on; the instance has the number, and so the name, of its predecessor.
        # With fewer instances than before there is none; of the first, the name is free.
        fresh = self._fresh(name)
        if fresh and not self.version(name):
            self._do("docker", "rename", fresh, container)
        return ""

    def show(self, name: str) -> None:
        """Show the last lines of the successor."""
        self.stack.run("docker", "logs", "--tail", "15", self._fresh(name), out=STDERR)

    def _kind(self, name: str) -> str:
        return name.rpartition("-")[0]

    def _container(self, name: str) -> str:
        return f"{self.stack.project}-{name}"

    def _fresh(self, name: str) -> str:
        """Return the container that was not there before, or nothing."""
        there = {one.name for one in self.stack.of_service(self._kind(name), "--all")}
        return next(iter(there - self.others.get(name, there)), "")

    def _do(self, *command: str) -> int:
        with LOG.open("a") as log:
            return self.stack.run(*command, out=log, err=STDOUT)


def roll(stack: Stack, wanted: list[tuple[str, str]]) -> None:
    """Replace the wanted instances: fail at the first that does not get healthy."""
    LOG.write_text("")
    prefix = f"{stack.project}-"
    names = [container.removeprefix(prefix) for _, container in wanted]
    if problem := Roller(Containers(stack), say).roll(names):
        raise Failed(problem)


def retire(stack: Stack) -> None:
    """Remove the instances that no route needs any more; Compose waits for them in vain."""
    for kind in KINDS:
        retired = [one.name for one in stack.of_service(kind)]
        if stack.settings.instances(kind) or not retired:
            continue
        reload(stack)  # it may still send to them
        attempt = stack.attempt_here
        attempt(f"the instances of {kind} do not stop.", "docker", "stop", *retired)
        attempt(f"the instances of {kind} could not be removed.", "docker", "rm", *retired)
