"""Ask a site what a browser on this machine would, over a published port."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

PATIENCE_SECONDS = 30
# nginx' own words for an upstream that does not answer and a name that is not the site's; any
# other status is the site's business.
NOT_SERVED = (421, 502, 504)
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


class Verdict(Enum):
    """What became of a question."""

    FINE = auto()
    REFUSED = auto()  # nobody listens
    SILENT = auto()  # somebody listens, and says nothing
    ANOTHER = auto()  # what answers is not this site
    WRONG = auto()  # the site answers, but not as it should


class WrongError(Exception):
    """The site answers, but not as it should; the message says how."""


@dataclass(frozen=True)
class Site:
    """What is known of the site that is to answer."""

    name: str
    certificate: str  # nginx' (PEM)
    proxied: bool  # nginx expects the PROXY protocol
    paths: tuple[str, ...]
    socket: str  # the path of a WebSocket, or nothing


@contextmanager
def patience() -> Iterator[None]:
    """Raise ``TimeoutError`` in what takes longer than anybody would wait."""

    def over(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def ask(site: Site, scheme: str, address: str, port: int) -> tuple[Verdict, str]:
    """Return whether the site answers at a port, and if not as it should, how."""
    try:
        wire = socket.create_connection((address, port), timeout=PATIENCE_SECONDS)
    except OSError:
        return Verdict.REFUSED, ""
    with wire:
        try:
            with patience():
                connection = reached(site, scheme, port, wire)
        # Before the next, of which some of these are a part.
        except (ConnectionError, EOFError, TimeoutError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return Verdict.SILENT, ""
        except (ssl.SSLError, http.client.HTTPException, OSError):
            return Verdict.ANOTHER, ""
        if connection is None:
            return Verdict.ANOTHER, ""
        if scheme == "http":
            return Verdict.FINE, ""
        try:
            with patience():
                serves(site, port, connection)
        except TimeoutError:
            return Verdict.WRONG, f"https://{site.name}:{port}/ takes too long"
        except WrongError as error:
            return Verdict.WRONG, str(error)
        except (OSError, http.client.HTTPException) as error:
            said = f"https://{site.name}:{port}/ does not answer as HTTP does ({error!r})"
            return Verdict.WRONG, said
    return Verdict.FINE, ""


def reached(
    site: Site, scheme: str, port: int, wire: socket.socket
) -> http.client.HTTPConnection | None:
    """Return a connection to this site; ``None`` if what answers is another."""
    if site.proxied:
        wire.sendall(b"PROXY UNKNOWN\r\n")
    connection = http.client.HTTPConnection(site.name, port)
    connection.auto_open = 0  # there is no other way there than this one
    connection.sock = wire
    if scheme == "http":
        response = answer(connection, "/")
        leads = str(response.headers["Location"]).startswith("https://")
        return connection if response.status in (301, 308) and leads else None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # self-signed: it is compared instead
    secure = context.wrap_socket(wire, server_hostname=site.name)
    connection.sock = secure
    if secure.getpeercert(binary_form=True) != ssl.PEM_cert_to_DER_cert(site.certificate):
        return None
    answer(connection, "/health/edge/")
    return connection


def answer(
    connection: http.client.HTTPConnection, path: str, headers: dict[str, str] | None = None
) -> http.client.HTTPResponse:
    """Return the response to a GET, which has been read."""
    connection.request("GET", path, headers=headers or {})
    response = connection.getresponse()
    response.read()
    return response


def serves(site: Site, port: int, connection: http.client.HTTPConnection) -> None:
    """Raise ``WrongError`` unless the site answers at each path, and takes a WebSocket."""
    here = f"{site.name}:{port}"
    for path in site.paths:
        status = answer(connection, path).status
        if status in NOT_SERVED:
            raise WrongError(f"https://{here}{path} answers {status}")
    if not site.socket:
        return
    key = base64.b64encode(os.urandom(16)).decode()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Origin": f"https://{here}"}
    headers |= {"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"}
    response = answer(connection, site.socket, headers)
    proof = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()  # noqa: S324
    # 404: the example has been made another site, which has no such socket.
    if response.status != 404 and response.headers["Sec-WebSocket-Accept"] != proof:
        said = f"wss://{here}{site.socket} answers {response.status} instead of a WebSocket"
        raise WrongError(said)
