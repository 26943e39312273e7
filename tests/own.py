"""What a run makes with the engine is its own: gone afterwards, and nobody else's is touched."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.checkout import CACHE, ROOT
from tests.stack import Stack

# What shows a project's, and what removes it, in an order that lets it go.  An image goes by its
# name: others may have the same one by another.
KINDS = (
    ("ps --all --quiet --no-trunc --filter name=^/?{0}-", "rm --force --volumes"),
    ("network ls --quiet --filter name=^{0}_", "network rm"),
    ("volume ls --quiet --filter name=^{0}_", "volume rm --force"),
    (
        "image ls --format {{{{.Repository}}}}:{{{{.Tag}}}} --filter reference={0}-*",
        "image rm --force",
    ),
    # A build takes the name from its predecessor.
    (
        "image ls --quiet --filter dangling=true --filter label=com.docker.compose.project={0}",
        "image rm",
    ),
)


def _found(stack: Stack, show: str) -> list[str]:
    return sorted(set(stack.run("docker", *show.format(stack.project).split()).stdout.split()))


def left(stack: Stack) -> list[str]:
    """Return what there is of the stack, by the engine's ids or names."""
    return [one for show, _ in KINDS for one in _found(stack, show)]


def remove(stack: Stack) -> None:
    """Remove all that is the stack's, whichever run has made it."""
    for show, how in KINDS:
        if found := _found(stack, show):
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
