"""Hand a listening Unix socket to a server, as systemd's socket activation does.

Usage: ``python -m tandem.instance.listen /run/tandem/asgi@1.sock uvicorn --fd 3 …``

For places without systemd (the replica's containers), so that the servers run with
the very command lines of their units.  A stale socket file of a killed predecessor
is replaced; the socket is open to its owner and group only.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

FIRST_FD = 3  # SD_LISTEN_FDS_START, sd_listen_fds(3)
BACKLOG = 2048  # as Backlog= in the .socket units; the kernel caps it at somaxconn
MODE = 0o660  # as SocketMode= in the .socket units


def listen(path: Path) -> None:
    """Bind ``path`` and leave the listening socket at file descriptor 3."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(fresh))
    fresh.chmod(MODE)
    listener.listen(BACKLOG)
    # Renamed into place once it listens: nginx never meets a socket that refuses
    # because it is half made, nor a moment without one.
    fresh.rename(path)
    fd = listener.detach()
    if fd == FIRST_FD:
        os.set_inheritable(fd, True)
    else:
        os.dup2(fd, FIRST_FD)
        os.close(fd)


def main() -> None:
    """Bind the socket, then become the server."""
    if len(sys.argv) < 3:
        sys.exit("usage: python -m tandem.instance.listen SOCKET COMMAND [ARG ...]")
    path, command = Path(sys.argv[1]), sys.argv[2:]
    try:
        listen(path)
    except OSError as error:
        sys.exit(
            f"tandem: cannot listen on {path}: {error.strerror}; "
            "its folder must exist and be writable for this user."
        )
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    try:
        os.execvp(command[0], command)  # noqa: S606 - to become it is the point
    except OSError as error:
        sys.exit(f"tandem: cannot start {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
