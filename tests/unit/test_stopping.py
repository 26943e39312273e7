"""A real Uvicorn with our protocols, and a plain ASGI application, when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed

from tests.stack import ROOT

APPLICATION = """
import asyncio, os
from tandem.move import MoveSockets
from tandem.streams import EventStreams

async def stream(receive, send):
    async def gone():
        while (await receive())["type"] != "http.disconnect":
            pass
    leaving = asyncio.create_task(gone())
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/event-stream")]})
    while not leaving.done():
        await send({"type": "http.response.body", "body": b"data: 1\\n\\n", "more_body": True})
        await asyncio.sleep(0.05)

async def site(scope, receive, send):
    if scope["path"] == "/stream/":
        await stream(receive, send)
        return
    if scope["type"] == "http":
        await asyncio.sleep(0.5 if scope["path"] == "/slow/" else 0)
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            note = f"disconnect {event['code']}"
        else:
            await asyncio.sleep(0.3)  # at work when the stop comes
            note = event["text"]
        with open(os.environ["NOTES"], "a") as notes:
            notes.write(note + "\\n")
        if event["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": "done " + note})

application = MoveSockets(EventStreams(site))
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch) -> Iterator[subprocess.Popen[bytes]]:
    """Run it on ``tmp_path/s.sock``; it closes all sockets within a second."""
    (tmp_path / "site_under_test.py").write_text(APPLICATION)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "uvicorn", "site_under_test:application",
            "--uds", str(tmp_path / "s.sock"), "--lifespan", "off", "--log-level", "warning",
            "--http", "tandem.uvicorn_http:TandemHttpProtocol",
            "--ws", "tandem.uvicorn_websocket:TandemWebSocketProtocol",
            "--timeout-graceful-shutdown", "10",
        ],
        env={
            **os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "SOCKET_DRAIN_SECONDS": "1",
            "NOTES": str(tmp_path / "notes"),
        },
    )  # fmt: skip
    deadline = time.monotonic() + 10
    while not (tmp_path / "s.sock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield process
    process.kill()
    process.wait()


def connection(tmp_path: Path) -> http.client.HTTPConnection:
    """Return an HTTP connection to it that can be used again."""
    client = http.client.HTTPConnection("localhost")
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.settimeout(5)
    client.sock.connect(str(tmp_path / "s.sock"))
    return client


async def test_what_a_client_sent_before_it_heard_of_the_stop_is_dealt_with(server, tmp_path: Path):
    async with unix_connect(str(tmp_path / "s.sock"), "ws://localhost/") as client:
        await client.send("first")
        server.send_signal(signal.SIGTERM)
        await client.send("second")
        with contextlib.suppress(ConnectionClosed):
            async for _ in client:
                pass
        # Whoever looks now, sees everything.
        assert (tmp_path / "notes").read_text().split("\n")[:2] == ["first", "second"]
        assert client.close_code == 1012
    await asyncio.to_thread(server.wait, 5)
    assert "disconnect 1012" in (tmp_path / "notes").read_text()


async def test_sockets_are_closed_one_after_the_other(server, tmp_path: Path):
    path = str(tmp_path / "s.sock")
    clients = [await unix_connect(path, "ws://localhost/") for _ in range(50)]
    closed: list[float] = []

    async def wait(client) -> None:
        await client.wait_closed()
        closed.append(time.monotonic())

    waiting = [asyncio.create_task(wait(client)) for client in clients]
    server.send_signal(signal.SIGTERM)
    await asyncio.gather(*waiting)
    # Evenly over the second: no three tenths of it see more than half of them.
    assert all(sum(at <= t < at + 0.3 for t in closed) <= 25 for at in closed)
    assert {client.close_code for client in clients} == {1012}


async def test_sockets_can_be_moved_without_a_stop(server, tmp_path: Path):
    async with unix_connect(str(tmp_path / "s.sock"), "ws://localhost/") as client:
        asked = connection(tmp_path)
        asked.request("POST", "/health/move-sockets/")
        assert asked.getresponse().read() == b'{"moving": 1}\n'
        await asyncio.wait_for(client.wait_closed(), 5)
        assert client.close_code == 1012
    async with unix_connect(str(tmp_path / "s.sock"), "ws://localhost/"):
        assert server.poll() is None


def test_nobody_outside_can_move_them(server, tmp_path: Path):
    asked = connection(tmp_path)
    asked.request("POST", "/health/move-sockets/", headers={"X-Forwarded-For": "192.0.2.1"})
    assert asked.getresponse().read() == b"ok"  # the site's own answer


def test_a_request_that_comes_on_a_kept_connection_is_answered(server, tmp_path: Path):
    kept, busy = connection(tmp_path), connection(tmp_path)
    kept.request("GET", "/")
    assert kept.getresponse().read() == b"ok"
    busy.request("POST", "/slow/", body="x")
    time.sleep(0.1)
    server.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    kept.request("POST", "/", body="x")
    answer = kept.getresponse()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert busy.getresponse().read() == b"ok"
    assert server.wait(5) == -signal.SIGTERM


def test_event_streams_end_completely_at_a_stop(server, tmp_path: Path):
    streams = [connection(tmp_path) for _ in range(3)]
    answers = []
    for stream in streams:
        stream.request("GET", "/stream/")
        answers.append(stream.getresponse())
        assert answers[-1].read(9) == b"data: 1\n\n"
    server.send_signal(signal.SIGTERM)
    for answer in answers:
        # Whole events, or none where its turn came at once; raises if it is cut off.
        assert answer.read().replace(b"data: 1\n\n", b"") == b""
    assert server.wait(8) == -signal.SIGTERM


def test_event_streams_can_be_moved_without_a_stop(server, tmp_path: Path):
    stream, asked = connection(tmp_path), connection(tmp_path)
    stream.request("GET", "/stream/")
    answer = stream.getresponse()
    asked.request("POST", "/health/move-sockets/")
    assert asked.getresponse().read() == b'{"moving": 1}\n'
    answer.read()
    assert server.poll() is None
