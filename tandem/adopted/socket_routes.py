"""Under which paths an ASGI application takes WebSockets, found in the application itself."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from typing import Any

Part = tuple[str, bool]  # a pattern, and whether it is a regular expression
Route = tuple[Part, ...]
MOST, DEEPEST = 2000, 12


def socket_routes(application: Any) -> list[Route]:
    """Return the routes of sockets, each as the patterns on the way to it."""
    found: list[Route] = []
    queue, seen = deque([application]), set[int]()
    while queue and len(seen) < MOST:
        thing = queue.popleft()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        mapping = getattr(thing, "application_mapping", None)
        routes = getattr(thing, "routes", None)
        if isinstance(mapping, dict):  # of Channels' ProtocolTypeRouter
            queue.extend(one for kind, one in mapping.items() if kind != "http")
        elif isinstance(routes, list | tuple):
            found += _routes(routes, ())
        else:
            queue.extend(_within(thing))
    return found[:MOST]


def _within(thing: Any) -> Iterator[Any]:
    """Give what an application may hold another in: attributes, arguments, a closure."""
    if isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args)
    for cell in getattr(thing, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    kind = type(thing).__module__.partition(".")[0]
    if kind not in ("django", "builtins", "asyncio", "threading"):
        held = [one for one in getattr(thing, "__dict__", {}).values() if one is not thing]
        yield from (one for one in held if callable(one) or isinstance(one, dict))
    if isinstance(thing, dict) and len(thing) < DEEPEST:
        yield from (one for key, one in thing.items() if key != "http" and callable(one))


def _routes(routes: Any, before: Route) -> Iterator[Route]:
    for route in routes if len(before) < DEEPEST else ():
        inner = getattr(route, "callback", None) or getattr(route, "app", None) or route
        deeper = getattr(inner, "routes", None) or getattr(route, "url_patterns", None)
        pattern = getattr(route, "pattern", None)
        if hasattr(route, "path"):  # Starlette's
            here: Route = (*before, (str(route.path).replace("{", "<"), False))
            if not deeper and "WebSocket" not in type(route).__name__:
                continue
        elif pattern is not None:
            here = (*before, part(pattern))
        else:
            continue
        if isinstance(deeper, list | tuple):
            yield from _routes(deeper, here)
        else:
            yield here


def part(pattern: Any) -> Part:
    """Return the text of a pattern of Django's, and whether it is a regular expression."""
    regex = getattr(pattern, "_regex", None)
    return (str(regex), True) if regex is not None else (str(getattr(pattern, "_route", "")), False)
