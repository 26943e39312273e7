"""Whose routes are meant: those of this checkout's site, or of the one that ``SITE`` names."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tandem.ops.adopt.model import Site, SiteError, load
from tandem.ops.bounded.files import write_text
from tandem.ops.routes.model import parse, read

OWN = Path("deploy/routes.yml")
SITES = "routes.yml"  # beside tandem.yml


def beginning(site: Site) -> str:
    """Return the routes that an adopted site begins with: all to WSGI, sockets to ASGI."""
    entries = ["- path: /\n  upstream: wsgi\n"]
    entries += [
        f"- path: {path}\n  upstream: asgi\n  mode: websocket\n" for path in site.websocket_paths
    ]
    return "\n".join(entries)


def adopted() -> tuple[Site, Path] | None:
    """Return the site that ``SITE`` names, and its tandem.yml; ``None`` for this checkout's own.

    ``SITE`` is a folder with a ``tandem.yml``, or that file, as for ``make up``.  Ends with a
    sentence where there is no site.
    """
    place = os.environ.get("SITE", "")
    if not place:
        return None
    file = Path(place) / "tandem.yml" if Path(place).is_dir() else Path(place)
    try:
        return load(file, files=True), file
    except SiteError as error:
        sys.exit(f"tandem: {error}.")
    except OSError as error:
        sys.exit(f"tandem: {file}: {error.strerror}; 'tandem adopt' writes it.")


def socket_paths(root: Path) -> list[str]:
    """Return the paths on which nginx takes WebSockets, by the routes of the site.

    ``root`` is the checkout.  Raises ``RoutesError``.
    """
    found = adopted()
    file = found[1].parent / SITES if found else root / OWN
    text = beginning(found[0]) if found and not file.exists() else read(file)
    return [r.path for r in parse(text, str(file)) if r.mode in ("websocket", "mixed")]


def mean() -> tuple[Site, Path] | None:
    """Have docker's commands mean the replica of that site, which is returned as by ``adopted``."""
    if found := adopted():
        # As tandem.ops.checkout.site has it for the other commands.
        os.environ.setdefault("COMPOSE_PROJECT_NAME", f"tandem-{found[0].name}")
        os.environ.setdefault("NOTIFY_INSTANCES", "0")
    return found


def enter() -> Path:
    """Return the routes' file, and have docker's commands mean the replica of that site.

    The routes of a site that has none yet are written beside it.
    """
    if (found := mean()) is None:
        return OWN
    site, file = found
    routes = file.parent / SITES
    if not os.path.lexists(routes):
        write_text(routes, beginning(site))
        sys.stderr.write(f"tandem: {routes} is new; it says what is in force.\n")
    return routes
