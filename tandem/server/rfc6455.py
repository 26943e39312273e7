"""What RFC 6455 asks of a server beyond what the ``websockets`` library does.

docs/conformance.md has the list; ``tests/conformance`` holds us to it.
"""

from __future__ import annotations

import codecs
import http
from typing import Any

from tandem.extras import needed

with needed("server"):
    from websockets.exceptions import PayloadTooBig
    from websockets.frames import Frame, Opcode
    from websockets.http11 import Request, Response
    from websockets.server import ServerProtocol

VERSION = "13"

_utf8 = codecs.getincrementaldecoder("utf-8")


def offer_version(request: Request, response: Response) -> None:
    """Turn the refusal of a version that is not ours into 426 with ours (section 4.4)."""
    if response.status_code == http.HTTPStatus.BAD_REQUEST and request.headers.get_all(
        "Sec-WebSocket-Version"
    ) != [VERSION]:
        response.status_code = http.HTTPStatus.UPGRADE_REQUIRED.value
        response.reason_phrase = http.HTTPStatus.UPGRADE_REQUIRED.phrase
        response.headers["Upgrade"] = "websocket"
        response.headers["Sec-WebSocket-Version"] = VERSION


class Connection(ServerProtocol):
    """The server's side of one WebSocket, without input and output."""

    def __init__(self, *, max_size: int | None, **options: Any) -> None:
        # As a limit of frames only: the library would count a ping amid the fragments
        # of a message as a part of it.
        super().__init__(max_size=(None, max_size), **options)
        self._limit = max_size
        self._text: codecs.IncrementalDecoder | None = None

    def accept(self, request: Request) -> Response:
        """Answer a handshake."""
        upgrade = ",".join(request.headers.get_all("Upgrade")).lower().split(",")
        if "websocket" in (word.strip() for word in upgrade):  # 4.2.1: it is a list
            del request.headers["Upgrade"]
            request.headers["Upgrade"] = "websocket"
        if len(request.headers.get_all("Host")) != 1:  # 4.2.1, and RFC 9112, 3.2
            return self.reject(http.HTTPStatus.BAD_REQUEST, "One Host header is needed.\n")
        response = super().accept(request)
        offer_version(request, response)
        return response

    def recv_frame(self, frame: Frame) -> None:
        """Take a frame; what is raised becomes the code of the close frame.

        Text is checked here, and not when it is handed on, because after a wrong byte
        nothing more may be processed (section 7.1.7).
        """
        size = self.current_size
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None  # 5.4: amid fragments it is in order as well
        elif frame.opcode is Opcode.CONT:
            if size is not None:
                self._check(frame, size)
        elif frame.opcode in (Opcode.TEXT, Opcode.BINARY) and size is None:
            self._text = _utf8() if frame.opcode is Opcode.TEXT else None
            self._check(frame, 0)
        super().recv_frame(frame)

    def _check(self, frame: Frame, size: int) -> None:
        """Check a part of a message that has ``size`` bytes so far."""
        if self._limit is not None and size + len(frame.data) > self._limit:
            raise PayloadTooBig(len(frame.data), self._limit - size)
        if self._text is not None:
            self._text.decode(bytes(frame.data), final=frame.fin)
