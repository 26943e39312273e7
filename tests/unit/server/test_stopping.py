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
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed

from tandem.drain import FASTEST_PER_SECOND
from tests.machine import HANG_SECONDS
from tests.patience import eventually, eventually_sync
from tests.stack import ROOT

WINDOW_SECONDS = 1.0
APPLICATION = """
import asyncio, os, pathlib, time
from tandem.server import http as protocol
from tandem.server.reconnect import MoveSockets
from tandem.streams import EventStreams
from tandem.server.websocket import TandemWebSocketProtocol

protocol.IDLE_SECONDS = 60.0  # not what is tested here
here = pathlib.Path(__file__).parent

def note(text):
    with open(here / "notes", "a") as notes:
        notes.write(text + "\\n")

class Noting(TandemWebSocketProtocol):
    \"\"\"Says when it is asked to leave and when its turn has come.\"\"\"
    def depart(self):
        note(f"depart {time.monotonic()}")
        super().depart()

    def leave(self):
        note(f"leave {time.monotonic()}")
        super().leave()

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
        if scope["path"] == "/slow/":
            note("slow")
            while not (here / "go on").exists():
                await asyncio.sleep(0.01)
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            note(f"disconnect {event['code']}")
            return
        note("began " + event["text"])
        while not (here / "go on").exists():  # at work when the stop comes
            await asyncio.sleep(0.01)
        note(event["text"])
        await send({"type": "websocket.send", "text": "done " + event["text"]})

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
            "--http", "tandem.server.http:TandemHttpProtocol",
            "--ws", "site_under_test:Noting",
            "--timeout-graceful-shutdown", str(int(HANG_SECONDS)),
            "--timeout-keep-alive", str(int(HANG_SECONDS)),
        ],
        env={
            **os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}",
            "SOCKET_DRAIN_SECONDS": str(WINDOW_SECONDS),
        },
    )  # fmt: skip
    eventually_sync(lambda: accepts(tmp_path))
    yield process
    process.kill()
    process.wait()


def accepts(tmp_path: Path) -> bool:
    """Tell whether it takes connections."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(tmp_path / "s.sock"))
        except OSError:
            return False
    return True


def notes(tmp_path: Path) -> list[str]:
    """Return what the application has noted."""
    file = tmp_path / "notes"
    return file.read_text().splitlines() if file.exists() else []


def connection(tmp_path: Path) -> http.client.HTTPConnection:
    """Return an HTTP connection to it that can be used again."""
    client = http.client.HTTPConnection("localhost")
    client.sock = socket.socket(socket.AF_UNIX)
    client.sock.settimeout(HANG_SECONDS)
    client.sock.connect(str(tmp_path / "s.sock"))
    return client


async def test_what_a_client_sent_before_it_heard_of_the_stop_is_dealt_with(server, tmp_path: Path):
    async with unix_connect(str(tmp_path / "s.sock"), "ws://localhost/") as client:
        await client.send("first")
        await eventually(lambda: "began first" in notes(tmp_path))
        server.send_signal(signal.SIGTERM)
        await client.send("second")
        (tmp_path / "go on").touch()
        with contextlib.suppress(ConnectionClosed):
            async for _ in client:
                pass
        # Whoever looks now, sees everything.
        dealt_with = [note for note in notes(tmp_path) if note in ("first", "second")]
        assert dealt_with == ["first", "second"]
        assert client.close_code == 1012
    await asyncio.to_thread(server.wait, HANG_SECONDS)
    assert "disconnect 1012" in notes(tmp_path)


async def test_sockets_are_closed_one_after_the_other(server, tmp_path: Path):
    path = str(tmp_path / "s.sock")
    clients = [await unix_connect(path, "ws://localhost/") for _ in range(50)]
    server.send_signal(signal.SIGTERM)
    await asyncio.gather(*(client.wait_closed() for client in clients))
    assert {client.close_code for client in clients} == {1012}
    # By the server's own clock: none before its turn, which is even over the window.
    told = [note.split() for note in notes(tmp_path) if note.startswith(("depart", "leave"))]
    began = min(float(at) for what, at in told if what == "depart")
    turns = [float(at) - began for what, at in told if what == "leave"]
    pace = max(50 / WINDOW_SECONDS, FASTEST_PER_SECOND)
    assert len(turns) == 50
    assert all(at >= turn / pace for turn, at in enumerate(turns))


async def test_sockets_can_be_moved_without_a_stop(server, tmp_path: Path):
    async with unix_connect(str(tmp_path / "s.sock"), "ws://localhost/") as client:
        asked = connection(tmp_path)
        asked.request("POST", "/health/move-sockets/")
        assert asked.getresponse().read() == b'{"moving": 1}\n'
        await asyncio.wait_for(client.wait_closed(), HANG_SECONDS)
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
    eventually_sync(lambda: "slow" in notes(tmp_path))
    server.send_signal(signal.SIGTERM)
    eventually_sync(lambda: not accepts(tmp_path))  # it has heard of the stop
    # In one piece, as nginx sends it: the answer may come, and the end, before a second is sent.
    kept.request("POST", "/")
    answer = kept.getresponse()
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    (tmp_path / "go on").touch()
    assert busy.getresponse().read() == b"ok"
    assert server.wait(HANG_SECONDS) == -signal.SIGTERM


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
    assert server.wait(HANG_SECONDS) == -signal.SIGTERM


def test_event_streams_can_be_moved_without_a_stop(server, tmp_path: Path):
    stream, asked = connection(tmp_path), connection(tmp_path)
    stream.request("GET", "/stream/")
    answer = stream.getresponse()
    asked.request("POST", "/health/move-sockets/")
    assert asked.getresponse().read() == b'{"moving": 1}\n'
    answer.read()
    assert server.poll() is None
