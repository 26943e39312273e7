"""The ports that the engine publishes: the site is asked there, as a browser would."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stack import Stack, wait_for
from tests.unit.ops.replica.test_published import certificate


def proxies(stack: Stack) -> dict[int, int]:
    """Return the process of the engine that forwards each published port of this nginx.

    One that has ended, and that the engine has not waited for, has no arguments any more.
    """
    address, found = stack.address(), {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue  # it has ended meanwhile
        if words[0].endswith("docker-proxy") and address in words:
            found[int(words[words.index("-host-port") + 1])] = int(folder.name)
    return found


def end(stack: Stack, *ports: int) -> None:
    """End the engine's processes for ports, as they end when they are out of descriptors."""
    running = proxies(stack)
    for port in ports:
        os.kill(running[port], signal.SIGKILL)
    wait_for(lambda: not set(ports) & set(proxies(stack)))


@contextmanager
def stranger(port: int, certificate: tuple[Path, Path] | None) -> Iterator[None]:
    """Serve something else at a port, under TLS if there is a certificate with its key."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", port), http.server.SimpleHTTPRequestHandler
    )
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def ports(stack: Stack) -> Iterator[list[int]]:
    """Give the engine's published ports, which are forwarded again afterwards."""
    both = [stack.http_port, stack.https_port]
    assert sorted(proxies(stack)) == sorted(both), "the engine forwards in another way"
    yield both
    stack.up()
    assert sorted(proxies(stack)) == sorted(both)


@pytest.mark.parametrize("which", [slice(0, 1), slice(1, 2), slice(0, 2)])
def test_a_port_that_is_no_longer_forwarded_is_told_by_ps_and_mended_by_up(
    stack: Stack, ports: list[int], which: slice
):
    end(stack, *ports[which])
    told = stack.run("make", "ps")
    assert f"nothing listens at 127.0.0.1:{ports[which][-1]}" in told.stderr
    assert "'make up' mends it." in told.stderr
    assert stack.inspect("nginx-1")["State"]["Health"]["Status"] == "healthy"  # it knows nothing

    up = stack.up()
    assert "restarting nginx, which closes its sockets" in up.stderr
    with stack.client() as client:
        assert client.get("/health/ready/").status_code == 200
        assert client.get(f"http://localhost:{stack.http_port}/").status_code == 301
    assert "nothing" not in stack.run("make", "ps").stderr
    assert "restarting" not in stack.up().stderr


@pytest.mark.parametrize("kind", ["http", "https", "plain at https", "silent"])
def test_up_fails_when_what_answers_at_the_port_is_not_this_site(
    stack: Stack, ports: list[int], tmp_path: Path, kind: str
):
    name = "HTTP_PORT" if kind == "http" else "HTTPS_PORT"
    port = ports[name == "HTTPS_PORT"]
    before = stack.inspect("nginx-1")["State"]["StartedAt"]
    end(stack, port)
    with (
        socket.create_server(("127.0.0.1", port))
        if kind == "silent"
        else stranger(port, certificate(tmp_path) if kind == "https" else None)
    ):
        up = stack.up(check=False)
        assert up.returncode != 0
        sentence = (
            f"tandem: what answers at 127.0.0.1:{port} is not this site;"
            f" stop what listens there, or set {name} in .env to another."
        )
        assert sentence in up.stderr
        assert "Site" not in up.stdout
        # Its port could not be had again: it would only be gone.
        assert stack.inspect("nginx-1")["State"]["StartedAt"] == before
        if kind != "silent":
            assert sentence in stack.run("make", "ps").stderr
