"""Ask an instance for a path: the health check of units and containers.

Usage: ``python -m tandem.instance.probe wsgi@1 /health/ready/ [SECONDS]``
The instance is asked at its Unix socket, in its place or away, or, where it listens on
TCP, at ``TANDEM_LISTEN`` (``10.0.0.2:8101``).  Exits 0 on status 200, else 1 with
the answer on stderr; with SECONDS it keeps trying for so long before it gives up.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time

from tandem.instance.address import current

TIMEOUT_SECONDS = 5.0


class UnixConnection(http.client.HTTPConnection):
    """``http.client`` over a Unix socket, as nginx would speak to it."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self.path = path

    def connect(self) -> None:
        """Connect to the Unix socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def probe(instance: str, path: str, seconds: float = TIMEOUT_SECONDS) -> tuple[int, str]:
    """GET ``path`` from ``instance``; return status and body.

    Raises ``OSError`` when nothing answers there, or not within ``seconds``.
    """
    connection: http.client.HTTPConnection
    if listen := os.environ.get("TANDEM_LISTEN"):
        connection = http.client.HTTPConnection(listen, timeout=seconds)
    else:
        connection = UnixConnection(str(current(instance)), seconds)
    try:
        host = os.environ.get("SERVER_NAMES", "localhost").split(",")[0]
        connection.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": "https"})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    finally:
        connection.close()


def main(arguments: list[str]) -> None:
    """Probe once, or until the answer is good, and exit by it."""
    if len(arguments) not in (2, 3):
        sys.exit("usage: python -m tandem.instance.probe INSTANCE PATH [SECONDS]")
    instance, path = arguments[:2]
    deadline = time.monotonic() + float(arguments[2] if len(arguments) == 3 else 0)
    while complaint := _complaint(instance, path):
        if time.monotonic() >= deadline:
            sys.exit(complaint)
        if ended():
            sys.exit(f"{instance} has ended instead of answering")
        time.sleep(0.2)


def ended() -> bool:
    """Tell whether the process that systemd started, and named in MAINPID, is gone."""
    try:
        os.kill(int(os.environ.get("MAINPID", os.getpid())), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # it is somebody else's, so it is there
        pass
    return False


def _complaint(instance: str, path: str) -> str:
    """Return what is wrong, or nothing."""
    try:
        status, body = probe(instance, path)
    except (OSError, http.client.HTTPException) as error:
        return f"{instance}: {error}"
    return "" if status == 200 else f"{instance} answers {status} on {path}: {body[:500]}"


if __name__ == "__main__":
    main(sys.argv[1:])
