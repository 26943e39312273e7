"""Nothing secret in a log, and nothing that a client wrote as a line of its own."""

from __future__ import annotations

import re
import time

import pytest
from websockets.exceptions import InvalidStatus

from tests.replica.another_nginx import edge
from tests.replica.test_routing import raw_request
from tests.stack import Stack

SECRET = "s3cret-of-a-query"


def test_a_missing_socket_is_told_without_the_query(stack: Stack):
    with edge(stack, "missing") as made:
        made.nginx("nginx", WSGI_INSTANCES="9", ASGI_INSTANCES="9")
        port = made.published("nginx", 443)
        with stack.client() as client:
            for _ in range(12):
                client.get(
                    f"https://localhost:{port}/accounts/login/?token={SECRET}",
                    headers={"Referer": f"https://localhost/?token={SECRET}"},
                )
        log = made.logs("nginx")
    assert "/run/tandem/wsgi@9.sock" in log  # it was tried, and the access log says so
    assert SECRET not in log


def test_a_full_disk_is_told_without_the_query(stack: Stack):
    with edge(stack, "full") as made:
        made.nginx("nginx", "--tmpfs", "/var/lib/nginx:size=64k,uid=33,gid=33")
        port = made.published("nginx", 443)
        with stack.client() as client:
            answer = client.post(
                f"https://localhost:{port}/upload/?token={SECRET}", content=b"x" * 2_000_000
            )
        log = made.logs("nginx")
    assert answer.status_code == 500
    assert "<h1>Error</h1>" in answer.text
    assert SECRET not in log


@pytest.mark.parametrize("upstream", ["wsgi", "asgi"])
def test_a_request_that_is_not_understood_is_not_quoted(stack: Stack, upstream: str):
    began = time.time()
    host = f"Host: localhost:{stack.https_port}"
    path = f"/health/{upstream}/live/?token={SECRET}"
    for request in (
        [f"A {path} HTTP/1.1", host],
        [f"GET {path} HTTP/1.1", host, "Transfer-Encoding: x", "Content-Length: 3"],
        [f"GET {path} HTTP/1.1", host, f"Expect: {SECRET}"],
    ):
        raw_request(stack, request)
    assert SECRET not in stack.logs("nginx", "wsgi", "asgi", since=began)


@pytest.mark.parametrize(
    "forged", ["%0aWARNING root: forged", "%0d%0aforged", "%1b[2Kforged", "%c2%9b2K"]
)
async def test_no_path_writes_a_line_or_moves_a_terminal(stack: Stack, forged: str):
    began = time.time()
    with pytest.raises(InvalidStatus):
        await stack.socket(f"/ws/nothing/{forged.replace(' ', '%20')}", stack.cookie("demo"))
    log = stack.logs("asgi", since=began)
    assert "no WebSocket at /ws/nothing/" in log
    lines = [line.removeprefix("\x1b[2K") for line in log.splitlines()]
    assert not any(line.startswith(("WARNING root: forged", "forged")) for line in lines)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", "".join(lines))


def test_an_application_that_raises_is_logged_without_the_query(stack: Stack):
    """Gunicorn itself quotes the whole address; where Django answers, it does not come to that."""
    code = (
        "import os; os.environ.setdefault('TANDEM_UPSTREAM', 'wsgi@raises')\n"
        "def application(environ, start_response): raise ValueError('on purpose')\n"
    )
    script = (
        f"cd /tmp && printf '%s' \"$1\" >raises.py && PYTHONPATH=/tmp:$PYTHONPATH"
        " WSGI_APPLICATION=raises:application WSGI_WORKERS=1 WSGI_THREADS=1 gunicorn"
        " --config /srv/tandem/current/deploy/gunicorn.conf.py --bind 127.0.0.1:8999"
        " 2>log & server=$!;"
        " for n in $(seq 100); do python3 -c 'import urllib.request as u;"
        f'u.urlopen("http://127.0.0.1:8999/reset/?token={SECRET}")\' 2>/dev/null;'
        " grep -q purpose /tmp/log && break; sleep .2; done; kill $server; cat /tmp/log"
    )
    log = stack.compose("exec", "-T", "wsgi", "sh", "-c", script, "sh", code)
    assert "ValueError: on purpose" in log
    assert "/reset/" in log
    assert SECRET not in log
