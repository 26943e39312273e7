"""Ask the replica what a browser would, over a connection that stdin and stdout are.

docker/published.sh makes the connection on the host and hands it to this program, which runs in
an instance's container: the host need not have Python, and a container's own way to nginx
would prove nothing about the published port.

Usage: ``python -c … SCHEME NAME PORT PROXY CERTIFICATE SOCKET PATH…`` with PROXY on where nginx
expects the PROXY protocol, CERTIFICATE the PEM text of nginx', and SOCKET the path of a WebSocket
or nothing.  Exits with 0, or with ANOTHER, SILENT or WRONG, the last with a sentence on stderr.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import os
import signal
import ssl
import sys
from collections.abc import Callable
from typing import Any

# Also in docker/published.sh.
ANOTHER, SILENT, WRONG = 3, 4, 5
PATIENCE_SECONDS = 30
# nginx' own words for an upstream that does not answer and a name that is not the site's; any
# other status is the site's business.
NOT_SERVED = (421, 502, 504)
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


class Wire(io.RawIOBase):
    """The connection, for ``http.client``: a file to read, and what it calls of a socket."""

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is; 0 at the end."""
        return os.readv(0, [buffer])

    def sendall(self, data: bytes) -> None:
        """Write all of ``data``."""
        while data:
            data = data[os.write(1, data) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a file that reads."""
        return io.BufferedReader(self)

    def close(self) -> None:
        """Keep it open: there is no other."""


class Tls(Wire):
    """The same under TLS."""

    def __init__(self, name: str) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # self-signed: it is compared instead
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._do(self._tls.do_handshake)

    def certificate(self) -> bytes | None:
        """Return the certificate whose key the other side has proven to have (DER)."""
        return self._tls.getpeercert(binary_form=True)

    def readinto(self, buffer: Any) -> int:
        """Read what there is; 0 at the end."""
        return int(self._do(self._tls.read, len(buffer), buffer))

    def sendall(self, data: bytes) -> None:
        """Write all of ``data``."""
        while data:
            data = data[self._do(self._tls.write, data) :]

    def _do(self, what: Callable[..., Any], *args: Any) -> Any:
        while True:
            try:
                result = what(*args)
            except ssl.SSLWantReadError:
                super().sendall(self._out.read())
                data = os.read(0, 65536)
                if not data:
                    raise EOFError from None
                self._in.write(data)
            else:
                super().sendall(self._out.read())
                return result


def answer(wire: Wire, name: str, port: str, path: str, **headers: str) -> Any:
    """Return the response to a GET on the connection."""
    connection = http.client.HTTPConnection(name, int(port))
    connection.sock = wire  # type: ignore[assignment]
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def redirects(wire: Wire, name: str, port: str) -> None:
    """Exit unless plain HTTP leads to HTTPS."""
    response = answer(wire, name, port, "/")
    response.read()
    if not (response.status in (301, 308) and response.headers["Location"].startswith("https://")):
        sys.exit(ANOTHER)


def wrong(sentence: str) -> None:
    """Exit, as the site answers, but not as it should."""
    print(sentence, file=sys.stderr)
    sys.exit(WRONG)


def serves(wire: Wire, name: str, port: str, socket: str, paths: list[str]) -> None:
    """Exit unless the site answers at each of the paths, and takes a WebSocket at ``socket``."""
    for path in paths:
        response = answer(wire, name, port, path)
        response.read()
        if response.status in NOT_SERVED:
            wrong(f"https://{name}:{port}{path} answers {response.status}")
    if not socket:
        return
    key = base64.b64encode(os.urandom(16)).decode()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": f"https://{name}:{port}"}
    headers |= {"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}
    response = answer(wire, name, port, socket, **headers)
    proof = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()  # noqa: S324
    # 404: the example has been made another site, which has no such socket.
    if response.status != 404 and response.headers["Sec-WebSocket-Accept"] != proof:
        wrong(f"wss://{name}:{port}{socket} answers {response.status} instead of a WebSocket")


def main(scheme: str, name: str, port: str, proxy: str, pem: str, socket: str, *paths: str) -> None:
    """Ask; exit with what became of it."""
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(SILENT))
    signal.alarm(PATIENCE_SECONDS)
    try:
        if proxy == "on":
            Wire().sendall(b"PROXY UNKNOWN\r\n")
        if scheme == "http":
            return redirects(Wire(), name, port)
        wire = Tls(name)
        if wire.certificate() != ssl.PEM_cert_to_DER_cert(pem):
            sys.exit(ANOTHER)
        answer(wire, name, port, "/health/edge/").read()
    except (EOFError, ConnectionError, http.client.RemoteDisconnected, ssl.SSLEOFError):
        sys.exit(SILENT)
    except (ssl.SSLError, http.client.HTTPException, AttributeError):
        sys.exit(ANOTHER)
    signal.signal(signal.SIGALRM, lambda *_: wrong(f"https://{name}:{port}/ takes too long"))
    signal.alarm(PATIENCE_SECONDS)
    try:
        serves(wire, name, port, socket, list(paths))
    except (EOFError, OSError, http.client.HTTPException) as error:
        wrong(f"https://{name}:{port}/ does not answer as HTTP does ({error!r})")
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
