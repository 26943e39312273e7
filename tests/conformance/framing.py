"""Sections 5.1, 5.2 and 5.3: bits, opcodes, lengths and masks."""

from __future__ import annotations

import struct

from tests.conformance.case import add, case, echoing, echoing_binary
from tests.conformance.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    RESERVED_BITS,
    TEXT,
    fragments,
    frame,
    header,
)
from tests.conformance.peer import Peer

NAMES = {TEXT: "text", BINARY: "binary", PING: "ping", PONG: "pong", CLOSE: "close"}
LENGTHS = (0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 4095, 65535, 65536)


def fails(name: str, *data: bytes, codes: tuple[int, ...] = (1002,)) -> None:
    """Add a case: ``data`` makes the server fail the connection with one of ``codes``."""

    async def run(peer: Peer) -> None:
        await peer.send(*data)
        await peer.ends(*codes)

    add(name, run)


# --- 5.2: reserved bits and opcodes ---

for opcode, kind in NAMES.items():
    for bit, value in RESERVED_BITS.items():
        fails(f"5.2-{bit}-on-{kind}-fails", frame(opcode, b"", bits=value))
fails("5.2-all-reserved-bits-fail", frame(TEXT, b"Hello", bits=0x70))
for bit, value in RESERVED_BITS.items():
    fails(
        f"5.2-{bit}-on-continuation-fails",
        frame(TEXT, b"a", fin=False),
        frame(CONTINUATION, b"b", bits=value),
    )
for opcode in (*range(3, 8), *range(11, 16)):
    fails(f"5.2-opcode-{opcode}-fails", frame(opcode))
    fails(f"5.2-opcode-{opcode}-with-payload-fails", frame(opcode, b"Hello"))
fails("5.2-opcode-3-between-fragments-fails", frame(TEXT, b"a", fin=False), frame(3, b"b"))
fails("5.2-opcode-11-between-fragments-fails", frame(TEXT, b"a", fin=False), frame(11))

# --- 5.2: lengths ---

for length in LENGTHS:

    async def text(peer: Peer, length: int = length) -> None:
        # The length is read, whatever its encoding; beyond the limit it is 1009.
        await peer.send(frame(TEXT, b"*" * length))
        if length > peer.profile.limit:
            await peer.ends(1009)
        else:
            await peer.echoes("*" * length)
            await peer.lives()

    async def binary(peer: Peer, length: int = length) -> None:
        # So it is for bytes.
        data = bytes(n & 0xFF for n in range(length))
        await peer.send(frame(BINARY, data))
        if length > peer.profile.limit:
            await peer.ends(1009)
        else:
            await peer.gets(BINARY, data)

    add(f"5.2-text-of-{length}-bytes", text)
    add(f"5.2-binary-of-{length}-bytes", binary, suits=echoing_binary)


for length, width in ((0, 2), (5, 2), (125, 2), (0, 8), (5, 8), (126, 8), (1000, 8)):

    async def longer(peer: Peer, length: int = length, width: int = width) -> None:
        # "The minimal number of bytes MUST be used" is the sender's duty.  What a receiver
        # does about it is left open: take it, or fail with 1002.
        text = "*" * length
        await peer.send(frame(TEXT, text.encode(), width=width), frame(PING, b"after"))
        found = await peer.message()
        if found.opcode == CLOSE:
            assert found.code == 1002
            assert not await peer.reader.read()
            return
        while found.opcode != PONG:
            found = await peer.message()
        assert found.payload == b"after"

    add(f"5.2-length-{length}-in-{width}-bytes-is-taken-or-fails", longer)

for top in (1 << 63, (1 << 64) - 1):
    # Not a length at all, and more than any limit: both codes are true.
    fails(
        f"5.2-length-{top:#x}-with-the-top-bit-fails",
        header(BINARY, top) + bytes(4),
        codes=(1002, 1009),
    )


# --- 5.1 and 5.3: masks ---

for opcode, kind in NAMES.items():
    fails(f"5.1-unmasked-{kind}-fails", frame(opcode, b"", mask=False))
fails("5.1-unmasked-text-with-payload-fails", frame(TEXT, b"Hello", mask=False))
fails(
    "5.1-unmasked-continuation-fails",
    frame(TEXT, b"a", fin=False),
    frame(CONTINUATION, b"b", mask=False),
)

for key in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x37\xfa\x21\x3d", b"\0\0\0\x01"):

    async def unmasks(peer: Peer, key: bytes = key) -> None:
        # Any key will do, that of section 5.7 and that which changes nothing included.
        text = "Hello, und grüß Gott"
        await peer.takes(text, [frame(TEXT, text.encode(), key=key)])
        await peer.send(frame(PING, b"masked too", key=key))
        await peer.gets(PONG, b"masked too")

    add(f"5.3-masking-key-{key.hex()}", unmasks)


@case("5.3-each-fragment-has-a-key-of-its-own")
async def _(peer: Peer) -> None:
    first = frame(TEXT, b"Hel", fin=False, key=b"abcd")
    await peer.takes("Hello", [first, frame(CONTINUATION, b"lo", key=b"\0\xff\0\xff")])


@case("5.1-server-frames-are-not-masked", suits=echoing)
async def _(peer: Peer) -> None:
    # frames.read() checks it of every frame; here are some of several lengths.
    for length in (0, 125, 126, 1000):
        await peer.takes("m" * length)


@case("5.7-the-examples-of-the-rfc")
async def _(peer: Peer) -> None:
    await peer.takes("Hello", [bytes.fromhex("818537fa213d7f9f4d5158")])
    parts = fragments(TEXT, b"Hel", b"lo")
    await peer.takes("Hello", parts)
    await peer.send(bytes.fromhex("898537fa213d7f9f4d5158"))
    await peer.gets(PONG, b"Hello")


# --- how bytes arrive is TCP's business ---


@case("5.2-frames-in-one-segment", suits=echoing)
async def _(peer: Peer) -> None:
    texts = [f"message {n}" for n in range(50)]
    await peer.send(*(frame(TEXT, text.encode()) for text in texts))
    for text in texts:
        await peer.echoes(text)
    await peer.lives()


@case("5.2-kinds-of-frames-in-one-segment")
async def _(peer: Peer) -> None:
    await peer.send(
        frame(PING, b"1"),
        frame(PONG, b"nobody asked"),
        *fragments(TEXT, b"a", b"b"),
        frame(PING, b"2"),
    )
    pongs = []
    texts = []
    while len(pongs) < 2 or (peer.profile.echo and not texts):
        found = await peer.message()
        (pongs if found.opcode == PONG else texts).append(found.payload)
    assert pongs == [b"1", b"2"]
    if peer.profile.echo:
        assert texts == [peer.profile.echo("ab").encode()]


@case("5.2-a-byte-a-segment")
async def _(peer: Peer) -> None:
    text = "byte by byte, wörtlich"
    data = frame(TEXT, text.encode())
    await peer.send_apart(*(data[n : n + 1] for n in range(len(data))))
    await peer.echoes(text)
    await peer.lives()


@case("5.2-a-byte-a-segment-with-a-long-header")
async def _(peer: Peer) -> None:
    text = "*" * 200
    data = frame(TEXT, text.encode(), width=2)
    await peer.send_apart(*(data[n : n + 1] for n in range(12)), data[12:])
    await peer.echoes(text)
    await peer.lives()


@case("5.2-a-long-text-in-odd-segments", suits=echoing)
async def _(peer: Peer) -> None:
    text = "0123456789" * (min(60_000, peer.profile.limit) // 10)
    data = frame(TEXT, text.encode())
    await peer.send_apart(*(data[n : n + 997] for n in range(0, len(data), 997)))
    await peer.echoes(text)


@case("5.2-a-wrong-frame-after-a-good-one-fails")
async def _(peer: Peer) -> None:
    await peer.takes("good")
    await peer.send(struct.pack("!BB", 0xFF, 0xFF))
    await peer.ends(1002)


@case("5.2-a-wrong-frame-in-the-segment-of-a-good-one-fails")
async def _(peer: Peer) -> None:
    # The good one may or may not be answered before: section 7.1.7 only says that
    # nothing is processed after.
    await peer.send(frame(TEXT, b"good"), frame(TEXT, b"wrong", bits=0x40), frame(PING, b"no"))
    found = await peer.message()
    while found.opcode in (TEXT, BINARY):
        found = await peer.message()
    assert (found.opcode, found.code) == (CLOSE, 1002)
    assert not await peer.reader.read()
