"""What turns blank servers into those that most tests begin with, and what it says."""

from __future__ import annotations

from tests.servers.rehearsal import Rehearsal


def in_full(servers: Rehearsal) -> dict[str, str]:
    """Provision blank servers and look at them in every way before they ever reboot.

    Fails if the first run does; what the others say is for the tests to read.
    """
    return {
        "first run": servers.provision(),
        "second run": servers.run(*servers.command("site.yml"), check=False).stdout,
        "look": servers.run(*servers.command("site.yml", "--check", "--diff"), check=False).stdout,
        "specifications": servers.run("make", "verify", "ARGS=-q", check=False).stdout,
    }
