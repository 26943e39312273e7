"""Section 5.4: messages in several frames."""

from __future__ import annotations

from itertools import pairwise

from tests.conformance.case import add, case, echoing_binary, talking
from tests.conformance.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    fragments,
    frame,
)
from tests.conformance.framing import fails
from tests.conformance.peer import Peer


def split(text: str, count: int) -> list[bytes]:
    """Return ``text`` in ``count`` parts, as even as may be."""
    data = text.encode()
    edges = [len(data) * n // count for n in range(count + 1)]
    return [data[a:b] for a, b in pairwise(edges)]


for count in (1, 2, 3, 5, 26, 100):

    async def whole(peer: Peer, count: int = count) -> None:
        # The parts are one message.
        text = "abcdefghijklmnopqrstuvwxyz"
        await peer.takes(text, fragments(TEXT, *split(text, count)))

    async def apart(peer: Peer, count: int = count) -> None:
        # Also when each comes on its own.
        text = "abcdefghijklmnopqrstuvwxyz"
        await peer.send_apart(*fragments(TEXT, *split(text, count)))
        await peer.echoes(text)
        await peer.lives()

    async def binary(peer: Peer, count: int = count) -> None:
        # Bytes stay bytes.
        data = bytes(range(256))
        edges = [256 * n // count for n in range(count + 1)]
        parts = [data[a:b] for a, b in pairwise(edges)]
        await peer.send(*fragments(BINARY, *parts))
        await peer.gets(BINARY, data)

    add(f"5.4-text-in-{count}-fragments", whole)
    add(f"5.4-text-in-{count}-fragments-apart", apart)
    add(f"5.4-binary-in-{count}-fragments", binary, suits=echoing_binary)


@case("5.4-fragments-are-one-message-to-the-application", suits=talking)
async def _(peer: Peer) -> None:
    assert peer.profile.says is not None
    await peer.hears(*split(peer.profile.says[0], 3))


for name, parts in {
    "empty-first": (b"", b"text"),
    "empty-last": (b"text", b""),
    "empty-in-between": (b"te", b"", b"xt"),
    "all-empty": (b"", b"", b""),
    "many-empty": (b"te", *[b""] * 200, b"xt"),
}.items():

    async def empty(peer: Peer, parts: tuple[bytes, ...] = parts) -> None:
        # A fragment may be empty.
        await peer.takes(b"".join(parts).decode(), fragments(TEXT, *parts))

    add(f"5.4-fragment-{name}", empty)


@case("5.4-messages-in-fragments-follow-each-other")
async def _(peer: Peer) -> None:
    for n in range(5):
        text = f"message {n}"
        await peer.takes(text, fragments(TEXT, *split(text, 2 + n)))


@case("5.4-text-and-binary-in-fragments-follow-each-other", suits=echoing_binary)
async def _(peer: Peer) -> None:
    await peer.send(*fragments(TEXT, b"te", b"xt"), *fragments(BINARY, b"\xff", b"\xfe"))
    await peer.gets(TEXT, b"text")
    await peer.gets(BINARY, b"\xff\xfe")


# --- control frames in between ---


@case("5.5.2-ping-between-fragments-is-answered")
async def _(peer: Peer) -> None:
    first, last = fragments(TEXT, b"fragment1", b"fragment2")
    await peer.send(first, frame(PING, b"in between"))
    await peer.gets(PONG, b"in between")  # before the message is whole
    await peer.takes("fragment1fragment2", [last])


@case("5.5.2-ping-between-fragments-in-one-segment-is-answered")
async def _(peer: Peer) -> None:
    first, last = fragments(TEXT, b"fragment1", b"fragment2")
    await peer.send(first, frame(PING, b"in between"), last)
    await peer.gets(PONG, b"in between")
    await peer.echoes("fragment1fragment2")
    await peer.lives()


@case("5.5.2-pings-between-all-of-many-fragments-are-answered")
async def _(peer: Peer) -> None:
    parts = fragments(TEXT, *split("abcdefghij", 10))
    for n, part in enumerate(parts[:-1]):
        await peer.send(part, frame(PING, b"%d" % n))
        await peer.gets(PONG, b"%d" % n)
    await peer.takes("abcdefghij", parts[-1:])


@case("5.4-ping-between-fragments-at-the-limit-is-answered")
async def _(peer: Peer) -> None:
    # The limit is for messages: a control frame is no part of the one it comes amid.
    text = "*" * peer.profile.limit
    first, last = fragments(TEXT, text.encode(), b"")
    await peer.send(first, frame(PING, b"in between"))
    await peer.gets(PONG, b"in between")
    await peer.takes(text, [last])


@case("5.5.3-pong-between-fragments-is-ignored")
async def _(peer: Peer) -> None:
    first, last = fragments(TEXT, b"fragment1", b"fragment2")
    await peer.takes("fragment1fragment2", [first, frame(PONG, b"in between"), last])


@case("5.5.1-close-between-fragments-is-answered")
async def _(peer: Peer) -> None:
    # "Typically echos the status code": 1002, for a message without an end, is allowed.
    await peer.send(frame(TEXT, b"begun", fin=False), frame(CLOSE, b"\x03\xe8"))
    await peer.ends(1000, 1002)


# --- what may not be ---

begun = frame(TEXT, b"begun", fin=False)
fails("5.4-continuation-without-start-fails", frame(CONTINUATION, b"of what?"))
fails("5.4-continuation-not-final-without-start-fails", frame(CONTINUATION, b"of", fin=False))
fails("5.4-empty-continuation-without-start-fails", frame(CONTINUATION))
fails("5.4-text-within-text-fails", begun, frame(TEXT, b"new"))
fails("5.4-binary-within-text-fails", begun, frame(BINARY, b"new"))
fails("5.4-text-within-binary-fails", frame(BINARY, b"begun", fin=False), frame(TEXT, b"new"))
fails("5.4-fragmented-text-within-text-fails", begun, frame(TEXT, b"new", fin=False))
fails(
    "5.4-text-within-continued-text-fails",
    begun,
    frame(CONTINUATION, b"on", fin=False),
    frame(TEXT, b"new"),
)
for opcode, kind in ((PING, "ping"), (PONG, "pong"), (CLOSE, "close")):
    payload = b"\x03\xe8" if opcode == CLOSE else b"begun"
    fails(f"5.4-fragmented-{kind}-fails", frame(opcode, payload, fin=False))
    fails(f"5.4-fragmented-{kind}-amid-text-fails", begun, frame(opcode, payload, fin=False))


@case("5.4-continuation-after-the-end-fails")
async def _(peer: Peer) -> None:
    await peer.takes("whole", fragments(TEXT, b"who", b"le"))
    await peer.send(frame(CONTINUATION, b"more"))
    await peer.ends(1002)
