"""Sections 5.5.1, 7.1 and 7.4: the closing handshake.

``Peer.ends`` asserts, each time, that the server closes TCP and sends nothing more.
"""

from __future__ import annotations

from tests.conformance.case import add, case
from tests.conformance.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PONG,
    TEXT,
    close,
    fragments,
    frame,
)
from tests.conformance.peer import Peer

VALID = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
# In IANA's registry since the RFC: a server may know them, or fail with 1002.
REGISTERED_LATER = (1012, 1013, 1014)
INVALID = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
REASONS = {
    "empty": "",
    "of-ascii": "going to lunch",
    "of-123-bytes": "x" * 123,
    "of-123-bytes-in-two-byte-letters": "é" * 61 + "x",
    "beyond-the-basic-plane": "\U0001f44b",
    "with-nul": "a\0b",
}
NOT_UTF8 = {
    "with-ff": b"\xff",
    "cut-off": "é".encode()[:1],
    "overlong": b"\xc0\xaf",
    "surrogate": b"\xed\xa0\x80",
    "above-unicode": b"\xf4\x90\x80\x80",
    "broken-in-the-middle": b"good\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80good",
}

for code in VALID:

    async def echoes(peer: Peer, code: int = code) -> None:
        # The server answers with a close frame; all ours echo the code.
        await peer.send(close(code))
        await peer.ends(code)

    add(f"7.4-close-with-{code}-is-answered", echoes)

for code in REGISTERED_LATER:

    async def later(peer: Peer, code: int = code) -> None:
        # Section 7.4.2 reserves 1000–2999 for the RFC's successors.
        await peer.send(close(code))
        await peer.ends(code, 1002)

    add(f"7.4-close-with-{code}-is-answered", later)

for code in INVALID:

    async def invalid(peer: Peer, code: int = code) -> None:
        # A code that must not be in a frame is a protocol error.
        await peer.send(close(code))
        await peer.ends(1002)

    add(f"7.4-close-with-{code}-fails", invalid)

for what, reason in REASONS.items():

    async def reasoned(peer: Peer, reason: str = reason) -> None:
        # The reason is UTF-8.
        await peer.send(close(1000, reason.encode()))
        await peer.ends(1000)

    add(f"5.5.1-reason-{what}", reasoned)

for what, wrong in NOT_UTF8.items():

    async def malformed(peer: Peer, wrong: bytes = wrong) -> None:
        # A reason that is not UTF-8: 8.1 says fail, and 7.4.1 has 1007 for it.
        await peer.send(close(1000, wrong))
        await peer.ends(1007, 1002)

    add(f"8.1-reason-{what}-fails", malformed)

for length in (124, 125, 200):

    async def long(peer: Peer, length: int = length) -> None:
        # With its code, a reason of 124 bytes makes 126: too long for a control frame.
        await peer.send(close(1000, b"x" * length))
        await peer.ends(1002)

    add(f"5.5-reason-of-{length}-bytes-fails", long)


@case("5.5.1-close-without-payload-is-answered")
async def _(peer: Peer) -> None:
    await peer.send(frame(CLOSE))
    found = await peer.ends(1005, 1000)
    assert found.payload in (b"", b"\x03\xe8")


@case("5.5.1-close-of-one-byte-fails")
async def _(peer: Peer) -> None:
    await peer.send(frame(CLOSE, b"\x03"))
    await peer.ends(1002)


@case("5.5.1-close-after-a-message")
async def _(peer: Peer) -> None:
    await peer.takes("last words")
    await peer.send(close(1000))
    await peer.ends(1000)


@case("5.5.1-close-after-a-ping-and-a-message-in-fragments")
async def _(peer: Peer) -> None:
    await peer.lives()
    await peer.takes("last words", fragments(TEXT, b"last ", b"words"))
    await peer.send(close(1001, b"bye"))
    await peer.ends(1001)


@case("5.5.1-close-in-the-segment-of-a-message-is-answered")
async def _(peer: Peer) -> None:
    # An application may answer the message first, but need not.
    await peer.send(frame(TEXT, b"last words"), close(1000))
    found = await peer.message()
    while found.opcode in (TEXT, BINARY):
        found = await peer.message()
    assert (found.opcode, found.code) == (CLOSE, 1000)
    assert not await peer.reader.read()


AFTER = {
    "text": frame(TEXT, b"too late"),
    "binary": frame(BINARY, b"too late"),
    "continuation": frame(CONTINUATION, b"too late"),
    "another-close": close(1001),
    "pong": frame(PONG, b"too late"),
    "broken-text": frame(TEXT, b"\xff"),
    "nonsense": b"\xff" * 40,
}
for what, data in AFTER.items():

    async def ignored(peer: Peer, data: bytes = data) -> None:
        # Whatever follows the close frame is discarded (section 1.4).
        await peer.send(close(1000), data)
        await peer.ends(1000)

    async def apart(peer: Peer, data: bytes = data) -> None:
        # Also when it comes later: the close frame that answers must not be lost.
        await peer.send(close(1000))
        await peer.insists(*[data] * 5)
        await peer.ends(1000)

    add(f"5.5.1-{what}-after-close-is-ignored", ignored)
    add(f"5.5.1-{what}-some-time-after-close-is-ignored", apart)


@case("1.4-much-data-after-close-is-discarded")
async def _(peer: Peer) -> None:
    data = frame(BINARY, b"\0" * 60_000)
    await peer.send(close(1000))
    await peer.insists(*[data] * 10)
    await peer.ends(1000)


@case("7.1.7-data-after-a-failure-is-discarded")
async def _(peer: Peer) -> None:
    await peer.send(frame(3), frame(TEXT, b"too late"))
    await peer.ends(1002)


@case("7.1.7-much-data-after-a-failure-is-discarded")
async def _(peer: Peer) -> None:
    data = frame(BINARY, b"\0" * 60_000)
    await peer.send(frame(3))
    await peer.insists(*[data] * 10)
    await peer.ends(1002)


@case("7.1.7-close-after-a-failure-gets-no-second-answer")
async def _(peer: Peer) -> None:
    await peer.insists(frame(3), close(1002), close(1000))
    await peer.ends(1002)


@case("7.1.1-the-server-closes-though-the-client-stays")
async def _(peer: Peer) -> None:
    # The client neither answers nor closes; Peer.ends waits for the server to.
    await peer.send(close(1000, b"waiting for you"))
    await peer.ends(1000)
