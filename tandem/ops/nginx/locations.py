"""``routes.conf``: a location for each route."""

from __future__ import annotations

from dataclasses import replace

from tandem.facts import SNIPPETS
from tandem.ops.nginx.canary import arm
from tandem.ops.routes.match import match
from tandem.ops.routes.model import Route

HEALTH = ("/health/live/", "/health/ready/")


def _body(route: Route) -> list[str]:
    lines = [f"set $route {route.path};"]
    if not route.two_sided:
        lines += [f"include {SNIPPETS}/{route.mode}.conf;", f"proxy_pass http://{route.upstream};"]
        return lines
    if route.share < 100:
        lines.append(f"set $share {route.share};")
    lines.append(f"set $chosen ${arm(route)};")
    if route.mirror:
        lines.append(f"set $mirror {'all' if route.mirror == 'all' else 'safe'};")
    lines.append(f"include {SNIPPETS}/http.conf;")
    if route.mirror:
        lines.append(f"include {SNIPPETS}/mirror.conf;")
    if route.falls_back:
        lines.append(f"include {SNIPPETS}/fallback.conf;")
    return [*lines, "proxy_pass http://$chosen;"]


def _location(name: str, route: Route) -> str:
    return "".join([f"location {name} {{\n", *(f"    {x}\n" for x in _body(route)), "}\n"])


def routes_conf(routes: list[Route]) -> str:
    """Return ``routes.conf``.

    nginx answers ``/a`` with a redirect wherever a proxied location ``/a/`` is all there
    is.  Where a path ends must not change what its neighbours do, so ``/a`` gets a location
    of its own: that of the route which has it.
    """
    paths = {route.path for route in routes}
    blocks = []
    for route in sorted(routes, key=lambda route: route.path):
        bare = route.path.rstrip("/")
        if bare and bare != route.path and bare not in paths:
            around = match([other for other in routes if other is not route], bare)
            blocks.append(_location(f"= {bare}", around))
        blocks.append(_location(route.path, route))
    return "\n".join(blocks)


def health_conf(routes: list[Route]) -> str:
    """Return ``health-routes.conf``: the site's own health, for who asks by a bare address."""
    blocks = []
    for path in HEALTH:
        route = replace(match(routes, path), mirror=False, fallback=False)
        blocks.append(_location(f"= {path}", route))
    return "\n".join(blocks)
