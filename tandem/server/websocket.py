"""Uvicorn's WebSocket protocol, closing so that the client learns why and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

from tandem.drain import Departures, window_seconds
from tandem.extras import needed
from tandem.facts import SERVICE_RESTART
from tandem.server.rfc6455 import Connection

with needed("server"):
    from uvicorn.protocols.utils import ClientDisconnected
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
    from websockets.frames import Close, Frame

# For a handler to notice that its client has gone, before its sending is an error.
HANDLER_SECONDS = 1.0

_open: set[TandemWebSocketProtocol] = set()
_departures: dict[asyncio.AbstractEventLoop, Departures] = {}


def move_sockets() -> int:
    """Ask the client of each open WebSocket, in its turn, to connect anew; return how many.

    For changes that reach new connections only, such as a reloaded nginx.
    """
    sockets = list(_open)
    for socket in sockets:
        socket.depart()
    return len(sockets)


class TandemWebSocketProtocol(WebSocketsSansIOProtocol):
    """For ``--ws tandem.server.websocket:TandemWebSocketProtocol``.

    *The client closes, or sends a frame that breaks the protocol* (too big: 1009, not
    UTF-8: 1007, …): Uvicorn answers with a close frame and closes the connection at once.
    If more is still arriving, the kernel then resets the connection, and whoever reads
    from it (nginx) gets the reset instead of the close frame: the client sees 1006.
    RFC 6455, 7.1.1 and 7.1.7: close the sending side, then read until the peer closes.

    *A request that is no handshake at all* (it has a body, a header is too long): Uvicorn
    says nothing and waits for ever; here it is refused.

    *A stop*: Uvicorn sends 1012 on all sockets at once and closes them, whatever the
    client has under way.  Here they go one after the other (``SOCKET_DRAIN_SECONDS``),
    and each as section 7.1.2 has it: what the client sent until it heard of the close
    still reaches the application, and the connection ends when the application has
    dealt with it.  A client that then looks up what arrived gets the final answer.
    """

    _ended = False
    _stopping = False
    _leaving = False
    _told = float("inf")  # loop time

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = Connection(
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size,
            logger=self.conn.logger,
        )

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client's."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_complete:
            self.handshake_complete = self.close_sent = True
            # Too long: the parser has an answer; not to be understood: it has none.
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(answer or self.conn.reject(400, "Bad request.\n").serialize())
            self.transport.close()

    def start_keepalive(self) -> None:
        """Begin to ping: the handshake is complete."""
        _open.add(self)
        super().start_keepalive()
        if self._stopping:
            self.depart()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the socket."""
        _open.discard(self)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Leave in turn, when Uvicorn stops; a handshake under way is finished first."""
        self._stopping = True
        if self.handshake_complete:
            self.depart()

    def depart(self) -> None:
        """Leave, in turn with all others that are asked now."""
        if self.loop not in _departures:
            _departures[self.loop] = Departures(self.loop, window_seconds())
        _departures[self.loop].add(self.leave)

    def leave(self) -> None:
        """Close with 1012, and wait for the client to answer, ``close_timeout`` at most."""
        if self.close_sent or self._leaving or self.transport.is_closing():
            return
        self._leaving = True
        self.stop_keepalive()
        self.conn.send_close(SERVICE_RESTART, "service restart")
        self.transport.write(b"".join(self.conn.data_to_send()))
        self._leave_timer = self.loop.call_later(self.close_timeout, self._left)

    def handle_close(self, event: Frame) -> None:
        """Take the client's close frame."""
        if self._leaving:
            self._left()
        elif self.close_sent:
            super().handle_close(event)
        else:
            self._end(self.conn.close_rcvd)

    def _left(self) -> None:
        """Tell the application last, after all messages; it ends, and the connection with it."""
        if self._told < float("inf"):
            return
        self._told = self.loop.time()
        self._leave_timer.cancel()
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": SERVICE_RESTART, "reason": "service restart"}
        )
        # An application that takes no notice must not hold the client up.
        self.loop.call_later(self.close_timeout, self.transport.close)

    async def send(self, message: Any) -> None:
        """Send, unless the close frame has been sent: nothing may follow it.

        A handler that still answers a message is let finish.  Raises
        ``ClientDisconnected`` to an application that goes on sending after the end.
        """
        if self._ended:
            if message["type"] != "websocket.close":
                raise ClientDisconnected
        elif not self._leaving:
            await super().send(message)
        elif self.loop.time() > self._told + HANDLER_SECONDS:
            raise ClientDisconnected

    def handle_parser_exception(self) -> None:
        """Close, after what came before the wrong frame."""
        if not self._ended:  # otherwise: more of it, and the parser discards that
            self.handle_events()
            self._end(self.conn.close_sent)

    def _end(self, closing: Close | None) -> None:
        """Send the close frame and discard what still comes, for ``close_timeout`` at most."""
        assert closing is not None  # noqa: S101 - the parser has read or sent it
        self._ended = self.close_sent = True
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": closing.code, "reason": closing.reason}
        )
        self.transport.write(b"".join(self.conn.data_to_send()))
        if not self.transport.can_write_eof():  # TLS
            self.transport.close()
            return
        self.transport.write_eof()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.close)
