"""Sections 5.5, 5.5.2 and 5.5.3: ping and pong."""

from __future__ import annotations

from tests.conformance.case import add, case
from tests.conformance.frames import CLOSE, PING, PONG, TEXT, close, frame
from tests.conformance.framing import fails
from tests.conformance.peer import Peer

for length in (0, 1, 2, 63, 64, 124, 125):

    async def ping(peer: Peer, length: int = length) -> None:
        # The pong has the ping's payload.
        payload = bytes((7 * n) & 0xFF for n in range(length))
        await peer.send(frame(PING, payload))
        await peer.gets(PONG, payload)

    async def pong(peer: Peer, length: int = length) -> None:
        # A pong that nobody asked for is no error, and gets no answer.
        await peer.send(frame(PONG, b"x" * length))
        await peer.lives()

    add(f"5.5.2-ping-of-{length}-bytes-is-answered", ping)
    add(f"5.5.3-unsolicited-pong-of-{length}-bytes-is-ignored", pong)

for opcode, kind in ((PING, "ping"), (PONG, "pong")):
    for length in (126, 127, 1000):
        fails(f"5.5-{kind}-of-{length}-bytes-fails", frame(opcode, b"x" * length))


@case("5.5.2-payload-is-not-text")
async def _(peer: Peer) -> None:
    await peer.send(frame(PING, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))
    await peer.gets(PONG, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff")


@case("5.5.2-several-pings-are-answered-in-order")
async def _(peer: Peer) -> None:
    for n in range(10):
        await peer.send(frame(PING, b"%d" % n))
    # Section 5.5.3 lets a server answer only the most recent of several.
    got = -1
    while got < 9:
        n = int((await peer.next(PONG)).payload)
        assert n > got, f"pong {n} after {got}"
        got = n


@case("5.5.2-pings-in-one-segment-are-answered-in-order")
async def _(peer: Peer) -> None:
    await peer.send(*(frame(PING, b"%d" % n) for n in range(100)))
    got = -1
    while got < 99:
        n = int((await peer.next(PONG)).payload)
        assert n > got, f"pong {n} after {got}"
        got = n


@case("5.5.2-ping-a-byte-a-segment-is-answered")
async def _(peer: Peer) -> None:
    data = frame(PING, b"slow")
    await peer.send_apart(*(data[n : n + 1] for n in range(len(data))))
    await peer.gets(PONG, b"slow")


@case("5.5.3-pong-then-ping-in-one-segment")
async def _(peer: Peer) -> None:
    await peer.send(frame(PONG, b"mine"), frame(PING, b"yours"))
    await peer.gets(PONG, b"yours")


@case("5.5.2-ping-before-and-after-a-message")
async def _(peer: Peer) -> None:
    await peer.lives()
    await peer.send(frame(TEXT, b"message"))
    await peer.echoes("message")
    await peer.lives()


@case("5.5.2-ping-after-close-is-ignored")
async def _(peer: Peer) -> None:
    await peer.send(close(1000), frame(PING, b"too late"))
    await peer.ends(1000)


@case("5.5.2-ping-before-close-is-answered")
async def _(peer: Peer) -> None:
    await peer.send(frame(PING, b"in time"), frame(CLOSE, b"\x03\xe8"))
    await peer.gets(PONG, b"in time")
    await peer.ends(1000)
