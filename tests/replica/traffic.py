"""Where the load of ``tests.load`` goes."""

from __future__ import annotations

from tests.load.site import SESSIONS, Site, crowd
from tests.stack import Stack


def site(stack: Stack) -> Site:
    """Return the replica, as its nginx has it: the engine's port forwarding has limits."""
    users = crowd(stack.manage(SESSIONS))
    host, address = f"localhost:{stack.https_port}", stack.address()
    return Site(host, address, 443, stack.cookie("demo"), users)
