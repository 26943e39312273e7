"""The paths of a URLconf that hold nothing variable, and those of sockets among its pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tandem.adopted.socket_routes import DEEPEST, Route, part
from tandem.websocket.routing import WebSocketRoute

MOST = 3000


def paths(patterns: Any, before: Route = ()) -> Iterator[tuple[Route, bool]]:
    """Give each route as the patterns on the way to it, and whether it is a socket's."""
    for one in patterns if len(before) < DEEPEST else ():
        here = (*before, part(one.pattern))
        if hasattr(one, "url_patterns"):
            yield from paths(one.url_patterns, here)
        else:
            yield here, isinstance(one.callback, WebSocketRoute)
