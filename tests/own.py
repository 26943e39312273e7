"""What a run starts in the engine is its own: gone afterwards, and nobody else's is touched."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.checkout import CACHE, ROOT
from tests.runner.sweep import KINDS, RUNNING
from tests.stack import Stack


def left(stack: Stack) -> dict[str, list[str]]:
    """Return what there is of the stack: ``{"container": [name, …], …}``."""
    prefixes = (f"{stack.project}-", f"{stack.project}_")
    return {
        kind: [
            name
            for name in stack.run("docker", *KINDS[kind][0]).stdout.split()
            if name.startswith(prefixes)
        ]
        for kind in RUNNING
    }


def remove(stack: Stack) -> None:
    """Remove all that is the stack's, whichever run has started it; its images stay."""
    for kind, names in left(stack).items():
        if names:
            stack.run("docker", *KINDS[kind][1], *names, check=False)
    assert not any((more := left(stack)).values()), f"there is still {more}"


@contextmanager
def owned(stack: Stack) -> Iterator[None]:
    """Let this run alone have the stack: started anew, and gone afterwards, however it ends.

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
            error.add_note(stack.said(0, 12))
            raise
        finally:
            if not keep:
                remove(stack)
