"""Which route serves a path, as nginx finds it: the longest prefix, wherever it stands."""

from __future__ import annotations

from tandem.ops.routes.model import Route


def match(routes: list[Route], path: str) -> Route:
    """Return the route of ``path``.  Raises ``LookupError`` where none is (no ``/``)."""
    found = [route for route in routes if path.startswith(route.path)]
    if not found:
        raise LookupError(f"no route for {path}")
    return max(found, key=lambda route: len(route.path))
