"""What is this checkout's own on a machine where others are tested as well: names and ports."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
KEY = hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]
# Below the ports that the kernel gives to outgoing connections.
FIRST_PORT, LAST_PORT = 20_000, 30_000


def named(what: str) -> str:
    """Return the name of a stack, a network or a rehearsal: ``tandem-test-1a2b3c-replica``."""
    return f"tandem-test-{KEY}-{what}"


def ports(what: str) -> tuple[int, int]:
    """Return two ports on loopback for ``what``, the same ones as long as nobody else takes them.

    They are noted in ``.cache``, so that a stack that was left running is found again.
    """
    noted = CACHE / f"{named(what)}.ports"
    if noted.exists():
        one, two = json.loads(noted.read_text())
        return one, two
    start = int(hashlib.sha256(named(what).encode()).hexdigest(), 16)
    for attempt in range(FIRST_PORT, LAST_PORT, 2):
        one = FIRST_PORT + (start + attempt) % (LAST_PORT - FIRST_PORT) // 2 * 2
        if free(one) and free(one + 1):
            CACHE.mkdir(exist_ok=True)
            noted.write_text(json.dumps([one, one + 1]))
            return one, one + 1
    raise OSError(f"no two ports are free between {FIRST_PORT} and {LAST_PORT}")


def free(port: int) -> bool:
    """Tell whether nobody listens on a port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
