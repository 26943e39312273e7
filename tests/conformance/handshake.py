"""Sections 4.1, 4.2, 4.4, 9.1 and 10.2: the opening handshake."""

from __future__ import annotations

import base64

from tandem.sizes import SIZES
from tests.conformance.case import add, case, guarded
from tests.conformance.peer import Peer, Response, accept_of, new_key, request

Changes = dict[str, str | list[str] | None]


def opened(answer: Response, key: str) -> None:
    """Check an answer that opens a WebSocket (section 4.2.2, 5)."""
    assert answer.status == 101, f"a good handshake got {answer.status}"
    assert answer.headers["upgrade"].lower() == "websocket"
    tokens = [token.strip().lower() for token in answer.headers["connection"].split(",")]
    assert "upgrade" in tokens
    assert answer.headers["sec-websocket-accept"] == accept_of(key)


def refused(peer: Peer, answer: Response, *statuses: int) -> None:
    """Check an answer that does not open one; ``statuses``: those allowed, else any 4xx."""
    assert answer.status != 101, "a bad handshake opened a WebSocket"
    assert "sec-websocket-accept" not in answer.headers
    if statuses:
        assert answer.status in statuses, f"expected {statuses}, got {answer.status}"
    else:
        assert 400 <= answer.status < 500, f"expected a client's error, got {answer.status}"


def accepts(name: str, changes: Changes, spelling: str = "{name}: {value}") -> None:
    """Add a case: a handshake with ``changes`` is a good one."""

    async def run(peer: Peer) -> None:
        key = new_key()
        headers = {"Sec-WebSocket-Key": key, **changes}
        answer = await peer.asks(request(peer.endpoint, headers, spelling=spelling))
        opened(answer, key)
        assert "sec-websocket-extensions" not in answer.headers, "9.1: an extension we switch off"
        assert "sec-websocket-protocol" not in answer.headers, "a subprotocol that nobody knows"

    add(name, run, opened=False)


def refuses(name: str, changes: Changes, *statuses: int) -> None:
    """Add a case: a handshake with ``changes`` is a bad one."""

    async def run(peer: Peer) -> None:
        refused(peer, await peer.asks(request(peer.endpoint, changes)), *statuses)

    add(name, run, opened=False)


def is_http(name: str, changes: Changes, version: str = "HTTP/1.1") -> None:
    """Add a case: a request with ``changes`` asks for no WebSocket, and gets none."""

    async def run(peer: Peer) -> None:
        answer = await peer.asks(request(peer.endpoint, changes, version=version))
        allowed = {400, 426, 505, peer.profile.plain_http}
        refused(peer, answer, *allowed)

    add(name, run, opened=False)


# --- what a client may send ---

accepts("4.2.2-the-key-is-answered", {})
accepts("4.1-upgrade-in-other-case", {"Upgrade": "WebSocket"})
accepts("4.1-upgrade-in-capitals", {"Upgrade": "WEBSOCKET"})
accepts("4.1-upgrade-in-a-list", {"Upgrade": "websocket, h2c"})
accepts("4.1-upgrade-later-in-a-list", {"Upgrade": "h2c,websocket"})
accepts("4.1-connection-in-lower-case", {"Connection": "upgrade"})
accepts("4.1-connection-in-capitals", {"Connection": "UPGRADE"})
accepts("4.1-connection-in-a-list", {"Connection": "keep-alive, Upgrade"})
accepts("4.1-connection-first-in-a-list", {"Connection": "Upgrade,keep-alive"})
accepts("4.1-connection-in-two-lines", {"Connection": ["keep-alive", "Upgrade"]})
accepts("4.1-connection-first-of-two-lines", {"Connection": ["Upgrade", "keep-alive"]})
accepts("4.1-spaces-around-values", {}, spelling="{name}:   {value}  ")
accepts("4.1-no-space-before-values", {}, spelling="{name}:{value}")
accepts("4.1-header-names-in-lower-case", {"sec-websocket-protocol": "nobody.knows"})
accepts("4.1-unknown-subprotocol-is-not-chosen", {"Sec-WebSocket-Protocol": "nobody.knows"})
accepts("4.1-unknown-subprotocols-are-not-chosen", {"Sec-WebSocket-Protocol": "a.b, c.d , e"})
accepts(
    "4.1-unknown-subprotocols-in-two-lines-are-not-chosen",
    {"Sec-WebSocket-Protocol": ["nobody.knows", "this.either"]},
)
accepts("4.1-unknown-headers-are-ignored", {"X-Nobody-Knows": "this"})
accepts("9.1-unknown-extension-is-not-used", {"Sec-WebSocket-Extensions": "x-nobody-knows; a=1"})
accepts("9.1-compression-is-not-used", {"Sec-WebSocket-Extensions": "permessage-deflate"})
accepts(
    "9.1-compression-with-parameters-is-not-used",
    {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-other"},
)


@case("4.1-header-names-in-any-case", opened=False)
async def _(peer: Peer) -> None:
    key = new_key()
    wanted = request(peer.endpoint, {"Sec-WebSocket-Key": key})
    for name in (b"Sec-WebSocket-Key", b"Upgrade:", b"Connection:", b"Sec-WebSocket-Version"):
        assert name in wanted
        wanted = wanted.replace(name, name.swapcase())
    opened(await peer.asks(wanted), key)


@case("4.1-handshake-in-single-bytes", opened=False)
async def _(peer: Peer) -> None:
    key = new_key()
    wanted = request(peer.endpoint, {"Sec-WebSocket-Key": key})
    for n in range(len(wanted)):
        await peer.send(wanted[n : n + 1])
    opened(await peer.response(), key)


@case("4.1-accept-differs-for-each-key", opened=False)
async def _(peer: Peer) -> None:
    # The example of section 1.3.
    answer = await peer.asks(
        request(peer.endpoint, {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    )
    assert answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


# --- what it may not ---

refuses("4.2.1-key-missing-is-refused", {"Sec-WebSocket-Key": None}, 400)
refuses("4.2.1-key-empty-is-refused", {"Sec-WebSocket-Key": ""}, 400)
refuses("4.2.1-key-of-15-bytes-is-refused", {"Sec-WebSocket-Key": "MTIzNDU2Nzg5MDEyMzQ1"}, 400)
refuses(
    "4.2.1-key-of-17-bytes-is-refused",
    {"Sec-WebSocket-Key": base64.b64encode(b"x" * 17).decode()},
    400,
)
refuses("4.2.1-key-not-base64-is-refused", {"Sec-WebSocket-Key": "!!!not base64 at all!!!!"}, 400)
refuses("4.2.1-key-without-padding-is-refused", {"Sec-WebSocket-Key": new_key().rstrip("=")}, 400)
refuses("4.2.1-two-keys-are-refused", {"Sec-WebSocket-Key": [new_key(), new_key()]}, 400)
refuses("4.2.1-host-missing-is-refused", {"Host": None}, 400)
refuses("4.2.1-version-missing-is-refused", {"Sec-WebSocket-Version": None}, 400, 426)
refuses("4.1-subprotocol-not-a-token-is-refused", {"Sec-WebSocket-Protocol": "a b"}, 400)
# Longer than any that is taken: deploy/sizes.env.
refuses("4.2.1-long-header-is-refused", {"X-Long": "x" * SIZES["HEADER_BYTES"]}, 400, 431)


@case("4.2.1-body-is-answered", opened=False)
async def _(peer: Peer) -> None:
    # A GET may have a body that means nothing: refuse it or pass over it, but say so.
    key = new_key()
    headers: Changes = {"Sec-WebSocket-Key": key, "Content-Length": "5"}
    await peer.send(request(peer.endpoint, headers), b"hello")
    answer = await peer.response()
    opened(answer, key) if answer.status == 101 else refused(peer, answer)


@case("4.2.1-many-headers-are-answered", opened=False)
async def _(peer: Peer) -> None:
    # More than the 128 of the parser behind nginx.
    key = new_key()
    headers: Changes = {"Sec-WebSocket-Key": key, "X-Many": ["x"] * 150}
    answer = await peer.asks(request(peer.endpoint, headers))
    opened(answer, key) if answer.status == 101 else refused(peer, answer, 400, 431)


is_http("4.2.1-connection-missing-is-no-handshake", {"Connection": None})
is_http("4.2.1-connection-without-upgrade-is-no-handshake", {"Connection": "keep-alive"})
is_http("4.2.1-connection-of-a-longer-word-is-no-handshake", {"Connection": "upgrades"})
is_http("4.2.1-upgrade-missing-is-no-handshake", {"Upgrade": None})
is_http("4.2.1-upgrade-to-h2c-is-no-handshake", {"Upgrade": "h2c"})
is_http("4.2.1-upgrade-to-a-longer-word-is-no-handshake", {"Upgrade": "websockets"})
is_http("4.1-http-1.0-is-no-handshake", {}, "HTTP/1.0")

for version in ("0", "7", "8", "12", "14", "25", "013", "+13", "13.0", "thirteen", "256"):

    async def unknown(peer: Peer, version: str = version) -> None:
        # A server names the version that it speaks.
        answer = await peer.asks(request(peer.endpoint, {"Sec-WebSocket-Version": version}))
        refused(peer, answer, 426)
        assert answer.headers.get("sec-websocket-version") == "13", "4.4: 13 is not offered"

    add(f"4.4-version-{version}-is-answered-with-13", unknown, opened=False)

for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):

    async def other(peer: Peer, method: str = method) -> None:
        # Only GET opens a WebSocket.
        answer = await peer.asks(request(peer.endpoint, method=method))
        refused(peer, answer)

    add(f"4.1-method-{method.lower()}-is-refused", other, opened=False)

for what, foreign in {
    "of-another-site": "https://evil.example",
    "null": "null",
    "that-only-begins-right": "{origin}.evil.example",
    "in-plain-http": "http://{host}",
}.items():

    async def origin(peer: Peer, foreign: str = foreign) -> None:
        # Cookies ride along from any page, so the page's Origin must be ours.
        own = peer.endpoint.origin
        value = foreign.format(origin=own, host=own.partition("://")[2])
        refused(peer, await peer.asks(request(peer.endpoint, {"Origin": value})), 403)

    add(f"10.2-origin-{what}-is-refused", origin, opened=False, suits=guarded)


@case("10.2-origin-missing-is-refused", opened=False, suits=guarded)
async def _(peer: Peer) -> None:
    refused(peer, await peer.asks(request(peer.endpoint, {"Origin": None})), 403)
