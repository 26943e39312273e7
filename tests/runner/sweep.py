"""Remove what tests of this checkout left in the container engine; it is found by its name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

from tests.checkout import CACHE, named

# What there is, and how it is removed; what uses another comes before it.
KINDS = {
    "container": (["ps", "--all", "--format={{.Names}}"], ["rm", "--force", "--volumes"]),
    "network": (["network", "ls", "--format={{.Name}}"], ["network", "rm"]),
    "volume": (["volume", "ls", "--format={{.Name}}"], ["volume", "rm"]),
    "image": (["image", "ls", "--format={{.Repository}}:{{.Tag}}"], ["image", "rm"]),
}
# Images stay for the next run: they are found again by what they are made of.
RUNNING = ("container", "network", "volume")


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    return done.stdout


def left() -> dict[str, list[str]]:
    """Return what is there of this checkout's tests: ``{"container": [name, …], …}``."""
    ours = re.compile(rf"^{re.escape(named(''))}(?!soak)")  # `make soak` runs beside these
    return {
        kind: [name for name in _docker(*listing).split() if ours.match(name)]
        for kind, (listing, _) in KINDS.items()
    }


def remove(kinds: tuple[str, ...] = tuple(KINDS)) -> list[str]:
    """Remove that; return what was there, in words."""
    if not shutil.which("docker"):
        return []
    found = left()
    for kind in kinds:
        if found[kind]:
            _docker(*KINDS[kind][1], *found[kind])
    return [f"{kind} {name}" for kind in kinds for name in found[kind]]


def forget() -> None:
    """Remove what the runs noted in ``.cache``: results, ports, the servers' keys."""
    for path in [*CACHE.glob(f"{named('')}*"), CACHE / "test"]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    for what in remove():
        sys.stdout.write(f"removed {what}\n")
    forget()
