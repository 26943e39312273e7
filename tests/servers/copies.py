"""Servers that are made once and then booted from copies, until what made them changes."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.checkout import ROOT
from tests.machine import once
from tests.servers.rehearsal import COPIES, Rehearsal

# What a provisioned server is made by, beside its topology and its release.
MAKERS = (
    "ansible", "deploy", "tandem", "requirements-dev.lock", "docker/Dockerfile",
    "docker/entrypoints",
)  # fmt: skip


def digest(*paths: str, also: str = "") -> str:
    """Return a hash of the checkout's files at ``paths``, changed and new ones included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = hashlib.sha256(also.encode())
    for name in sorted(filter(None, listed.split("\0"))):
        file = ROOT / name
        if file.is_file():
            found.update(f"{name} {file.stat().st_mode:o} ".encode() + file.read_bytes())
    return found.hexdigest()


def base_images() -> str:
    """Return the ids of the Debian images that blank servers are made of."""
    listed = ["docker", "image", "ls", "--no-trunc", "--quiet", "debian"]
    return subprocess.run(listed, check=True, capture_output=True, text=True).stdout


class Kept:
    """Servers that ``make`` turns from blank ones into what tests begin with.

    ``make`` gets the rehearsal and returns what is to be read of it: ``{"first run": …}``.
    ``also`` is what they are made of, beside the playbooks and the topology.
    """

    def __init__(
        self, rehearsal: Rehearsal, make: Callable[[Rehearsal], dict[str, str]], run: Path,
        also: str = "",
    ) -> None:  # fmt: skip
        self.rehearsal, self.make = rehearsal, make
        self.copy = digest(
            *MAKERS, str(rehearsal.topology.relative_to(ROOT)), also=base_images() + also
        )[:12]
        self.story = run / f"{rehearsal.name}.json"

    def there(self) -> bool:
        """Tell whether an earlier run, or this one, has left the copies."""
        names = [f"{COPIES}/{host}:{self.copy}" for host in self.rehearsal.hosts]
        return not subprocess.run(
            ["docker", "image", "inspect", *names], check=False, capture_output=True
        ).returncode

    def made(self) -> dict[str, str]:
        """Make them of blank servers, once in each run, whatever an earlier one has left."""
        story = once(self.story, self._make)
        assert "failed" not in story, story["failed"]
        return story

    def _make(self) -> dict[str, str]:
        began = time.monotonic()
        self.rehearsal.down()
        self.rehearsal.up()
        try:
            story = self.make(self.rehearsal)
        except AssertionError as error:
            return {"failed": str(error)}
        if not self.there():
            self.rehearsal.keep(self.copy)
            self._forget_others()
        return {"seconds": f"{time.monotonic() - began:.0f}", **story}

    def said(self, since: float, lines: int) -> str:
        """Return what the servers said, if they cannot be made (``tests.runner.evidence``)."""
        return self.rehearsal.said(since, lines)

    def _forget_others(self) -> None:
        """Remove the copies of these hosts that something else had made."""
        for host in self.rehearsal.hosts:
            listed = subprocess.run(
                ["docker", "image", "ls", "--format", "{{.Tag}}", f"{COPIES}/{host}"],
                check=True, capture_output=True, text=True,
            ).stdout.split()  # fmt: skip
            for tag in set(listed) - {self.copy}:
                # One that a server still runs from stays until the next time.
                subprocess.run(
                    ["docker", "image", "rm", f"{COPIES}/{host}:{tag}"],
                    check=False, capture_output=True,
                )  # fmt: skip

    def boot(self, rehearsal: Rehearsal | None = None) -> Rehearsal:
        """Boot the copies, for another rehearsal if one is given; return it."""
        rehearsal = rehearsal or self.rehearsal
        if not self.there():
            self.made()
        rehearsal.up(self.copy)
        return rehearsal
