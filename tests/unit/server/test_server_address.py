"""A Unix socket has no port; the client has asked for one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tandem.server.server_address import ServerAddress

UNIX = ("/run/tandem/asgi@1.sock", None)


def seen(scope: dict[str, Any]) -> Any:
    """Return the address that an application is given."""
    found: list[Any] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        found.append(scope.get("server"))

    asyncio.run(ServerAddress(application)(scope, None, None))
    return found[0]


@pytest.mark.parametrize(
    ("scheme", "host", "expected"),
    [
        ("https", b"example.org", ("example.org", 443)),
        ("http", b"example.org", ("example.org", 80)),
        ("wss", b"example.org:8443", ("example.org", 8443)),
        ("https", b"[2001:db8::1]:8443", ("[2001:db8::1]", 8443)),
        ("https", b"a:b:c", ("localhost", 443)),
        ("https", b"", ("localhost", 443)),
    ],
)
def test_the_address_is_the_one_that_was_asked_for(scheme: str, host: bytes, expected: Any):
    kind = "websocket" if scheme == "wss" else "http"
    scope = {"type": kind, "scheme": scheme, "server": UNIX, "headers": [(b"host", host)]}
    assert seen(scope) == expected
    assert seen({**scope, "server": None}) == expected


def test_a_server_that_has_a_port_keeps_it():
    scope = {"type": "http", "scheme": "http", "server": ("10.0.0.2", 8201), "headers": []}
    assert seen(scope) == ("10.0.0.2", 8201)
    assert seen({"type": "lifespan"}) is None
