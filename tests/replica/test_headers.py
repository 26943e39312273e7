"""What a client claims about itself and the site does not reach the site, on no upstream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tandem.facts import KINDS
from tests.replica.edge import Recorder, edge
from tests.stack import Stack

# A path of each upstream, and whether it is asked for a WebSocket there.
PATHS = {
    "wsgi": ("/", False),
    "asgi": ("/health/asgi/live/", False),
    "a stream of asgi": ("/events/ticker/", False),
    "a socket of asgi": ("/ws/echo/", True),
    "notify": ("/health/notify/live/", False),
    "a socket of notify": ("/ws/notifications/", True),
}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
CLAIMS = {
    "X-Forwarded-For": "203.0.113.66",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Proto": "http",
    "X-Real-IP": "203.0.113.66",
    "Forwarded": "for=203.0.113.66;host=evil.example",
}


@pytest.fixture(scope="module")
def recorded(stack: Stack) -> Iterator[tuple[str, Recorder]]:
    """Give the address of an nginx, and what notes what it sends to the instances."""
    with TemporaryDirectory(prefix="tandem-") as folder:
        recorder = Recorder(Path(folder))
        recorder.folder.chmod(0o755)
        instances = [f"{kind}@{number}" for kind in KINDS for number in (1, 2)]
        with recorder.listening(*instances), edge(stack, "headers", folder) as address:
            yield address, recorder


@pytest.mark.parametrize("path", PATHS)
def test_where_a_client_comes_from_is_said_by_nginx_alone(
    stack: Stack, recorded: tuple[str, Recorder], path: str
):
    address, recorder = recorded
    target, socket = PATHS[path]
    recorder.heads.clear()
    with stack.client(at=address) as client:
        headers = {**CLAIMS, "Origin": stack.origin, **(UPGRADE if socket else {})}
        client.get(target, headers=headers)
    (head,) = recorder.heads
    (seen,) = head.get_list("X-Forwarded-For")
    assert seen == head["X-Real-IP"] == stack.host_address()
    assert head.get_list("X-Forwarded-Proto") == ["https"]
    assert head.get_list("Host") == [f"localhost:{stack.https_port}"]
    assert not {"X-Forwarded-Host", "X-Forwarded-Port", "Forwarded"} & set(head)
    assert "203.0.113.66" not in str(head)
    assert "evil.example" not in str(head)
