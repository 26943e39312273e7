"""What one request makes an instance do takes it from nobody else."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from tests.machine import HANG_SECONDS
from tests.replica.another_nginx import Edge, edge
from tests.stack import Stack

# An application server, reached by TCP as on several servers, that answers as it is told.
FORGER = """
import socket, threading, time
def serve(connection):
    request = b""
    while b"\\r\\n\\r\\n" not in request:
        part = connection.recv(65536)
        if not part:
            return
        request += part
    path = request.split(b" ")[1]
    if b"/died" in path:
        pass  # a worker that was killed under it
    elif b"/large" in path:
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nX-Large: " + b"x" * 200_000 + b"\\r\\n\\r\\n")
    elif b"/wrong" in path:
        connection.sendall(b"no HTTP at all\\r\\n\\r\\n")
    elif b"/cut" in path:
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1000\\r\\n\\r\\nshort")
    elif b"/refused" in path:
        connection.sendall(b"HTTP/1.1 503 No\\r\\nContent-Length: 0\\r\\n\\r\\n")
    else:
        connection.sendall(b"HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    connection.close()
listener = socket.create_server(("0.0.0.0", 8101), backlog=512)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@pytest.fixture(scope="module")
def forged(stack: Stack) -> Iterator[tuple[Edge, str]]:
    """Give an edge before two servers that answer as told, and its address."""
    with edge(stack, "forged") as made:
        image = f"{stack.project}-app"
        servers = [
            f"app{n}/wsgi@1=" + made.run(f"app{n}", image, "python3", "-c", FORGER) + ":8101"
            for n in (1, 2)
        ]
        made.nginx("nginx", WSGI_SERVERS=",".join(servers))
        yield made, f"https://localhost:{made.published('nginx', 443)}"


@pytest.mark.parametrize("what", ["died", "large", "wrong", "cut", "refused"])
def test_forged_answers_to_one_client_fail_no_other(forged: tuple[Edge, str], what: str):
    with httpx.Client(base_url=forged[1], verify=False) as client:
        found = []
        for n in range(40):
            if n % 4 == 0:
                with suppress(httpx.HTTPError):  # nginx passes on what is cut, or no HTTP
                    client.get(f"/{what}")
            found.append(client.get("/").status_code)
    assert found == [200] * 40


def test_a_server_that_is_gone_is_passed_over(forged: tuple[Edge, str]):
    """Also for a POST, of which nothing was sent to it."""
    made, address = forged
    name = f"{made.network}-app2"
    made.docker("pause", name)  # it still takes connections
    made.docker("network", "disconnect", made.network, name)  # and now nobody answers there
    try:
        with httpx.Client(base_url=address, verify=False, timeout=HANG_SECONDS) as client:
            codes = {client.request(m, "/").status_code for m in ["GET", "POST"] * 6}
    finally:
        made.docker("network", "connect", "--alias", "app2", made.network, name)
        made.docker("unpause", name)
    assert codes == {200}


def test_a_name_of_the_longest_that_there_is_lets_nginx_start(stack: Stack):
    name = ".".join(["n" * 63, "n" * 63, "n" * 63, "n" * 61])
    cloud = "ec2-203-0-113-25.ap-southeast-2.compute.amazonaws.example"
    with edge(stack, "names") as made:
        made.nginx("nginx", SERVER_NAMES=f"localhost,{cloud},{name}")
        for asked in (cloud, name):
            done = subprocess.run(
                ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Host: {asked}",
                 f"https://localhost:{made.published('nginx', 443)}/health/wsgi/live/"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert done.stdout in ("200", "400")  # 400: Django was not told of the name
