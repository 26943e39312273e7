"""What is allowed in ``routes.yml`` but hardly meant: warnings, each with file and line."""

from __future__ import annotations

from collections.abc import Iterator

from tandem.ops.routes.match import match
from tandem.ops.routes.model import OWNED, Route


def warnings(routes: list[Route], file: str) -> list[str]:
    """Return a sentence for each route that is probably not what was wanted."""
    return [
        f"{file}:{route.line}: {what}"
        for route in routes
        for what in _about(route, [other for other in routes if other is not route])
    ]


def _about(route: Route, others: list[Route]) -> Iterator[str]:
    path = route.path
    if path == "/":
        return
    around = match(others, path)
    if _treatment(route) == _treatment(around):
        yield f"{path} changes nothing: {around.path} (line {around.line}) says the same"
    if not path.endswith("/"):
        twin = next((other for other in others if other.path == f"{path}/"), None)
        rest = f"; below {path}/ the route of line {twin.line} wins" if twin else ""
        yield f"{path} is a prefix, so {path}x goes there too{rest}; end it with /"
    for owned in OWNED:
        if path.startswith(owned):
            yield f"{path} takes these addresses away from {owned}, which nginx serves itself"
        elif owned.startswith(path) and owned.startswith("/health/"):
            yield f"{path} gets /health/live/ and /health/ready/, by which the site is watched"
            return
        elif owned.startswith(path):
            yield f"{path} does not get {owned}: nginx serves that itself"


def _treatment(route: Route) -> tuple[object, ...]:
    return route.upstream, route.mode, route.share, route.mirror, route.falls_back
