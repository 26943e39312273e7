"""A client that shakes hands and speaks as it is told to, right or wrong."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.conformance.endpoint import Endpoint
from tests.conformance.frames import (
    CLOSE,
    CONTROL,
    PING,
    PONG,
    TEXT,
    Received,
    fragments,
    frame,
    read,
)
from tests.machine import HANG_SECONDS

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Response:
    """The answer to a handshake."""

    status: int
    headers: dict[str, str]  # names in lower case; several of one name joined by ", "


def new_key() -> str:
    """Return a Sec-WebSocket-Key."""
    return base64.b64encode(os.urandom(16)).decode()


def accept_of(key: str) -> str:
    """Return the Sec-WebSocket-Accept that answers ``key`` (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()


def request(
    endpoint: Endpoint,
    changes: dict[str, str | list[str] | None] | None = None,
    *,
    method: str = "GET",
    version: str = "HTTP/1.1",
    spelling: str = "{name}: {value}",
) -> bytes:
    """Return a handshake with ``changes`` in its headers; ``None`` leaves one out."""
    headers: dict[str, str | list[str] | None] = {
        "Host": endpoint.host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": new_key(),
        "Sec-WebSocket-Version": "13",
        "Origin": endpoint.origin or None,
        "Cookie": endpoint.cookie or None,
        **endpoint.headers,
        **(changes or {}),
    }
    lines = [f"{method} {endpoint.target} {version}"]
    for name, values in headers.items():
        for value in [values] if isinstance(values, str) else values or []:
            lines.append(spelling.format(name=name, value=value))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Peer:
    """One connection."""

    def __init__(
        self, endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.endpoint = endpoint
        self.profile = endpoint.profile
        self.reader = reader
        self.writer = writer
        self._closed = False

    # --- bytes ---

    async def send(self, *data: bytes) -> None:
        """Send ``data`` in as few segments as TCP likes."""
        self.writer.write(b"".join(data))
        async with asyncio.timeout(HANG_SECONDS):
            await self.writer.drain()

    async def send_apart(self, *data: bytes) -> None:
        """Send each of ``data`` in a segment of its own (TCP_NODELAY is asyncio's default)."""
        for part in data:
            await self.send(part)
            await asyncio.sleep(0.002)

    async def insists(self, *data: bytes) -> None:
        """Send ``data``, apart, whether or not the server has closed meanwhile."""
        with contextlib.suppress(ConnectionError):
            await self.send_apart(*data)

    async def response(self) -> Response:
        """Read the answer to a handshake."""
        async with asyncio.timeout(HANG_SECONDS):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            known = headers.get(name.lower())
            headers[name.lower()] = f"{known}, {value.strip()}" if known else value.strip()
        return Response(int(first.split(" ")[1]), headers)

    async def asks(self, data: bytes) -> Response:
        """Send a handshake and return the answer."""
        await self.send(data)
        return await self.response()

    async def opens(self) -> None:
        """Do a handshake that is right, and say what the endpoint wants to hear first."""
        first = self.endpoint.first
        # Got before: an endpoint does not wait for it long.
        token = await asyncio.to_thread(first) if first is not None else ""
        answer = await self.asks(request(self.endpoint))
        assert answer.status == 101, f"the endpoint answered {answer.status} to a good handshake"
        if token:
            await self.send(frame(TEXT, token.encode()))
            await self.lives()

    # --- messages ---

    async def message(self) -> Received:
        """Read a whole message or control frame."""
        assert not self._closed
        async with asyncio.timeout(HANG_SECONDS):
            found, fin = await read(self.reader)
            while not fin:
                more, fin = await read(self.reader, fragmented=True)
                found = Received(found.opcode, found.payload + more.payload)
        return found

    async def next(self, opcode: int) -> Received:
        """Read the next message, which is of ``opcode``.

        Endpoints that do not just echo may send data and pings of their own in between.
        """
        while True:
            found = await self.message()
            if found.opcode == opcode:
                return found
            own_data = self.profile.echo is None and not found.opcode & CONTROL
            skipped = found.opcode == PING or own_data
            assert skipped, f"expected opcode {opcode:#x}, got {found}"

    async def gets(self, opcode: int, payload: bytes) -> None:
        """Expect exactly this message."""
        found = await self.next(opcode)
        assert found.payload == payload, f"expected {payload[:60]!r}, got {found.payload[:60]!r}"

    async def lives(self) -> None:
        """Expect the connection to be in order: a ping gets its pong."""
        payload = os.urandom(8)
        await self.send(frame(PING, payload))
        await self.gets(PONG, payload)

    async def takes(self, text: str, data: list[bytes] | None = None) -> None:
        """Send ``text`` (as the frames ``data``) and expect its echo, if any, and life."""
        await self.send(*(data or [frame(TEXT, text.encode())]))
        await self.echoes(text)
        await self.lives()

    async def echoes(self, text: str) -> None:
        """Expect the echo of ``text``, where the endpoint echoes."""
        if self.profile.echo is not None:
            await self.gets(TEXT, self.profile.echo(text).encode())

    async def hears(self, *parts: bytes) -> None:
        """Send a text in fragments that the endpoint knows an answer to, and expect that."""
        assert self.profile.says is not None
        await self.send(*fragments(TEXT, *parts))
        await self.gets(TEXT, self.profile.says[1].encode())

    # --- the end ---

    async def ends(self, *codes: int) -> Received:
        """Expect a close frame with one of ``codes``, then the end of TCP, then nothing."""
        found = await self.next(CLOSE)
        assert found.code in codes, f"expected a close with {codes}, got {found.code}"
        self._closed = True
        try:
            async with asyncio.timeout(HANG_SECONDS):
                rest = await self.reader.read()
        except TimeoutError:
            raise AssertionError("7.1.1: the server did not close the connection") from None
        except ConnectionError:
            rest = b""  # closed so that a client that still sends is told
        assert not rest, f"5.5.1: {rest[:40]!r} came after the close frame"
        return found


@asynccontextmanager
async def connected(endpoint: Endpoint) -> AsyncIterator[Peer]:
    """Connect, without a handshake."""
    host, port = endpoint.address
    async with asyncio.timeout(HANG_SECONDS):
        reader, writer = await asyncio.open_connection(host, port, ssl=endpoint.tls)
    try:
        yield Peer(endpoint, reader, writer)
    finally:
        writer.transport.abort()
