"""Sections 7.4.1 and 10.4: messages up to the limit, and one more byte (1009)."""

from __future__ import annotations

from tests.conformance.case import add, case, echoing, echoing_binary, everywhere
from tests.conformance.frames import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    fragments,
    frame,
    header,
)
from tests.conformance.peer import Peer


def halves(data: bytes) -> list[bytes]:
    """Return ``data`` in two parts."""
    return [data[: len(data) // 2], data[len(data) // 2 :]]


def pieces(data: bytes) -> list[bytes]:
    """Return ``data`` in parts of a kilobyte."""
    return [data[n : n + 1024] for n in range(0, len(data), 1024)]


WAYS = {"one-frame": lambda data: [data], "two-fragments": halves, "many-fragments": pieces}

for way in WAYS:
    for opcode, kind in ((TEXT, "text"), (BINARY, "binary")):

        async def fits(peer: Peer, opcode: int = opcode, way: str = way) -> None:
            # The limit itself is allowed.
            data = b"x" * peer.profile.limit
            await peer.send(*fragments(opcode, *WAYS[way](data)))
            if opcode == BINARY:
                await peer.gets(BINARY, data)
            else:
                await peer.echoes(data.decode())
            await peer.lives()

        async def exceeds(peer: Peer, opcode: int = opcode, way: str = way) -> None:
            # One byte more is not.
            data = b"x" * (peer.profile.limit + 1)
            await peer.send(*fragments(opcode, *WAYS[way](data)))
            await peer.ends(1009)

        suits = echoing_binary if opcode == BINARY else (everywhere)
        add(f"10.4-{kind}-at-the-limit-in-{way}", fits, suits=suits)
        add(f"7.4.1-{kind}-over-the-limit-in-{way}-gets-1009", exceeds)

ANNOUNCED = {
    "one-byte-more": lambda limit: limit + 1,
    "twice-the-limit": lambda limit: 2 * limit,
    "2-gibibytes": lambda limit: 1 << 31,
    "a-tebibyte": lambda limit: 1 << 40,
    "all-there-is": lambda limit: (1 << 63) - 1,
}
for what in ANNOUNCED:

    async def announced(peer: Peer, what: str = what) -> None:
        # The header is enough: nobody waits for, or keeps, so much.
        length = ANNOUNCED[what](peer.profile.limit)
        await peer.send(header(BINARY, length) + bytes(4) + b"begun")
        await peer.ends(1009)

    add(f"10.4-announcing-{what}-gets-1009", announced)


@case("7.4.1-far-over-the-limit-gets-1009")
async def _(peer: Peer) -> None:
    # The client is still sending when the server closes: the close frame must arrive.
    data = frame(TEXT, b"x" * (peer.profile.limit + 1_000_000))
    await peer.insists(*(data[n : n + 50_000] for n in range(0, len(data), 50_000)))
    await peer.ends(1009)


@case("10.4-fragments-over-the-limit-with-pings-get-1009")
async def _(peer: Peer) -> None:
    part = b"x" * (peer.profile.limit // 4)
    await peer.send(frame(TEXT, part, fin=False))
    for _ in range(3):
        await peer.send(frame(CONTINUATION, part, fin=False), frame(PING, b"in between"))
        await peer.gets(PONG, b"in between")
    await peer.send(frame(CONTINUATION, part[:5], fin=False))
    await peer.ends(1009)


@case("10.4-the-limit-counts-bytes-not-characters")
async def _(peer: Peer) -> None:
    text = "é" * (peer.profile.limit // 2)
    await peer.takes(text)
    await peer.send(frame(TEXT, (text + "é").encode()))
    await peer.ends(1009)


@case("10.4-the-limit-is-for-each-message", suits=echoing)
async def _(peer: Peer) -> None:
    text = "x" * (peer.profile.limit - 10)
    for _ in range(5):
        await peer.send(*fragments(TEXT, *halves(text.encode())))
        await peer.echoes(text)
    await peer.lives()
