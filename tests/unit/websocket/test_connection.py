"""S1: the connection object, call by call."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from tandem.websocket import (
    DisconnectedError,
    MessageTypeError,
    State,
    StateError,
    WebSocket,
)
from tests.unit.websocket.conftest import scope

CONNECT = {"type": "websocket.connect"}
GONE = {"type": "websocket.disconnect", "code": 4001, "reason": "enough"}


class Server:
    """The server's side: events to receive, and those that were sent."""

    def __init__(self, *events: dict[str, Any], **more: Any) -> None:
        self.events = deque(events)
        self.sent: list[dict[str, Any]] = []
        self.broken = False
        self.socket = WebSocket(scope(**{"path": "/ws/x/", **more}), self.receive, self.send)

    async def receive(self) -> dict[str, Any]:
        return self.events.popleft()

    async def send(self, event: dict[str, Any]) -> None:
        if self.broken:
            raise OSError
        self.sent.append(event)


def said(**content: Any) -> dict[str, Any]:
    return {"type": "websocket.receive", **content}


async def opened(*events: dict[str, Any], **more: Any) -> Server:
    server = Server(CONNECT, *events, **more)
    await server.socket.accept()
    return server


def test_the_handshake_can_be_read():
    headers = [
        (b"host", b"site.test:8443"), (b"x-two", b"1"), (b"x-two", b"2"), (b"content-type", b"x"),
        (b"cookie", b"a=1"), (b"cookie", b"b=2"),
    ]  # fmt: skip
    socket = Server(
        headers=headers, query_string=b"q=%C3%A9&token=secret", path="/ws/caf\u00e9/",
        raw_path=b"/ws/caf%C3%A9/", subprotocols=["v2", "v1"],
    ).socket  # fmt: skip
    assert socket.headers["X-Two"] == "1,2"
    assert socket.headers["content-type"] == "x"
    assert socket.cookies == {"a": "1", "b": "2"}
    assert socket.query_params["q"] == "\u00e9"
    assert socket.path == "/ws/caf\u00e9/"
    assert socket.url == "wss://site.test:8443/ws/caf%C3%A9/"
    assert socket.client == ("192.0.2.7", 4711)
    assert socket.subprotocols == ["v2", "v1"]
    socket.scope["session"] = {"theme": "dark"}
    assert socket.session["theme"] == "dark"
    assert socket.application_state is State.CONNECTING


def test_a_server_may_tell_less():
    more = scope("/ws/x/", client=None)
    del more["raw_path"]
    socket = WebSocket(more, None, None)
    assert socket.client is None
    assert socket.url == "wss://testserver/ws/x/"


async def test_accept_chooses_among_the_subprotocols_on_offer():
    server = Server(CONNECT, subprotocols=["v2"])
    with pytest.raises(MessageTypeError, match="did not offer"):
        await server.socket.accept("v3")
    await server.socket.accept("v2", [("X-Room", "lobby")])
    assert server.sent == [
        {"type": "websocket.accept", "subprotocol": "v2", "headers": [(b"x-room", b"lobby")]}
    ]
    assert server.socket.subprotocol == "v2"
    assert server.socket.client_state is server.socket.application_state is State.CONNECTED


async def test_calls_at_the_wrong_time_say_so():
    server = Server(CONNECT)
    for call in (server.socket.receive(), server.socket.send_text("x")):
        with pytest.raises(StateError, match=r"accept\(\) comes before"):
            await call
    await server.socket.accept()
    with pytest.raises(StateError, match="already"):
        await server.socket.accept()
    with pytest.raises(StateError, match=r"close\(\) after it"):
        await server.socket.deny(404)


async def test_messages_come_as_the_view_asks_for_them():
    server = await opened(
        said(text="t"), said(bytes=b"b"), said(text="[1]"), said(bytes=b"[2]"), said(text="")
    )
    assert await server.socket.receive_text() == "t"
    assert await server.socket.receive_bytes() == b"b"
    assert await server.socket.receive_json() == [1]
    assert await server.socket.receive_json() == [2]
    assert await server.socket.receive() == ""


@pytest.mark.parametrize(
    ("content", "method"),
    [({"bytes": b"b"}, "receive_text"), ({"text": "t"}, "receive_bytes"),
     ({"text": "{"}, "receive_json"), ({"bytes": b"\xff"}, "receive_json")],
)  # fmt: skip
async def test_a_message_of_another_kind_is_named(content, method):
    server = await opened(said(**content), said(text="still open"))
    with pytest.raises(MessageTypeError, match="expected"):
        await getattr(server.socket, method)()
    assert await server.socket.receive() == "still open"


async def test_sending_of_every_kind():
    server = await opened()
    await server.socket.send_text("t")
    await server.socket.send_bytes(b"b")
    await server.socket.send_json({"a": 1})
    assert [e.get("text", e.get("bytes")) for e in server.sent[1:]] == ["t", b"b", '{"a": 1}']


async def test_after_the_clients_close_every_call_tells_its_code():
    server = await opened(GONE)
    for call in (server.socket.receive, lambda: server.socket.send_text("x"), server.socket.accept):
        with pytest.raises(DisconnectedError) as caught:
            await call()
        assert (caught.value.code, caught.value.reason) == (4001, "enough")
    assert str(caught.value) == "the WebSocket is closed: 4001 enough"
    await server.socket.close()
    assert len(server.sent) == 1
    assert server.socket.client_state is server.socket.application_state is State.DISCONNECTED


async def test_a_disconnect_without_a_code_is_1006():
    server = await opened({"type": "websocket.disconnect"})
    with pytest.raises(DisconnectedError, match=r"1006$"):
        await server.socket.receive()


async def test_a_client_that_gave_up_during_the_handshake_is_noticed():
    server = Server(GONE)
    with pytest.raises(DisconnectedError):
        await server.socket.accept()


async def test_a_server_that_cannot_send_means_the_client_has_gone():
    server = await opened()
    server.broken = True
    with pytest.raises(DisconnectedError, match="1006"):
        await server.socket.send_text("x")
    await server.socket.close()


async def test_iteration_ends_with_the_socket():
    server = await opened(said(text="1"), said(text="2"), GONE)
    assert [message async for message in server.socket] == ["1", "2"]


async def test_close_tells_code_and_reason_once():
    server = await opened()
    await server.socket.close(4000, "enough")
    await server.socket.close()
    assert server.sent[1:] == [{"type": "websocket.close", "code": 4000, "reason": "enough"}]


async def test_close_before_accept_refuses():
    server = Server(CONNECT)
    await server.socket.close()
    assert [event["type"] for event in server.sent] == ["websocket.close"]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000])
async def test_codes_that_may_not_be_sent_are_refused(code):
    server = await opened()
    with pytest.raises(ValueError, match=str(code)):
        await server.socket.close(code)


async def test_a_reason_that_does_not_fit_is_refused():
    server = await opened()
    with pytest.raises(ValueError, match="123 bytes"):
        await server.socket.close(1000, "\u00e9" * 62)


async def test_denial_is_an_http_response():
    server = Server(CONNECT)
    await server.socket.deny(429, "Later.\n")
    start, body = server.sent
    assert start["status"] == 429
    assert dict(start["headers"])[b"content-length"] == b"7"
    assert body["body"] == b"Later.\n"
    with pytest.raises(DisconnectedError):
        await server.socket.accept()
