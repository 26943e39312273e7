"""Let nginx pass an instance over while it stops and starts.

Usage: ``python -m tandem.instance.handover away|leave|back|place``, with
``TANDEM_UPSTREAM`` (``asgi@1``) and, where instances listen on TCP, ``TANDEM_LISTEN``
(``10.0.0.2:8201``), ``TANDEM_INSTANCES_HERE`` and ``TANDEM_INSTANCES`` (how many of its kind
there are on this server, and on all).

*Away*: new connections are refused at once, so nginx sends even a POST to the next
instance; those that exist are served on.  An instance that is the only one stays:
requests wait in its queue while it restarts.  *Leave* is away for an instance that runs:
it also waits until that has accepted all who had connected before.  *Back* undoes both.
Each may be repeated.

A Unix socket is moved to ``draining/`` and a dead one takes its place, because a missing
file is an error that nginx logs with the whole request.  Connections to a TCP port are
sent to another instance of this server, by the firewall, so that none is refused; with no
other on this server they are, and nginx passes on to another server.
*Place* prints where a new process, which is not ready yet, should listen.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from tandem.instance.address import DRAINING, FOLDER, alive
from tandem.instance.probe import probe

# In ansible/roles/firewall/templates/firewall.nft.j2: where connections to a port go instead.
MAP = ("inet", "tandem", "away")
REFUSED = "1"  # a port that the firewall refuses
# A queue of a few thousand, on a server that is busy; less than the units' stop timeout.
ACCEPT_SECONDS = 20.0


def others(name: str, folder: Path = FOLDER) -> bool:
    """Tell whether another instance of the kind of ``name`` can be reached."""
    kind = name.partition("@")[0]
    return any(alive(p) for p in folder.glob(f"{kind}@[0-9]*.sock") if p.stem != name)


def make(folder: Path) -> None:
    """Make a folder of sockets, if it is missing, where instances can ask themselves."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o755)  # whatever the umask


def aside(name: str, folder: Path = FOLDER) -> Path:
    """Return the place of a socket that nginx is not to see, in a folder that exists."""
    make(folder / DRAINING)
    return folder / DRAINING / f"{name}.sock"


def place(name: str, folder: Path = FOLDER) -> Path:
    """Return where to listen until ready: out of nginx' way if another instance can serve."""
    return aside(name, folder) if others(name, folder) else folder / f"{name}.sock"


def away(name: str, folder: Path = FOLDER) -> bool:
    """Take the socket of ``name`` away; ``False``: it stays, being the only one of its kind."""
    path = folder / f"{name}.sock"
    if not alive(path) or not others(name, folder):
        return False
    kept = aside(name, folder)
    kept.unlink(missing_ok=True)
    dead = folder / f".{path.name}.dead"
    dead.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as nobody:
        nobody.bind(str(dead))
    here = path.stat()
    dead.chmod(here.st_mode & 0o777)
    if os.geteuid() == 0:
        os.chown(dead, here.st_uid, here.st_gid)
    os.link(path, kept)
    dead.replace(path)
    return True


def back(name: str, folder: Path = FOLDER) -> None:
    """Put the socket of ``name`` back in its place."""
    path, kept = folder / f"{name}.sock", folder / DRAINING / f"{name}.sock"
    if alive(kept) and not alive(path):
        kept.replace(path)
    else:
        kept.unlink(missing_ok=True)


def nft(*arguments: str) -> str:
    """Run nft on our map; return what it prints.  Raises ``CalledProcessError``."""
    command, *elements = arguments
    words = ["element" if elements else "map", *MAP, *elements]
    return subprocess.run(
        ["/usr/sbin/nft", command, *words], check=True, capture_output=True, text=True
    ).stdout


def diverted() -> dict[str, str]:
    """Return where connections go instead, by the port that they are for."""
    return dict(re.findall(r"\b(\d+) : (\d+)", nft("list")))


def divert(port: str, target: str | None) -> None:
    """Send new connections for ``port`` to ``target``; ``None``: let them through again."""
    before = diverted().get(port)
    if before == target:
        return
    if before:
        nft("delete", f"{{ {port} : {before} }}")
    if target:
        nft("add", f"{{ {port} : {target} }}")


def tcp_away(port: str, here: int, everywhere: int) -> bool:
    """Send new connections elsewhere; ``False`` when ``port`` is the last of its kind.

    ``here`` is the number of instances on this server, ``everywhere`` that on all servers.
    """
    kind, away = port[:-1], diverted()  # ports of a kind differ in their last digit
    of_kind = {f"{kind}{n}" for n in range(1, 10)}
    if len(of_kind & {*away, port}) >= everywhere:
        return False
    left = [f"{kind}{n}" for n in range(1, here + 1) if f"{kind}{n}" not in {*away, port}]
    target = left[0] if left else REFUSED
    for other in [port, *(other for other in away if away[other] == port)]:
        divert(other, target)
    return True


def accepted(name: str) -> None:
    """Wait until ``name`` has accepted what had connected before, ``ACCEPT_SECONDS`` at most.

    The queue of a listening socket is first come, first served: whoever is answered now
    was the last in it.
    """
    with contextlib.suppress(OSError, http.client.HTTPException):
        probe(name, "/health/live/", ACCEPT_SECONDS)


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    name = os.environ["TANDEM_UPSTREAM"]
    make(FOLDER)  # with instances on TCP alone nobody has
    # Two that go at once must not each count on the other.
    lock = os.open(FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX)
    port = os.environ.get("TANDEM_LISTEN", "").rpartition(":")[2]
    match arguments:
        case ["away" | "leave" as action]:
            here, everywhere = (
                int(os.environ.get(f"TANDEM_INSTANCES{which}", "1")) for which in ("_HERE", "")
            )
            gone = tcp_away(port, here, everywhere) if port else away(name)
            os.close(lock)
            if gone and action == "leave":
                accepted(name)
        case ["back"]:
            divert(port, None) if port else back(name)
        case ["place"]:
            print(place(name))
        case _:
            sys.exit("usage: python -m tandem.instance.handover away|leave|back|place")


if __name__ == "__main__":
    main(sys.argv[1:])
