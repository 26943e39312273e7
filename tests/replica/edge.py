"""A second nginx of the replica: the same image, files and certificate, other instances behind it.

What becomes of the replica's own instances, of its routes and of its limits is nothing to it.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.stack import Stack, wait_for


@contextmanager
def edge(stack: Stack, name: str, run: str) -> Iterator[str]:
    """Start it with the instances whose sockets are in the folder or volume ``run``.

    Give its address.
    """
    container, project = stack.container(name), stack.project
    stack.run(
        "docker", "run", "--detach", "--name", container, "--network", f"{project}_default",
        "--read-only", "--tmpfs", "/tmp:mode=1777", "--tmpfs", "/run/nginx:uid=33,gid=33",
        "--volume", "/var/lib/nginx", "--volume", f"{run}:/run/tandem",
        "--volume", f"{project}_nginx-config:/etc/tandem/nginx:ro",
        "--volume", f"{project}_tls:/etc/tandem/tls:ro", f"{project}-nginx",
    )  # fmt: skip
    try:
        address = stack.address(name)
        with stack.client(at=address) as client:
            wait_for(lambda: client.get("/health/edge/").status_code == 200)
        yield address
    finally:
        stack.run("docker", "rm", "--force", "--volumes", container)


@dataclass
class Recorder:
    """Stands where every instance would be and notes the heads of requests, as nginx sends them."""

    folder: Path
    heads: list[httpx.Headers] = field(default_factory=list)

    @contextmanager
    def listening(self, *instances: str) -> Iterator[None]:
        """Take the place of ``instances`` (``wsgi@1``)."""
        recorder = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.rfile.readline()
                lines = iter(self.rfile.readline, b"\r\n")
                pairs = [line.decode("latin-1").rstrip().split(": ", 1) for line in lines]
                recorder.heads.append(httpx.Headers([(n, v) for n, v in pairs]))
                self.wfile.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

        servers = []
        for instance in instances:
            path = self.folder / f"{instance}.sock"
            servers.append(socketserver.ThreadingUnixStreamServer(str(path), Handler))
            path.chmod(0o666)  # nginx is another user
            threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        try:
            yield
        finally:
            for server in servers:
                server.shutdown()
                server.server_close()
