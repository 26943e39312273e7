"""``upstreams.conf``: the instances of each kind of process, as nginx balances them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tandem.facts import socket_of
from tandem.ops.routes.model import Route
from tandem.origins import words


def instances(settings: Mapping[str, str], upstream: str) -> dict[str, str]:
    """Return where the instances of ``upstream`` listen: ``{"wsgi@1": address}``.

    A Unix socket each, or, where they are on other servers, what ``WSGI_SERVERS`` and
    its like say: ``app1/wsgi@1=10.0.0.2:8101,…``.
    """
    kind = upstream.upper()
    if spread := words(settings.get(f"{kind}_SERVERS", "")):
        return dict(word.split("=", 1) for word in spread)
    count = int(settings[f"{kind}_INSTANCES"])
    return {f"{upstream}@{n}": f"unix:{socket_of(f'{upstream}@{n}')}" for n in range(1, count + 1)}


def _needs(route: Route) -> dict[str, str]:
    """Return the upstreams that ``route`` cannot do without: ``{upstream: what it does there}``."""
    found = {route.upstream: "goes to"}
    if route.share < 100:
        found.setdefault("wsgi", "sends a share of its clients to")
    if route.mirror:
        found.setdefault("asgi" if route.upstream == "wsgi" else "wsgi", "is mirrored to")
    return found


def unserved(routes: list[Route], addresses: Mapping[str, Mapping[str, str]]) -> str:
    """Return what is wrong where a route leads to an upstream without instances, or nothing."""
    for route in routes:
        for kind, does in _needs(route).items():
            if not addresses[kind]:
                return (
                    f"the route {route.path} {does} {kind}, of which there are no instances; set"
                    f" {kind.upper()}_INSTANCES (tandem_{kind}_instances in an inventory) to 1"
                    " or more, or change the route"
                )
    return ""


def upstreams(addresses: Mapping[str, Mapping[str, str]]) -> str:
    """Return ``upstreams.conf`` for ``{"wsgi": {"wsgi@1": address}}``."""
    blocks = []
    for upstream, servers_of in addresses.items():
        count = max(1, len(servers_of))
        # Without instances there is no route either, but still an address for its health.
        servers = "\n".join(
            # max_fails=0: nginx counts as a failure of the instance also what one request
            # made it do (a header too large, no answer in time, a worker that died of it),
            # and would leave it out for everybody.  One that refuses costs nothing to try; a
            # server that is gone costs proxy_connect_timeout (snippets/proxy.conf).
            f"    server {address} max_fails=0;"
            for address in servers_of.values()
        ) or (f"    server unix:{socket_of(f'{upstream}@1')} down;")
        blocks.append(
            f"upstream {upstream} {{\n"
            f"    zone {upstream} 128k; # counts shared by all nginx workers\n"
            "    least_conn; # long-lived connections spread evenly\n"
            f"{servers}\n"
            f"    keepalive {8 * count};\n"
            "    keepalive_timeout 2s; # how long a stopping instance waits: docs/timeouts.md\n"
            "}\n"
        )
    return "\n".join(blocks)


def names(addresses: Mapping[str, Mapping[str, str]]) -> str:
    """Return ``upstream-names.conf``: what instances on other servers are called."""
    return "".join(
        f"~{re.escape(address)}$ {name};\n"
        for servers in addresses.values()
        for name, address in servers.items()
        if not address.startswith("unix:")
    )
