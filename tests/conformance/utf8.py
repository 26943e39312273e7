"""Section 8.1: text is UTF-8.

A server may fail as soon as it sees a wrong byte or at the end of the message, so the
cases send the message to its end.
"""

from __future__ import annotations

from tests.conformance.case import add, case, echoing_binary
from tests.conformance.frames import BINARY, PING, TEXT, close, fragments, frame
from tests.conformance.peer import Peer

VALID = {
    "one-byte": "\x00\x01 az\x7f",
    "two-bytes": "\u0080é\u07ff",
    "three-bytes": "\u0800€\uffff",
    "four-bytes": "\U00010000\U0001f600\U0010ffff",
    "around-the-surrogates": "\ud7ff\ue000",
    "noncharacters": "\ufdd0\ufffe\U0001fffe\U0010fffe",
    "byte-order-mark": "\ufeffbegun",
    "replacement-character": "\ufffd",
    "combining": "e\u0301 \u200d\u202e",
    "greek": "κόσμε",
    "mixed": "Hello-µ@ßöäüàá-UTF-8!! \U0001f468\u200d\U0001f469",
}
# The sequences that Unicode's table 3-7 leaves out.
INVALID = {
    "lone-continuation-80": b"\x80",
    "lone-continuation-bf": b"\xbf",
    "continuations-only": bytes(range(0x80, 0xC0)),
    "impossible-fe": b"\xfe",
    "impossible-ff": b"\xff",
    "impossible-f5": b"\xf5\x80\x80\x80",
    "five-bytes": b"\xf8\x88\x80\x80\x80",
    "six-bytes": b"\xfc\x84\x80\x80\x80\x80",
    "overlong-slash-in-two": b"\xc0\xaf",
    "overlong-slash-in-three": b"\xe0\x80\xaf",
    "overlong-slash-in-four": b"\xf0\x80\x80\xaf",
    "overlong-nul": b"\xc0\x80",
    "overlong-7f": b"\xc1\xbf",
    "overlong-7ff": b"\xe0\x9f\xbf",
    "overlong-ffff": b"\xf0\x8f\xbf\xbf",
    "surrogate-d800": b"\xed\xa0\x80",
    "surrogate-dbff": b"\xed\xaf\xbf",
    "surrogate-dc00": b"\xed\xb0\x80",
    "surrogate-dfff": b"\xed\xbf\xbf",
    "surrogate-pair": b"\xed\xa0\x80\xed\xb0\x80",
    "above-10ffff": b"\xf4\x90\x80\x80",
    "two-bytes-cut-off": b"\xc3",
    "three-bytes-cut-off-after-one": b"\xe2",
    "three-bytes-cut-off-after-two": b"\xe2\x82",
    "four-bytes-cut-off-after-one": b"\xf0",
    "four-bytes-cut-off-after-two": b"\xf0\x9f",
    "four-bytes-cut-off-after-three": b"\xf0\x9f\x98",
    "cut-off-by-ascii": b"\xe2\x82 and on",
    "latin-1": "grüß".encode("latin-1"),
    "in-the-middle": b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
}

for what, text in VALID.items():

    async def good(peer: Peer, text: str = text) -> None:
        # Taken as it is.
        await peer.takes(text)

    async def split(peer: Peer, text: str = text) -> None:
        # A fragment may end anywhere, within a character too: every place is tried.
        data = text.encode()
        for at in range(len(data) + 1):
            await peer.takes(text, fragments(TEXT, data[:at], data[at:]))

    async def single(peer: Peer, text: str = text) -> None:
        # And each byte may be a fragment.
        data = text.encode()
        await peer.takes(text, fragments(TEXT, *(data[n : n + 1] for n in range(len(data)))))

    add(f"8.1-{what}", good)
    add(f"8.1-{what}-split-at-every-byte", split)
    add(f"8.1-{what}-in-fragments-of-a-byte", single)

for what, wrong in INVALID.items():

    async def bad(peer: Peer, wrong: bytes = wrong) -> None:
        # Not taken: 1007.
        await peer.send(frame(TEXT, wrong))
        await peer.ends(1007)

    async def spread(peer: Peer, wrong: bytes = wrong) -> None:
        # Nor in fragments of a byte, after good ones.
        parts = [b"good ", *(wrong[n : n + 1] for n in range(len(wrong)))]
        await peer.send(*fragments(TEXT, *parts))
        await peer.ends(1007)

    add(f"8.1-{what}-fails", bad)
    add(f"8.1-{what}-in-fragments-fails", spread)


@case("8.1-cut-off-by-the-end-fails-after-an-empty-fragment")
async def _(peer: Peer) -> None:
    await peer.send(*fragments(TEXT, b"\xe2", b"\x82", b""))
    await peer.ends(1007)


@case("8.1-bytes-that-are-no-text-are-fine-as-binary", suits=echoing_binary)
async def _(peer: Peer) -> None:
    for wrong in INVALID.values():
        await peer.send(frame(BINARY, wrong))
        await peer.gets(BINARY, wrong)


@case("8.1-a-character-does-not-go-on-in-the-next-message")
async def _(peer: Peer) -> None:
    await peer.send(frame(TEXT, b"\xe2\x82"), frame(TEXT, b"\xac"))
    await peer.ends(1007)


FOLLOWERS = {"ping": frame(PING, b"x"), "text": frame(TEXT, b"x"), "close": close(1000)}
for what, follower in FOLLOWERS.items():

    async def followed(peer: Peer, follower: bytes = follower) -> None:
        # What comes with the wrong message is not processed (section 7.1.7).
        await peer.send(frame(TEXT, b"\xff"), follower)
        await peer.ends(1007)

    async def followed_later(peer: Peer, follower: bytes = follower) -> None:
        # Nor does what comes later.
        await peer.send(frame(TEXT, b"\xff"))
        await peer.insists(*[follower] * 3)
        await peer.ends(1007)

    add(f"8.1-{what}-in-the-segment-of-a-wrong-text-fails-as-well", followed)
    add(f"8.1-{what}-after-a-wrong-text-is-ignored", followed_later)
