"""What one client may have under way at once."""

from __future__ import annotations

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx

from tests.replica.another_nginx import edge
from tests.stack import Stack


def unfinished(stack: Stack, count: int, length: int) -> list[bytes]:
    """Begin POSTs of which one byte arrives; return the status lines that come at once."""
    request = (
        f"POST /accounts/logout/ HTTP/1.1\r\nHost: localhost:{stack.https_port}\r\n"
        f"Content-Length: {length}\r\n\r\nx"
    )
    with ExitStack() as after:
        sockets = []
        for _ in range(count):
            plain = socket.create_connection(("127.0.0.1", stack.https_port))
            tls = after.enter_context(stack.tls.wrap_socket(plain, server_hostname="localhost"))
            tls.sendall(request.encode())
            sockets.append(tls)
        return [status for one in sockets if (status := _status(one))]


def _status(one: ssl.SSLSocket) -> bytes:
    one.settimeout(0.2)
    try:
        return one.recv(65536).split(b"\r\n")[0]
    except TimeoutError:
        return b""


def test_unfinished_posts_of_one_client_are_bounded(stack: Stack):
    assert unfinished(stack, 40, 100) == []
    refused = unfinished(stack, 70, 100)
    assert len(refused) >= 20
    assert {line.split()[1] for line in refused} == {b"429"}


def test_large_bodies_of_one_client_are_bounded_further(stack: Stack):
    refused = unfinished(stack, 10, 20_000_000)
    assert len(refused) >= 6
    assert {line.split()[1] for line in refused} == {b"429"}


def test_logins_that_come_at_once_are_not_all_let_in(stack: Stack):
    """Each takes a thread for as long as the password's hash takes."""

    def attempt(_: int) -> int:
        with stack.client() as client:
            client.timeout = httpx.Timeout(120)
            token = client.get("/accounts/login/").cookies["csrftoken"]
            return client.post(
                "/accounts/login/",
                data={"username": "demo", "password": "wrong", "csrfmiddlewaretoken": token},
                headers={"Referer": stack.origin},
            ).status_code

    with ThreadPoolExecutor(24) as threads:
        codes = list(threads.map(attempt, range(24)))
    assert set(codes) == {200, 429}


def test_requests_of_one_client_are_bounded(stack: Stack):
    with edge(stack, "few") as made:
        made.nginx("nginx", REQUESTS_PER_ADDRESS="2")
        port = made.published("nginx", 443)
        with httpx.Client(base_url=f"https://localhost:{port}", verify=False, timeout=60) as client:

            def ask(_: int) -> int:
                return client.get("/health/wsgi/ready/").status_code

            with ThreadPoolExecutor(16) as threads:
                codes = set(threads.map(ask, range(200)))
    assert codes == {200, 429}
