"""Remove the replica with all its data, after asking."""

from __future__ import annotations

import shutil
import sys

from tandem.ops.checkout.programs import CACHE, ROOT, Failed
from tandem.ops.replica.stack import COMPOSE, LABEL, Stack

DEV = ROOT / ".dev"  # the database of 'make dev'


def clean(stack: Stack) -> int:
    """Say what would go, ask, and remove it."""
    project = stack.project
    print("This deletes, for good:")
    volumes = ("--filter", f"label={LABEL}.project={project}")
    for name in stack.lines("docker", "volume", "ls", "--quiet", *volumes):
        print(f"  volume {name}")
    for name in sorted(set(stack.lines(*COMPOSE, "images", "--quiet"))):
        print(f"  image {name}")
    print(f"  folders {CACHE.name} and {DEV.name} (the database of 'make dev')")
    if stack.environment.get("YES") != "1":
        if not sys.stdin.isatty():
            raise Failed(
                "not asking without a terminal; 'make clean YES=1' deletes without asking."
            )
        print(f"Type the name of the stack, {project}, to delete it: ", end="", flush=True)
        if sys.stdin.readline().rstrip("\n") != project:
            raise Failed("nothing was deleted.")
    down = ("down", "--volumes", "--remove-orphans", "--rmi", "local")
    if status := stack.run(*COMPOSE, *down):
        return status
    for folder in (CACHE, DEV):
        shutil.rmtree(folder, ignore_errors=True)
    return 0
