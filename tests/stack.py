"""A replica of its own for the tests: own name, own ports, brought up by the product's command."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.checkout import ROOT, named, ports
from tests.machine import HANG_SECONDS

# Fewer than a user and an address get by default, so that a test can reach them, and more than
# the load of a roll opens.  A user's are fewer than an address's: each is met on its own.
SOCKETS_PER_USER, SOCKETS_PER_ADDRESS = 900, 1000


class Stack:
    """The running replica and ways to speak to it.  ``root`` is the checkout it runs from."""

    what = "replica"

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        if root != ROOT and not (root / ".venv").exists():
            (root / ".venv").symlink_to(ROOT / ".venv")  # a copy's packages are the checkout's
        self.project = named(self.what)
        self.http_port, self.https_port = ports(self.what)
        self.origin = f"https://localhost:{self.https_port}"
        self.tls = ssl.create_default_context()
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE

    # --- commands ---

    def env(self, **settings: str) -> dict[str, str]:
        """Return the environment of the product's commands for this stack."""
        return {
            **os.environ,
            "COMPOSE_PROJECT_NAME": self.project,
            "HTTP_PORT": str(self.http_port),
            "HTTPS_PORT": str(self.https_port),
            "TANDEM_RELEASE": "test",
            "SOCKETS_PER_USER": str(SOCKETS_PER_USER),
            "DATABASE_PATIENCE_SECONDS": "120",  # a restart takes long on a busy machine
            "SOCKETS_PER_ADDRESS": str(SOCKETS_PER_ADDRESS),
            "TAKE_OVER": "1",  # a copy of the checkout, to break it, has the same stack
            **settings,
        }

    def run(
        self, *command: str, check: bool = True, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout; on failure with ``check`` show what it printed."""
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=self.env(**settings),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=2 * HANG_SECONDS)
            except BaseException:  # interrupted: nothing of it may go on and make more
                os.killpg(process.pid, signal.SIGKILL)
                raise
        if check and process.returncode:
            raise AssertionError(f"{command} exited {process.returncode}:\n{out}{err}")
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def replica(
        self, *words: str, check: bool = True, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``tandem replica``."""
        command = (sys.executable, "-m", "tandem", "replica")
        return self.run(*command, *words, check=check, **settings)

    def up(self, check: bool = True, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run ``make up``."""
        return self.run("make", "--no-print-directory", "up", check=check, **settings)

    def compose(self, *args: str, check: bool = True) -> str:
        """Run ``docker compose`` and return what it printed."""
        return self.run("docker", "compose", *args, check=check).stdout

    def container(self, name: str) -> str:
        """Return the container's full name: ``asgi-1`` → ``PROJECT-asgi-1``."""
        return f"{self.project}-{name}"

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what the engine knows of a container."""
        return json.loads(self.run("docker", "inspect", self.container(name)).stdout)[0]

    def manage(self, code: str) -> str:
        """Run Python code in the site and return what it printed."""
        return self.compose("exec", "-T", "wsgi", "python", "manage.py", "shell", "-v0", "-c", code)

    def sql(self, statement: str) -> str:
        """Run SQL as the site's user; return rows, columns separated by ``|``."""
        out = self.compose(
            "exec", "-T", "wsgi", "python", "-c",
            "import sys, psycopg\n"
            "with psycopg.connect(host='/run/postgresql', dbname='tandem') as c:\n"
            "    r = c.execute(sys.argv[1])\n"
            "    print('\\n'.join('|'.join(map(str, x)) for x in (r if r.description else [])))",
            statement,
        )  # fmt: skip
        return out.strip()

    def redis(self, *command: str) -> str:
        """Run a Redis command."""
        return self.compose(
            "exec",
            "-T",
            "redis",
            "redis-cli",
            "-s",
            "/run/redis-tandem/redis-server.sock",
            *command,
        ).strip()

    def redis_stat(self, name: str) -> int:
        """Return a number of Redis' INFO."""
        found = re.search(rf"^{name}:(\d+)", self.redis("info"), re.MULTILINE)
        assert found, f"Redis has no {name}"
        return int(found[1])

    def logs(self, *services: str, since: float = 0) -> str:
        """Return the logs of ``services``, optionally since a Unix time."""
        since_ = f"{since:.3f}"
        return self.compose("logs", "--no-log-prefix", "--no-color", "--since", since_, *services)

    def said(self, since: float, lines: int) -> str:
        """Return the last log lines of each container since a Unix time, each with its name."""
        return self.compose(
            "logs", "--no-color", "--since", f"{since:.3f}", "--tail", str(lines), check=False
        )

    def images(self) -> dict[str, str]:
        """Return the stack's images: id by name."""
        form = "{{.Repository}} {{.ID}}"
        listed = self.run(
            "docker", "image", "ls", "--format", form, "--filter", f"reference={self.project}-*"
        )
        return dict(line.split() for line in listed.stdout.splitlines())

    @contextmanager
    def same_images(self) -> Iterator[None]:
        """Give the names of the stack's images back to those that have them now."""
        before = self.images()
        try:
            yield
        finally:
            for name, image in before.items():
                self.run("docker", "tag", image, name)

    def _network(self, name: str) -> dict[str, Any]:
        (network,) = self.inspect(name)["NetworkSettings"]["Networks"].values()
        return network

    def address(self, name: str = "nginx-1") -> str:
        """Return the address of a container: beside the engine's port forwarding."""
        return self._network(name)["IPAddress"]

    def host_address(self) -> str:
        """Return the address that this machine has for the containers."""
        return self._network("nginx-1")["Gateway"]

    def wait_healthy(self, name: str) -> None:
        """Wait until the container's health check passes."""
        wait_for(lambda: self.inspect(name)["State"]["Health"]["Status"] == "healthy")

    # --- HTTP ---

    @contextmanager
    def client(self, user: str | None = None, at: str = "") -> Iterator[httpx.Client]:
        """Give an HTTP client, logged in as ``user`` (whose password is its name).

        It asks the published port, or an nginx of the replica at the address ``at``.
        """
        headers = {"Host": f"localhost:{self.https_port}"} if at else None
        with httpx.Client(
            base_url=f"https://{at}" if at else self.origin,
            headers=headers,
            verify=self.tls,
            timeout=HANG_SECONDS,
        ) as client:
            if user:
                client.get("/accounts/login/")
                token = client.cookies["csrftoken"]
                answer = client.post(
                    "/accounts/login/",
                    data={"username": user, "password": user, "csrfmiddlewaretoken": token},
                    headers={"Referer": self.origin},
                )
                assert answer.status_code == 302, answer.text
            yield client

    def cookie(self, user: str) -> str:
        """Return the Cookie header of a fresh session of ``user``."""
        with self.client(user) as client:
            return f"sessionid={client.cookies['sessionid']}"

    # --- WebSockets ---

    def socket(
        self, path: str, cookie: str = "", origin: str | None = "", **options: Any
    ) -> connect:
        """Return a WebSocket to open, from the site's own Origin unless told otherwise."""
        options.setdefault("additional_headers", {"Cookie": cookie} if cookie else {})
        return connect(
            f"wss://localhost:{self.https_port}{path}",
            ssl=self.tls,
            origin=self.origin if origin == "" else origin,
            open_timeout=HANG_SECONDS,
            **options,
        )

    async def socket_on(self, instance: str, path: str, cookie: str) -> ClientConnection:
        """Open sockets until one is held by ``instance`` (``asgi@1``); close the others."""
        spare = []
        try:
            for _ in range(20):
                socket = await self.socket(path, cookie)
                if worker(socket) == instance:
                    return socket
                # Closed only later: least_conn would choose the same instance again.
                spare.append(socket)
        finally:
            for other in spare:
                await other.close()
        raise AssertionError(f"no socket landed on {instance}")


def worker(socket: ClientConnection) -> str:
    """Return the instance that holds ``socket``."""
    assert socket.response is not None
    return socket.response.headers["X-Upstream"]


async def messages(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    """Return the next ``count`` chat messages, passing over other frames."""
    import asyncio

    found: list[dict[str, Any]] = []
    async with asyncio.timeout(HANG_SECONDS):
        while len(found) < count:
            frame = json.loads(await socket.recv())
            if "message" in frame:
                found.append(frame)
    return found


def wait_for(condition: Callable[[], Any], *, every: float = 0.1) -> Any:
    """Wait until ``condition`` is true (an exception counts as not yet); return its value."""
    deadline = time.monotonic() + HANG_SECONDS
    while True:
        try:
            value = condition()
        except (httpx.HTTPError, OSError, KeyError):
            value = None
        if value:
            return value
        assert time.monotonic() < deadline, f"not so within {HANG_SECONDS} s"
        time.sleep(every)


_network = ""  # as it was when it had settled


def settle_network() -> None:
    """Wait until this machine's interfaces have been as they are for 3 s.

    Chromium drops what it is loading (ERR_NETWORK_CHANGED) when one comes, goes or gets
    its address, as after each start of a container.
    """
    global _network
    addresses = Path("/proc/net/if_inet6")
    before, since = _network, time.monotonic()
    settled = bool(before)  # a start of a container gives an interface a new name
    while not settled or _interfaces(addresses) != before:
        now = _interfaces(addresses)
        if now != before:
            before, since = now, time.monotonic()
        settled = time.monotonic() - since >= 3
        time.sleep(0.2)
    _network = before


def _interfaces(addresses: Path) -> str:
    names = " ".join(sorted(os.listdir("/sys/class/net")))
    return names + (addresses.read_text() if addresses.exists() else "")


@contextmanager
def copy_of_checkout(folder: Path) -> Iterator[Path]:
    """Copy the files under version control (and new ones) to ``folder``, to break them there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    yield folder
