"""Send requests to one upstream: over TCP, TLS or a Unix socket, as nginx would."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0
CHUNK_BYTES = 1 << 16


class UnreachableError(Exception):
    """Nothing listens at an address; the message names it and the reason."""


class AddressError(Exception):
    """An address cannot be understood; the message says which form it must have."""


@dataclass(frozen=True)
class Answer:
    """What came back, or why nothing did."""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()  # names in lower case
    body: bytes = b""  # its beginning, where `whole` is false
    whole: bool = True
    length: int = 0  # bytes that were read
    digest: str = ""
    seconds: float = 0.0  # from the request to the last byte
    error: str = ""  # where there is no answer

    def header(self, name: str) -> str:
        """Return the first value of a header, or nothing."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True)
class RequestLimits:
    """What one request may take."""

    seconds: float = 30.0
    body_bytes: int = 2 << 20  # what is more is not read


class UnixConnection(http.client.HTTPConnection):
    """``http.client`` over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=CONNECT_SECONDS)
        self.path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@dataclass(frozen=True)
class Address:
    """``http://host:port``, ``https://host:port`` or ``unix:/path``."""

    text: str
    scheme: str
    host: str  # or the path of the socket
    port: int = 0
    tls: ssl.SSLContext | None = None

    @classmethod
    def parse(cls, text: str, insecure: bool = False, authorities: str | None = None) -> Address:
        """Return the address that ``text`` names.

        The certificate of a loopback address is not checked: it is the replica's own.
        Raises ``AddressError``.
        """
        if text.startswith("unix:/"):
            return cls(text, "unix", text.removeprefix("unix:").removeprefix("//"))
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise AddressError(f"{text}: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AddressError(f"{text}: must be http://host:port, https://host:port or unix:/path")
        if parts.path.strip("/") or parts.query or parts.username:
            raise AddressError(f"{text}: must be an address without path, user or query")
        tls = None
        if parts.scheme == "https":
            try:
                tls = ssl.create_default_context(cafile=authorities)
            except OSError as error:
                raise AddressError(f"{authorities}: {error.strerror or error}") from None
            if insecure or is_loopback(parts.hostname):
                tls.check_hostname = False
                tls.verify_mode = ssl.CERT_NONE
        return cls(
            text,
            parts.scheme,
            parts.hostname,
            port or (443 if parts.scheme == "https" else 80),
            tls,
        )

    def connection(self) -> http.client.HTTPConnection:
        """Return a connection that is not open yet."""
        if self.scheme == "unix":
            return UnixConnection(self.host)
        if self.tls:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=CONNECT_SECONDS, context=self.tls
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_SECONDS)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, without asking anybody."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _end(stream: socket.socket) -> None:
    """Have whoever waits for a stream wait no longer, whatever TLS it speaks."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(stream, socket.SHUT_RDWR)


@dataclass
class Side:
    """One upstream and what is sent to it along with each request."""

    name: str  # wsgi or asgi
    address: Address
    headers: Mapping[str, str]
    limits: RequestLimits = field(default_factory=RequestLimits)
    _local: threading.local = field(default_factory=threading.local)
    _opened: list[http.client.HTTPConnection] = field(default_factory=list)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request over this thread's connection; redirects are not followed.

        Raises ``UnreachableError`` when no connection can be made.
        """
        connection, used = self._connection()
        try:
            try:
                return self._exchange(connection, method, path, body, headers)
            except (http.client.RemoteDisconnected, ConnectionError):
                if not used:
                    raise
            # The server had closed the idle connection: that is no answer to this request.
            self.close()
            connection, _ = self._connection()
            return self._exchange(connection, method, path, body, headers)
        except TimeoutError:
            self.close()
            return Answer(error=f"no answer within {self.limits.seconds:g} s")
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Answer(error=f"the connection broke: {error or type(error).__name__}")

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None
            if connection in self._opened:
                self._opened.remove(connection)

    def close_all(self) -> None:
        """Close the connections of all threads, when none of them asks any more."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """Return an open connection, and whether it was used before."""
        connection = getattr(self._local, "connection", None)
        if connection is not None and connection.sock is not None:
            return connection, True
        self.close()
        connection = self.address.connection()
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise UnreachableError(f"{self.name} at {self.address.text}: {reason}") from None
        self._local.connection = connection
        self._opened.append(connection)
        return connection, False

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        stream = connection.sock
        began = time.monotonic()
        stream.settimeout(self.limits.seconds)
        # Of each read; a side that sends a byte at a time is ended as a whole.
        watch = threading.Timer(self.limits.seconds, _end, [stream])
        watch.daemon = True
        watch.start()
        try:
            answer = self._answer(connection, began, method, path, body, headers)
        except (OSError, http.client.HTTPException):
            if time.monotonic() - began < self.limits.seconds:
                raise
            raise TimeoutError from None
        finally:
            watch.cancel()
        if time.monotonic() - began >= self.limits.seconds:  # what looks like its end is ours
            raise TimeoutError
        return answer

    def _answer(
        self,
        connection: http.client.HTTPConnection,
        began: float,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        stream = connection.sock
        connection.request(method, path, body=body, headers={**self.headers, **(headers or {})})
        response = connection.getresponse()
        chunks, length, whole = [], 0, True
        digest = hashlib.sha256()
        is_stream = response.headers.get_content_type() == "text/event-stream"
        while not is_stream:
            left = began + self.limits.seconds - time.monotonic()
            if left <= 0:
                raise TimeoutError
            stream.settimeout(left)
            chunk = response.read1(min(CHUNK_BYTES, self.limits.body_bytes - length + 1))
            if not chunk:
                break
            whole = length + len(chunk) <= self.limits.body_bytes
            chunk = chunk[: self.limits.body_bytes - length]
            chunks.append(chunk)
            digest.update(chunk)
            length += len(chunk)
            if not whole:
                break
        seconds = time.monotonic() - began
        response.close()  # Python 3.11's read1() leaves it open after the last byte
        if is_stream or not whole:
            self.close()
        return Answer(
            response.status,
            tuple((name.lower(), value) for name, value in response.getheaders()),
            b"".join(chunks),
            whole,
            length,
            digest.hexdigest(),
            seconds,
        )
