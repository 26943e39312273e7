"""Another nginx, with settings of its own, in front of the replica's instances or of others."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tandem.ops.nginx.generate import render, write
from tandem.ops.routes.model import load
from tests.stack import ROOT, Stack, wait_for


def settings(stack: Stack) -> dict[str, str]:
    """Return those of .env, as the replica has them."""
    lines = (ROOT / ".env").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    return {**found, "HTTPS_PORT": str(stack.https_port)}


class Edge:
    """A running container; ``run`` gives more of them beside it, in one network."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self.network = f"{stack.project}-{name}"
        self._started: list[str] = []

    def docker(self, *words: str) -> str:
        """Run a command of the engine."""
        return self._stack.run("docker", *words).stdout.strip()

    def run(self, name: str, *words: str) -> str:
        """Start a container under ``name`` in the network; return its address there."""
        full = f"{self.network}-{name}"
        self._started.append(full)
        self.docker(
            "run", "--detach", "--name", full, "--network", self.network, "--network-alias", name,
            *words,
        )  # fmt: skip
        networks = json.loads(self.docker("inspect", full))[0]["NetworkSettings"]["Networks"]
        return networks[self.network]["IPAddress"]

    def logs(self, name: str) -> str:
        """Return what a container has written."""
        done = subprocess.run(
            ["docker", "logs", f"{self.network}-{name}"], capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    def published(self, name: str, port: int) -> int:
        """Return the port of this machine for one of a container's."""
        return int(self.docker("port", f"{self.network}-{name}", str(port)).split(":")[-1])

    def nginx(self, name: str, *options: str, **changed: str) -> str:
        """Start an nginx that serves the replica's sockets and files; return its address.

        ``options`` are more of ``docker run``, ``changed`` other settings than .env's.
        """
        folder = Path(tempfile.mkdtemp(dir=ROOT / ".cache"))
        write(
            render({**settings(self._stack), **changed}, load(ROOT / "deploy/routes.yml")), folder
        )
        (folder / "force.conf").write_text("")
        folder.chmod(0o755)
        volumes = {
            "run": "/run/tandem",
            "static": "/srv/tandem/static",
            "media": "/srv/tandem/media",
        }
        address = self.run(
            name, "--tmpfs", "/run/nginx:uid=33,gid=33", "--tmpfs", "/tmp:mode=1777",
            "--publish", "127.0.0.1::80", "--publish", "127.0.0.1::443",
            "--volume", f"{folder}:/etc/tandem/nginx:ro",
            "--volume", f"{ROOT}/deploy/nginx:/etc/nginx/tandem:ro",
            "--volume", f"{self._stack.project}_tls:/etc/tandem/tls:ro",
            *(word for one, place in volumes.items()
              for word in ("--volume", f"{self._stack.project}_{one}:{place}")),
            *options,
            f"{self._stack.project}-nginx",
        )  # fmt: skip
        ask = ["exec", f"{self.network}-{name}", "curl", "-sk", "https://localhost/health/edge/"]
        wait_for(lambda: "live" in self._stack.run("docker", *ask, check=False).stdout)
        return address

    def close(self) -> None:
        """Remove everything that was started."""
        for full in self._started:
            self._stack.run("docker", "rm", "--force", "--volumes", full, check=False)
        self._stack.run("docker", "network", "rm", self.network, check=False)


@contextmanager
def edge(stack: Stack, name: str) -> Iterator[Edge]:
    """Give a network of its own, with nothing in it yet."""
    with ExitStack() as after:
        made = Edge(stack, name)
        made.close()  # left by a run that was killed
        made.docker("network", "create", made.network)
        after.callback(made.close)
        yield made
