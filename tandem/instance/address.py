"""Where an instance can be asked: its Unix socket, in its place or away.

``tandem.instance.handover`` moves it.
"""

from __future__ import annotations

import socket
from pathlib import Path

from tandem.facts import SOCKETS

FOLDER = Path(SOCKETS)
DRAINING = "draining"


def alive(path: Path) -> bool:
    """Tell whether anything listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(str(path))
        except BlockingIOError:  # its queue is full
            return True
        except OSError:
            return False
    return True


def current(name: str, folder: Path = FOLDER) -> Path:
    """Return where instance ``name`` can be asked, away or not."""
    away = folder / DRAINING / f"{name}.sock"
    return away if alive(away) else folder / f"{name}.sock"
