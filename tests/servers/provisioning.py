"""What turns blank servers into those that most tests begin with, and what it says."""

from __future__ import annotations

import re

from tests.servers.rehearsal import Rehearsal


def twice(servers: Rehearsal) -> dict[str, str]:
    """Provision blank servers, again, and verify them, before they ever reboot.

    Fails if the first run does; what the others say is for the tests to read.
    """
    return {"first run": servers.provision(), **again(servers)}


def again(servers: Rehearsal) -> dict[str, str]:
    """Provision servers that have been provisioned, and verify them."""
    command = servers.command("site.yml")
    return {
        "second run": servers.run(*command, check=False).stdout,
        "specifications": verify(servers),
    }


def in_full(servers: Rehearsal) -> dict[str, str]:
    """Do the same, and look what a third run would change."""
    look = servers.command("site.yml", "--check", "--diff")
    return {**twice(servers), "look": servers.run(*look, check=False).stdout}


def verify(servers: Rehearsal) -> str:
    """Return what ``make verify`` prints."""
    return servers.run("make", "--no-print-directory", "verify", "ARGS=-q", check=False).stdout


def all_hold(verified: str) -> bool:
    """Tell whether every specification held, or does not apply here: ``123 passed in 4.56s``."""
    last = verified.splitlines()[-1].strip("= ")
    return re.fullmatch(r"\d+ passed(, \d+ skipped)? in .*", last) is not None
