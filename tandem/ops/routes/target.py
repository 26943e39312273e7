"""Where routes are applied: the replica of this checkout, or the edges of an inventory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tandem.facts import FORCE_CONF, ROUTES_LOG
from tandem.ops.routes.force import tokens
from tandem.ops.routes.history import History, me
from tandem.ops.routes.site import adopted

# What programs say of their work is no result of ours.
STDERR = 2


class TargetError(Exception):
    """It could not be applied; the message says why, or the program that ran did already."""


def say(sentence: str) -> None:
    """Tell a person."""
    print(f"tandem: {sentence}", file=sys.stderr)


@dataclass(frozen=True)
class Target:
    """A site's edges, of the ``inventories`` together.  Without one: the replica."""

    inventories: tuple[Path, ...] = ()

    def history(self) -> History:
        """Return what was applied here from this checkout."""
        name = os.environ.get("COMPOSE_PROJECT_NAME", "replica")
        if self.inventories:
            paths = " ".join(str(inventory.resolve()) for inventory in self.inventories)
            name = re.sub(r"[^A-Za-z0-9]+", "-", paths).strip("-")
        return History(Path(".cache/routes") / f"{name}.jsonl")

    def apply(self, routes: Path, what: str) -> None:
        """Have every edge route by ``routes``.  Raises ``TargetError``; then they are as before."""
        if not self.inventories:
            self._run([*_tandem(), "replica", "routes", str(routes)])
            return
        said: dict[str, object] = {
            "routes_file": str(routes.resolve()),
            "routes_by": me(),
            "routes_what": what,
        }
        if found := adopted():  # as tandem.ops.checkout.site has it for the other playbooks
            said |= {"tandem_routes": said["routes_file"], "tandem_notify_instances": 0}
            said |= {"tandem_site_static": found[0].static}
        extra = [f"--extra-vars={json.dumps(said)}"]
        self._run(
            [_ansible("ansible-playbook"), *self._inventory(), "routes.yml", *extra], "ansible"
        )

    def tokens(self) -> dict[str, str]:
        """Return the tokens that force a side: ``{"asgi": …, "wsgi": …}``.

        Of several sites in one inventory those of the first edge.
        """
        if not self.inventories:
            command = ["docker", "compose", "exec", "-T", "nginx", "cat", FORCE_CONF]
            printed = self._run(command, read=True)
        else:
            ask = ["edge[0]", "--become", "--module-name=command", f"--args=cat {FORCE_CONF}"]
            printed = self._run(
                [_ansible("ansible"), *self._inventory(), *ask], "ansible", read=True
            )
        if not (found := tokens(printed)):
            raise TargetError(
                f"there are no tokens in {FORCE_CONF}; 'make up' or 'make provision' makes them"
            )
        return found

    def log(self) -> str:
        """Return what the edges themselves have noted."""
        ask = [
            "edge",
            "--become",
            "--module-name=command",
            f"--args=tail -n 20 {ROUTES_LOG}",
        ]
        return self._run([_ansible("ansible"), *self._inventory(), *ask], "ansible", read=True)

    @contextmanager
    def logs(self, since: float | None) -> Iterator[list[str]]:
        """Give the names of files with the edges' access logs since then (since the epoch).

        Raises ``TargetError``.
        """
        with tempfile.TemporaryDirectory(prefix="tandem-logs-") as folder:
            said = {"logs_folder": folder} | ({"logs_since": str(since)} if since else {})
            play = [_ansible("ansible-playbook"), *self._inventory(), "logs.yml"]
            self._run([*play, f"--extra-vars={json.dumps(said)}"], "ansible", read=True)
            yield sorted(str(file) for file in Path(folder).iterdir())

    def _inventory(self) -> list[str]:
        return [f"--inventory={inventory.resolve()}" for inventory in self.inventories]

    def _run(self, command: list[str], folder: str = ".", read: bool = False) -> str:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                text=True,
                # Nobody is asked then, and what comes there is for the caller: a list of addresses.
                stdin=subprocess.DEVNULL if read else None,
                stdout=subprocess.PIPE if read else STDERR,
            )
        except FileNotFoundError:
            cure = "run this in the checkout, after 'make up'"
            if command[0].startswith("ansible"):
                cure = "in the checkout 'docker/venv.sh servers' installs it"
            raise TargetError(f"there is no {command[0]} here; {cure}") from None
        if done.returncode:
            sys.stderr.write(done.stdout or "")
            said = " ".join(command[:3]).replace(" ".join(_tandem()), "tandem replica routes")
            raise TargetError(f"{said} ended with {done.returncode}")
        return done.stdout or ""


def _tandem() -> list[str]:
    # The command of the checkout that this is run in.
    if not Path("tandem/__main__.py").exists():
        raise TargetError(
            f"there is no tandem in {Path.cwd()}; run this in the root of the checkout"
        )
    return [sys.executable, "-m", "tandem"]


def _ansible(program: str) -> str:
    beside = Path(sys.executable).parent / program
    return str(beside) if beside.exists() else program
