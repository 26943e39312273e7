"""The tokens by which staff chooses a side: ``force.conf`` for nginx, made of a secret.

Usage: ``python -m tandem.ops.routes.force KEY_FILE FORCE_CONF [GROUP]``.
Needs nothing but Python, so that servers run this file alone.
"""

import grp
import hashlib
import hmac
import os
import re
import sys
from pathlib import Path

SIDES = ("asgi", "wsgi")
# nginx keeps short strings in a map without being told to make room: 128 bits are enough.
DIGITS = 32
MODE = 0o640
TOKEN = re.compile(rf"({'|'.join(SIDES)})\.[0-9a-f]{{{DIGITS}}}")
# How staff sends one, and how /health/edge/ says which side it forces (deploy/nginx).
HEADER = "X-Tandem-Upstream"
COOKIE = "tandem_upstream"
TOLD = "X-Tandem-Forced"


def token(key: str, side: str) -> str:
    """Return the header's or cookie's value that forces ``side``."""
    digest = hmac.new(key.encode(), f"tandem force {side}".encode(), hashlib.sha256)
    return f"{side}.{digest.hexdigest()[:DIGITS]}"


def variable(side: str) -> str:
    """Return the name of the environment variable by which ``tandem compare`` gets a token."""
    return f"TANDEM_FORCE_TOKEN_{side.upper()}"


def forces(found: str) -> str:
    """Return the side that a token names, ``""`` of what has not a token's form."""
    named = TOKEN.fullmatch(found)
    return named[1] if named else ""


def force_conf(key: str) -> str:
    """Return ``force.conf``: lines of the map in deploy/nginx/forced.conf.

    Raises ``ValueError`` for a key that could be guessed.
    """
    if len(key.strip()) < 32:
        raise ValueError("the key has less than 32 characters; delete its file, it is made anew")
    return "".join(f"{token(key.strip(), side)} {side};\n" for side in SIDES)


def tokens(conf: str) -> dict[str, str]:
    """Return ``{"asgi": token, …}`` of the text of a ``force.conf``."""
    words = (line.partition(" ")[0] for line in conf.splitlines())
    return {forces(word): word for word in words if forces(word)}


def write(text: str, file: Path, group: str = "") -> bool:
    """Replace ``file`` by a rename, readable by root and ``group``; return whether it changed.

    Without ``group`` it keeps the group of this process.
    """
    gid = grp.getgrnam(group).gr_gid if group else os.getegid()
    if file.exists():
        found = file.stat()
        same = (found.st_gid, found.st_mode & 0o7777) == (gid, MODE)
        if same and file.read_text() == text:
            return False
    fresh = file.with_name(f".{file.name}")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
        out.write(text)
        os.fchown(out.fileno(), -1, gid)
        os.fchmod(out.fileno(), MODE)
    fresh.rename(file)
    return True


def main() -> None:
    """Write it, and say so when it has changed."""
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python -m tandem.ops.routes.force KEY_FILE FORCE_CONF [GROUP]")
    key, file, *group = sys.argv[1:]
    try:
        changed = write(force_conf(Path(key).read_text()), Path(file), *group)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"tandem: {key} → {file}: {error}.")
    print("changed" if changed else "as it was")


if __name__ == "__main__":
    main()
