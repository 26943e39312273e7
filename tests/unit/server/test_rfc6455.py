"""What an application sees of a WebSocket that ends, and what the parser adds to websockets'."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tandem.server.http import TandemHttpProtocol
from tandem.server.rfc6455 import offer_version
from tandem.server.websocket import TandemWebSocketProtocol
from tests.conformance.endpoint import ECHO, Endpoint
from tests.conformance.frames import CLOSE, TEXT, close, frame
from tests.conformance.peer import Peer, connected, request
from tests.machine import HANG_SECONDS

WRONG = frame(TEXT, b"wrong", bits=0x40)
Application = Callable[[Any, Any, Any], Awaitable[None]]


@asynccontextmanager
async def socket(application: Application, **options: Any) -> AsyncIterator[Peer]:
    """Serve ``application`` and open a WebSocket to it."""
    config = Config(application, ws=TandemWebSocketProtocol, lifespan="off", **options)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: TandemHttpProtocol(config, state, {}), "127.0.0.1", 0
    )
    host, port = server.sockets[0].getsockname()
    try:
        async with connected(Endpoint(ECHO, f"ws://{host}:{port}/")) as peer:
            yield peer
        if state.tasks:
            await asyncio.wait(state.tasks, timeout=HANG_SECONDS)
    finally:
        server.close()


def recorder(seen: list[Any]) -> Application:
    """Return an application that notes its events."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while not seen or seen[-1]["type"] != "websocket.disconnect":
            seen.append(await receive())

    return application


@pytest.mark.parametrize(
    ("last", "code"),
    [(WRONG, 1002), (frame(TEXT, b"\xff"), 1007), (close(4000, b"bye"), 4000)],
    ids=["wrong", "not UTF-8", "closing"],
)
async def test_what_came_before_the_end_reaches_the_application(last: bytes, code: int):
    seen: list[Any] = []
    async with socket(recorder(seen)) as peer:
        await peer.opens()
        await peer.send(frame(TEXT, b"one"), frame(TEXT, b"two"), last, frame(TEXT, b"never"))
        await peer.ends(code)
    assert [event.get("text") for event in seen] == ["one", "two", None]
    assert seen[-1]["code"] == code
    assert seen[-1]["reason"] == "bye" or code != 4000


@pytest.mark.parametrize("last", [WRONG, close(1000)], ids=["wrong", "closing"])
async def test_an_application_that_sends_after_the_end_is_told_so(last: bytes):
    told: list[type[BaseException]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"
        await send({"type": "websocket.close"})  # which is no error
        try:
            await send({"type": "websocket.send", "text": "too late"})
        except BaseException as error:
            told.append(type(error))
            raise

    async with socket(application) as peer:
        await peer.opens()
        await peer.send(last)
        await peer.next(CLOSE)
        assert not await peer.reader.read()
    assert told == [ClientDisconnected]


async def test_a_request_that_is_no_handshake_leaves_no_connection_behind():
    async with socket(recorder([])) as peer:
        await peer.send(request(peer.endpoint, {"Content-Length": "5"}), b"hello")
        assert (await peer.response()).status == 400
        await asyncio.wait_for(peer.reader.read(), HANG_SECONDS)


async def test_the_limit_holds_with_compression_too():
    seen: list[Any] = []
    async with socket(recorder(seen), ws_per_message_deflate=True, ws_max_size=1000) as peer:
        offer = {"Sec-WebSocket-Extensions": "permessage-deflate"}
        answer = await peer.asks(request(peer.endpoint, offer))
        assert "permessage-deflate" in answer.headers["sec-websocket-extensions"]
        deflate = zlib.compressobj(wbits=-12)

        def compressed(data: bytes) -> bytes:
            return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]

        await peer.send(frame(TEXT, compressed(b"x" * 1000), bits=0x40))
        await peer.send(frame(TEXT, compressed(b"x" * 1001), bits=0x40))
        await peer.ends(1009)
    assert [len(event.get("text") or "") for event in seen] == [1000, 0]
    assert seen[-1]["code"] == 1009


def test_only_a_refusal_because_of_the_version_becomes_426():
    for version, status, wanted in (("8", 400, 426), ("13", 400, 400), ("8", 403, 403)):
        asked = Request("/", Headers({"Sec-WebSocket-Version": version}))
        answer = Response(status, "", Headers())
        offer_version(asked, answer)
        assert answer.status_code == wanted
        assert answer.headers.get("Sec-WebSocket-Version") == ("13" if wanted == 426 else None)
