"""Frames of RFC 6455, made by hand so that any bit can be wrong, and read strictly."""

from __future__ import annotations

import asyncio
import os
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CONTROL = 0x8  # the bit that all control frames have
# Section 5.2: RSV1, RSV2 and RSV3, as they stand in the first byte.
RESERVED_BITS = {"rsv1": 0x40, "rsv2": 0x20, "rsv3": 0x10}
# Section 7.4.1, and the three that IANA's registry has added.
CLOSE_CODES = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


def masked(data: bytes, key: bytes) -> bytes:
    """Return ``data`` masked, or unmasked again (section 5.3)."""
    mask = (key * (len(data) // 4 + 1))[: len(data)]  # as one number: quick for long data
    return (int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(data), "big")


def header(
    opcode: int, length: int, *, fin: bool = True, bits: int = 0, mask: bool = True, width: int = 0
) -> bytes:
    """Return a frame's first bytes, up to the masking key.

    ``width`` is the number of bytes that hold the length: 1, 2 or 8; 0: as few as possible.
    """
    width = width or (1 if length < 126 else 2 if length < 0x10000 else 8)
    first = (0x80 if fin else 0) | bits | opcode
    marker = {1: length, 2: 126, 8: 127}[width] | (0x80 if mask else 0)
    extended = {1: b"", 2: struct.pack("!H", length & 0xFFFF), 8: struct.pack("!Q", length)}
    return bytes((first, marker)) + extended[width]


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    bits: int = 0,
    mask: bool = True,
    width: int = 0,
    key: bytes | None = None,
) -> bytes:
    """Return a frame as a client sends it, unless the options make it a wrong one."""
    key = os.urandom(4) if key is None else key
    first = header(opcode, len(payload), fin=fin, bits=bits, mask=mask, width=width)
    return first + (key + masked(payload, key) if mask else payload)


def fragments(opcode: int, *parts: bytes) -> list[bytes]:
    """Return the frames of one message in ``parts`` (section 5.4)."""
    last = len(parts) - 1
    return [
        frame(CONTINUATION if n else opcode, part, fin=n == last) for n, part in enumerate(parts)
    ]


def close(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame, with any ``code``."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


@dataclass(frozen=True)
class Received:
    """A frame of the server's."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """The code of a close frame; 1005 where there is none (section 7.1.5)."""
        return int.from_bytes(self.payload[:2], "big") if self.payload else 1005


async def read(stream: asyncio.StreamReader, fragmented: bool = False) -> tuple[Received, bool]:
    """Read a frame and check that a server may send it; return it, and whether it is final.

    ``fragmented`` says that the frames before it have begun a message.
    Raises ``IncompleteReadError`` at the end of the connection.
    """
    first, second = await stream.readexactly(2)
    opcode, fin, length = first & 0x0F, bool(first & 0x80), second & 0x7F
    assert not first & 0x70, f"5.2: the server set reserved bits: {first:#04x}"
    assert opcode in {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}, f"5.2: opcode {opcode:#x}"
    assert not second & 0x80, "5.1: the server masked a frame"
    if length == 126:
        length = int.from_bytes(await stream.readexactly(2), "big")
        assert length > 125, f"5.2: the server wrote the length {length} in two bytes"
    elif length == 127:
        length = int.from_bytes(await stream.readexactly(8), "big")
        assert 0xFFFF < length < 1 << 63, f"5.2: the server wrote the length {length} in eight"
    if opcode & CONTROL:
        assert fin, "5.4: the server fragmented a control frame"
        assert length <= 125, f"5.5: the server sent a control frame of {length} bytes"
    else:
        assert (opcode == CONTINUATION) == fragmented, "5.4: the server mixed up fragments"
    found = Received(opcode, await stream.readexactly(length))
    if opcode == CLOSE and found.payload:
        assert found.code in CLOSE_CODES, f"7.4: the server closed with {found.code}"
        found.payload[2:].decode()  # 5.5.1: the reason is UTF-8
    return found, fin
