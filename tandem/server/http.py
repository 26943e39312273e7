"""Uvicorn's HTTP protocol, stopping without a failed request."""

from __future__ import annotations

from tandem.extras import needed
from tandem.streams import move_streams

with needed("server"):
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# nginx ends an idle connection after 2 s (keepalive_timeout in upstreams.conf).
IDLE_SECONDS = 3.0


class TandemHttpProtocol(HttpToolsProtocol):
    """For ``--http tandem.server.http:TandemHttpProtocol``.

    At a stop Uvicorn closes its idle connections at once.  A request that nginx is just
    sending on one then meets a closed door, and nginx may not send a POST twice.  So an
    idle connection is left for nginx to end; a request that still comes is answered,
    with ``Connection: close``.

    And it knows a handshake when it sees one: Uvicorn looks at the last of several
    Connection headers only, and expects Upgrade to have one word and no space behind.
    """

    _leaving = False

    def shutdown(self) -> None:
        """Let the peer end the connection, or the next answer do so; event streams in turn."""
        move_streams()
        if self._leaving or not (self.cycle is None or self.cycle.response_complete):
            super().shutdown()
            return
        self._leaving = True
        self.loop.call_later(IDLE_SECONDS, self.shutdown)

    def on_headers_complete(self) -> None:
        """Take a request."""
        super().on_headers_complete()
        if self._leaving and self.cycle is not None:
            self.cycle.keep_alive = False

    def _get_upgrade(self) -> bytes | None:
        """Return the protocol to change to: two lists say it (RFC 9110, 7.8), not in HTTP/1.0."""
        words: dict[bytes, set[bytes]] = {b"connection": set(), b"upgrade": set()}
        for name, value in self.headers:
            if name in words:
                words[name].update(word.strip().lower() for word in value.split(b","))
        asked = b"upgrade" in words[b"connection"] and self.scope["http_version"] == "1.1"
        return b"websocket" if asked and b"websocket" in words[b"upgrade"] else None
