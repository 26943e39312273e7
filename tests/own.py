"""What a run makes with the engine is its own: gone afterwards, and nobody else's is touched."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.checkout import CACHE, ROOT
from tests.stack import Stack

# What there is, how a project's is found, and how it goes, in an order that lets it go.
KINDS = (
    ("ps --all --quiet --no-trunc", "name=^/?{0}-", "rm --force --volumes"),
    ("network ls --quiet", "name=^{0}_", "network rm"),
    ("volume ls --quiet", "name=^{0}_", "volume rm --force"),
    # By the label as well: a build leaves its predecessor without a name.
    ("image ls --quiet --no-trunc", "label=com.docker.compose.project={0}", "image rm --force"),
    ("image ls --quiet --no-trunc", "reference={0}-*", "image rm --force"),
)


def left(stack: Stack) -> list[str]:
    """Return the engine's ids of all that is the stack's."""
    return [one for kind in range(len(KINDS)) for one in _found(stack, kind)]


def _found(stack: Stack, kind: int) -> list[str]:
    listed, how, _ = KINDS[kind]
    out = stack.run("docker", *listed.split(), "--filter", how.format(stack.project)).stdout
    return sorted(set(out.split()))


def remove(stack: Stack) -> None:
    """Remove all that is the stack's, whichever run has made it."""
    for kind, (_, _, how) in enumerate(KINDS):
        if found := _found(stack, kind):
            stack.run("docker", *how.split(), *found, check=False)
    assert not (more := left(stack)), f"of {stack.project} there are still {more}"


@contextmanager
def owned(stack: Stack) -> Iterator[None]:
    """Let this run alone have the stack: made anew, and gone afterwards, however it ends.

    With KEEP_STACK=1 what is there is taken over and stays.
    """
    keep = os.environ.get("KEEP_STACK") == "1"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{stack.project}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(
                f"another run tests {stack.project} of {ROOT}; wait for its end"
            ) from None
        if not keep:
            remove(stack)
        try:
            yield
        except Exception as error:
            error.add_note(last_lines(stack))
            raise
        finally:
            if not keep:
                remove(stack)


def last_lines(stack: Stack, since: float = 0, lines: int = 12) -> str:
    """Return the containers' states, and the last lines that each has logged since a Unix time."""
    ps = ("ps", "--all", "--format", "table {{.Name}}\t{{.Status}}")
    logs = ("logs", "--no-color", "--since", f"{since:.3f}", "--tail", str(lines))
    said = [stack.run("docker", "compose", *what, check=False).stdout for what in (ps, logs)]
    return "\n".join(said)
