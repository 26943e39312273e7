"""``arms.conf``: which side gets a client, by its group (deploy/nginx/canary.conf).

A side that staff has forced (deploy/nginx/forced.conf) comes before that.
"""

from __future__ import annotations

from tandem.ops.routes.model import Route


def arm(route: Route) -> str:
    """Return the variable that tells the side of a client on ``route``: ``arm_10``."""
    return f"arm_{route.share if route.upstream == 'asgi' else 0}"


def below(share: int) -> str:
    """Return a regular expression for the groups ``00`` … below ``share`` (1 to 99)."""
    tens, units = divmod(share, 10)
    parts = []
    if tens:
        parts.append(f"[0-{tens - 1}][0-9]" if tens > 1 else "0[0-9]")
    if units:
        parts.append(f"{tens}[0-{units - 1}]" if units > 1 else f"{tens}0")
    return "|".join(parts)


def _map(share: int) -> str:
    default, other = ("asgi", "wsgi") if share == 100 else ("wsgi", "asgi")
    lines = [f'    "~^{other}:" {other};']
    if 0 < share < 100:
        lines.append(f'    "~^:({below(share)})$" asgi;')
    return "\n".join(
        [f"map $forced:$client_group $arm_{share} {{", *lines, f"    default {default};", "}\n"]
    )


def arms_conf(routes: list[Route]) -> str:
    """Return ``arms.conf``: a variable for each share that a route of mode http has.

    A client's group never changes, only the share does: whoever was with ASGI at 10
    is so at 50.
    """
    routes = [route for route in routes if route.two_sided]
    shares = sorted({int(arm(route).removeprefix("arm_")) for route in routes})
    canary = "on" if any(0 < share < 100 for share in shares) else ""
    return "".join([f'map $host $canary {{ default "{canary}"; }}\n', *map(_map, shares)])
