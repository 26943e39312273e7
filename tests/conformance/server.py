"""A plain ASGI echo on a Uvicorn as the product runs it: for a quick run without nginx."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.stack import ROOT


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Echo text as text and bytes as bytes; plain HTTP gets 426."""
    if scope["type"] == "http":
        headers = [(b"content-length", b"0"), (b"upgrade", b"websocket")]
        await send({"type": "http.response.start", "status": 426, "headers": headers})
        await send({"type": "http.response.body"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({**event, "type": "websocket.send"})


def settings(*names: str) -> dict[str, str]:
    """Return the variables of ``deploy/``'s environment files."""
    lines = [
        line.partition("=")
        for name in names
        for line in (ROOT / "deploy" / name).read_text().splitlines()
        if "=" in line and not line.startswith("#")
    ]
    return {name: value for name, _, value in lines}


@contextmanager
def serving(limit: int) -> Iterator[str]:
    """Serve it; give the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--fd", str(listener.fileno()),
             "tests.conformance.server:application"],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            env={
                **os.environ,
                **settings("uvicorn.env", "timeouts.env"),
                "UVICORN_WS_MAX_SIZE": str(limit),
            },
        )  # fmt: skip
        try:
            host, port = listener.getsockname()
            _wait(host, port)
            yield f"ws://{host}:{port}/"
        finally:
            process.kill()
            process.wait()


def _wait(host: str, port: int) -> None:
    # The kernel takes connections at once; the answer shows that Uvicorn is there.
    deadline = time.monotonic() + 30
    with socket.create_connection((host, port)) as probe:
        probe.settimeout(deadline - time.monotonic())
        probe.sendall(b"GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n")
        assert probe.recv(4096).startswith(b"HTTP/1.1 426")
