"""What takes long to be proved begins with the run, so that other tests go on meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.replica.edge import edge
from tests.replica.styles import new_token
from tests.stack import Stack, wait_for


@dataclass
class Since:
    """Something that began some time ago."""

    what: object
    began: float = field(default_factory=time.monotonic)

    def wait(self, seconds: float) -> None:
        """Wait until it has lasted for so long."""
        time.sleep(max(0.0, self.began + seconds - time.monotonic()))


@contextmanager
def silent_chat(stack: Stack, address: str, cookie: str) -> Iterator[ClientConnection]:
    """Open a chat's socket at ``address`` that sends no pings."""
    plain = socket.create_connection((address, 443))
    with connect(
        f"wss://localhost:{stack.https_port}/ws/chat/silent/?after=0",
        sock=plain, ssl=stack.tls, server_hostname="localhost", origin=stack.origin,
        additional_headers={"Cookie": cookie}, ping_interval=None,
    ) as opened:  # fmt: skip
        yield opened


@contextmanager
def pingless(stack: Stack, run: str) -> Iterator[None]:
    """Run an instance as asgi-1 is, but without pings, its socket in the volume ``run``.

    Not by Compose, whose commands would take it for one of the replica's.
    """
    container, like = stack.container("silent-asgi"), stack.inspect("asgi-1")
    settings = [word for pair in like["Config"]["Env"] for word in ("--env", pair)]
    stack.run(
        "docker", "run", "--detach", "--name", container, "--network", f"{stack.project}_default",
        "--read-only", "--tmpfs", "/tmp:mode=1777", "--group-add", *like["HostConfig"]["GroupAdd"],
        "--volumes-from", stack.container("asgi-1"), "--volume", f"{run}:/run/tandem",
        *settings, "--env", "UVICORN_WS_PING_INTERVAL=0",
        f"{stack.project}-app", *like["Config"]["Cmd"],
    )  # fmt: skip
    probe = (
        "docker",
        "exec",
        container,
        "python",
        "-m",
        "tandem.instance.probe",
        "asgi@1",
        "/health/live/",
    )
    try:
        wait_for(lambda: not stack.run(*probe, check=False).returncode)
        yield
    finally:
        stack.run("docker", "rm", "--force", container)
        stack.run("docker", "volume", "rm", "--force", run)


@pytest.fixture(scope="session")
def silence(stack: Stack) -> Iterator[Since]:
    """Begin a silence from both sides: of a socket whose instance does not ping either."""
    run = f"{stack.project}_run-silent"
    with (
        pingless(stack, run),
        edge(stack, "silent-nginx", run) as address,
        silent_chat(stack, address, stack.cookie("demo")) as opened,
    ):
        yield Since(opened)


@pytest.fixture(scope="session")
def idleness(stack: Stack) -> Iterator[Since]:
    """Begin to say nothing on a socket of the replica, which pings."""
    with silent_chat(stack, stack.address(), stack.cookie("demo")) as opened:
        yield Since(opened)


@pytest.fixture(scope="session")
def old_token(stack: Stack) -> Since:
    """Get a token, to be used later."""
    return Since(new_token(stack, "demo"))


WAITS = ("silence", "idleness", "old_token")


@pytest.fixture(scope="session", autouse=True)
def begin(request: pytest.FixtureRequest) -> None:
    """Begin all waits for which there is a test in this run."""
    wanted = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in WAITS:
        if name in wanted:
            request.getfixturevalue(name)
