"""Which server answers where, and what is turned away at the edge."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from contextlib import suppress

import pytest
from websockets.exceptions import InvalidStatus

from tandem.facts import KINDS
from tests.machine import HANG_SECONDS
from tests.stack import Stack, worker


def test_pages_are_served_by_gunicorn(stack: Stack):
    with stack.client() as client:
        answers = {client.get("/").headers["X-Upstream"] for _ in range(20)}
    assert answers == {"wsgi@1", "wsgi@2"}


async def test_sockets_are_held_by_uvicorn_spread_evenly(stack: Stack):
    cookie = stack.cookie("demo")
    sockets = [await stack.socket("/ws/chat/spread/", cookie) for _ in range(40)]
    held = [worker(s) for s in sockets]
    for open_socket in sockets:
        await open_socket.close()
    # In turn, but nginx has others to ask as well meanwhile.
    assert min(held.count(f"asgi@{n}") for n in (1, 2)) >= 10


@pytest.mark.parametrize("upstream", KINDS)
def test_each_upstream_tells_that_it_is_ready(stack: Stack, upstream: str):
    with stack.client() as client:
        answer = client.get(f"/health/{upstream}/ready/")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "redis": "ok", "migrations": "ok"}
    assert answer.headers["X-Upstream"].startswith(f"{upstream}@")
    assert answer.headers["X-Release"] == "test"


def test_http_redirects_to_https(stack: Stack):
    with stack.client() as client:
        answer = client.get(f"http://localhost:{stack.http_port}/chat/?a=1")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{stack.origin}/chat/?a=1"


@pytest.mark.parametrize("http2", [False, True])
def test_a_socket_address_without_upgrade_says_426_and_why(stack: Stack, http2: bool):
    # curl, because HTTP/2 fails as a whole stream if an answer holds a forbidden header.
    version = "--http2" if http2 else "--http1.1"
    out = stack.run(
        "curl", "-sk", version, "-w", "%{http_code}", f"{stack.origin}/ws/chat/x/"
    ).stdout
    assert out.endswith("426")
    assert "speaks the WebSocket protocol only" in out


def raw_request(stack: Stack, lines: list[str]) -> str:
    """Send a request byte for byte; return the head of the answer."""
    with (
        socket.create_connection(("127.0.0.1", stack.https_port)) as plain,
        stack.tls.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        tls.settimeout(HANG_SECONDS)
        answer = b""
        with suppress(ssl.SSLError):
            while b"\r\n\r\n" not in answer and (part := tls.recv(65536)):
                answer += part
    return answer.decode(errors="replace")


HANDSHAKE = [
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]


def test_an_upgrade_on_any_other_path_is_not_forwarded(stack: Stack):
    host = f"Host: localhost:{stack.https_port}"
    origin = f"Origin: {stack.origin}"
    answer = raw_request(
        stack, ["GET /health/asgi/live/ HTTP/1.1", host, origin, "Upgrade: websocket", *HANDSHAKE]
    )
    assert answer.startswith("HTTP/1.1 200"), answer
    assert "X-Upstream: asgi@" in answer


def test_no_protocol_but_websocket_is_upgraded(stack: Stack):
    host = f"Host: localhost:{stack.https_port}"
    answer = raw_request(
        stack,
        ["GET /ws/chat/x/ HTTP/1.1", host, f"Origin: {stack.origin}", "Upgrade: h2c", *HANDSHAKE],
    )
    assert answer.startswith("HTTP/1.1 426"), answer
    assert "Upgrade: websocket" in answer


@pytest.mark.parametrize("path", ["/ws/nothing/", "/ws/chat/not%20a%20room/", "/ws/chat//", "/ws/"])
async def test_an_unknown_route_or_room_is_refused_without_a_traceback(stack: Stack, path: str):
    began = time.time()
    with pytest.raises(InvalidStatus) as refused:
        await stack.socket(path, stack.cookie("demo"))
    assert refused.value.response.status_code == 404
    log = stack.logs("asgi", since=began)
    assert "Traceback" not in log
    assert "no WebSocket at" in log


async def test_an_anonymous_socket_is_refused(stack: Stack):
    with pytest.raises(InvalidStatus) as refused:
        await stack.socket("/ws/chat/lobby/")
    assert refused.value.response.status_code == 403


def test_a_host_that_is_not_ours_gets_nothing(stack: Stack):
    with stack.client() as client:
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421


def test_the_edge_speaks_json_to_programs_and_html_to_people(stack: Stack):
    with stack.client() as client:
        program = client.get("/ws/chat/x/", headers={"Accept": "application/json"})
        person = client.get("/ws/chat/x/", headers={"Accept": "text/html,*/*"})
    assert program.json()["status"] == 426
    assert person.headers["Content-Type"] == "text/html"
    assert "<h1>A WebSocket lives here</h1>" in person.text


def test_a_query_string_never_reaches_the_access_log(stack: Stack):
    began = time.time()
    with stack.client() as client:
        client.get("/?token=s3cret-query", headers={"Referer": f"{stack.origin}/?token=s3cret-ref"})
        client.get("/ws/chat/x/?token=s3cret-socket")
        client.get("/static/none.css?token=s3cret-file")
    log = stack.logs("nginx", since=began)
    assert '"path":"/"' in log
    assert '"path":"/ws/chat/x/"' in log
    assert "s3cret" not in log


def test_a_request_id_passes_through_and_is_made_where_missing(stack: Stack):
    with stack.client() as client:
        mine = client.get("/", headers={"X-Request-ID": "0123456789abcdef-mine"})
        hostile = client.get("/", headers={"X-Request-ID": 'x" onload="evil'})
    assert mine.headers["X-Request-ID"] == "0123456789abcdef-mine"
    assert re.fullmatch(r"[0-9a-f]{32}", hostile.headers["X-Request-ID"])


def test_static_files_come_from_nginx_and_hashed_ones_stay_cached(stack: Stack):
    with stack.client() as client:
        page = client.get("/accounts/login/").text
        hashed = re.search(r"/static/[\w/.-]+\.[0-9a-f]{12}\.css", page)
        assert hashed
        answer = client.get(hashed[0], headers={"Accept-Encoding": "br"})
        plain = client.get("/static/admin/css/base.css")
    assert answer.headers["X-Upstream"] == "edge"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "br"
    assert "immutable" not in plain.headers["Cache-Control"]


def test_cookies_are_secure_and_scripts_come_from_here_only(stack: Stack):
    with stack.client() as client:
        answer = client.get("/accounts/login/")
    cookie = answer.headers["Set-Cookie"]
    assert "Secure" in cookie
    assert "HttpOnly" in cookie
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]


LOGINS = """
import http.client, ssl
from concurrent.futures import ThreadPoolExecutor

def logins(count):
    edge = http.client.HTTPSConnection("nginx", context=ssl._create_unverified_context())
    for _ in range(count):
        headers = {"Host": "localhost", "Accept": "application/json"}
        edge.request("POST", "/accounts/login/", "username=x", headers)
        answer = edge.getresponse()
        body = answer.read().decode().strip()
        yield f"{answer.status} {body if answer.status == 429 else ''}"

with ThreadPoolExecutor(10) as threads:  # together they are faster than 5/s on any machine
    for lines in threads.map(lambda count: list(logins(count)), [20] * 10):
        print(*lines, sep="\\n")
"""


def test_too_many_logins_get_429(stack: Stack):
    # From a container: the tests that follow log in from another address.
    answers = stack.compose("exec", "-T", "asgi", "python", "-c", LOGINS).splitlines()
    refused = [answer.removeprefix("429 ") for answer in answers if answer.startswith("429 ")]
    assert refused
    assert {json.loads(answer)["error"] for answer in refused} == {"Too many requests"}
    assert {answer.split()[0] for answer in answers} == {"403", "429"}  # the form had no token
