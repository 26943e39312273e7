#!/usr/bin/python3 -I
"""Let Redis have a new password without anybody's losing it: redis-password.py admit|settle.

*Admit*: what is in the credential is written for Redis' next start, and admitted at once
beside the password in use, so that processes can change to it one after the other.
*Settle*, when all have: it is the only one.  Each says what it changed, and may be repeated.
"""

from __future__ import annotations

import grp
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # root's own, beside this file

from tandem import facts
from tandem.ops import encode

CREDENTIAL = Path(facts.CREDENTIALS) / "redis_password"
CONFIGURATION = Path(facts.REDIS_SETTINGS) / "password.conf"
# There from the moment that a new one is admitted until it is the only one.
CHANGING = Path(facts.REDIS_SETTINGS) / "changing"
DIRECTIVE = "requirepass "


def ask(command: str, password: str) -> bool:
    """Give Redis a command; tell whether it took it.

    ``password`` is a word of Redis'.  What is secret goes by standard input: a command line is
    for all to read.
    """
    done = subprocess.run(
        ["redis-cli", "-s", facts.REDIS_SOCKET, "--no-auth-warning"],
        check=False, capture_output=True, text=True, input=f"AUTH {password}\n{command}\n",
    )  # fmt: skip
    return done.returncode == 0 and done.stdout.split() == ["OK", "OK"]


def write(path: Path, text: str) -> None:
    """Replace a file that root and Redis read, and nobody else."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        os.fchown(file.fileno(), 0, grp.getgrnam("redis").gr_gid)
        os.fchmod(file.fileno(), 0o640)
    fresh.replace(path)


def admit(new: str, written: str) -> None:
    """Let ``new`` in beside the password of what is ``written``, which is empty at first."""
    directive = f"{DIRECTIVE}{encode.redis(new)}\n"
    if written == directive:
        return
    if written:
        CHANGING.touch(mode=0o600)
        # What does not run takes it when it starts.
        old = written.removeprefix(DIRECTIVE).strip()
        ask(f"ACL SETUSER default {encode.redis('>' + new)}", old)
    write(CONFIGURATION, directive)
    print("admitted")


def settle(new: str) -> None:
    """Let only ``new`` in."""
    if not CHANGING.exists():
        return
    if not ask(f"ACL SETUSER default resetpass {encode.redis('>' + new)}", encode.redis(new)):
        sys.exit(
            "tandem: Redis does not take its new password; 'systemctl restart"
            " redis-server@tandem' has it read the file, after which nothing else gets in."
        )
    CHANGING.unlink()
    print("settled")


def main() -> None:
    """Do what the command line says."""
    new = CREDENTIAL.read_text().strip()
    match sys.argv[1:]:
        case ["admit"]:
            admit(new, CONFIGURATION.read_text() if CONFIGURATION.exists() else "")
        case ["settle"]:
            settle(new)
        case _:
            sys.exit("usage: redis-password.py admit | settle")


main()
