"""Write the few nginx files that differ from place to place.

Everything else in ``deploy/nginx`` is static.  Usage::

    python -m tandem.ops.nginx.generate routes.yml /etc/tandem/nginx

with the settings of ``.env`` in the environment.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tandem.facts import KINDS, SNIPPETS
from tandem.ops.nginx.canary import arms_conf
from tandem.ops.nginx.locations import health_conf, routes_conf
from tandem.ops.nginx.proxies import listen_http, listen_https, proxies_conf
from tandem.ops.nginx.server import server_conf, server_name, socket_limits
from tandem.ops.nginx.sizes import sizes_conf
from tandem.ops.nginx.upstreams import instances, names, unserved, upstreams
from tandem.ops.routes.model import Route, RoutesError, load

# What each generated file begins with.
GENERATED = "# Generated from .env or the inventory, and deploy/routes.yml; edit those instead.\n"
STATIC = f"include {SNIPPETS}/static.conf;\n"


def render(settings: Mapping[str, str], routes: list[Route]) -> dict[str, str]:
    """Return every generated file as ``{name: text}``.

    Raises ``KeyError`` for a missing setting, ``ValueError`` for a bad name or number.
    """
    name = server_name(settings)
    addresses = {upstream: instances(settings, upstream) for upstream in KINDS}
    if problem := unserved(routes, addresses):
        raise ValueError(problem)
    if not addresses["wsgi"]:  # all-ASGI: nobody is there to fall back on
        routes = [replace(route, fallback=False) for route in routes]
    files = {
        "upstreams.conf": upstreams(addresses),
        "upstream-names.conf": names(addresses),
        "arms.conf": arms_conf(routes),
        "routes.conf": routes_conf(routes),
        "health-routes.conf": health_conf(routes),
        # A site that serves its own (deploy/site.env) gets them as any other path.
        "static.conf": STATIC if settings.get("SITE_STATIC", "on") == "on" else "",
        "server.conf": server_conf(settings),
        "server-name.conf": name,
        "sizes.conf": sizes_conf(),
        "proxies.conf": proxies_conf(settings),
        "socket-limits.conf": socket_limits(settings),
        "listen-http-default.conf": listen_http(settings, " default_server"),
        "listen-http.conf": listen_http(settings),
        "listen-https-default.conf": listen_https(settings, " default_server"),
        "listen-https.conf": listen_https(settings),
    }
    # /health/edge/ tells it: whoever applies a change can see that it is in force.
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:12]
    files["server.conf"] += f'map $host $edge_config {{ default "{digest}"; }}\n'
    return files


def edge_config(files: Mapping[str, str]) -> str:
    """Return what /health/edge/ tells when ``files`` are in force."""
    found = re.search(r'\$edge_config { default "(\w+)"; }', files["server.conf"])
    if found is None:
        raise ValueError("server.conf does not tell which configuration it is")
    return found[1]


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write ``files`` into ``folder``, each by rename, and make ``routes.d`` for the user's own."""
    (folder / "routes.d").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        fresh = folder / f".{name}"
        fresh.write_text(GENERATED + text)
        fresh.rename(folder / name)


def main() -> None:
    """Render from the environment."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tandem.ops.nginx.generate ROUTES FOLDER")
    try:
        write(render(os.environ, load(Path(sys.argv[1]))), Path(sys.argv[2]))
    except KeyError as error:
        sys.exit(f"tandem: the setting {error.args[0]} is missing; .env documents it.")
    except (RoutesError, ValueError) as error:
        sys.exit(f"tandem: {error}.")


if __name__ == "__main__":
    main()
