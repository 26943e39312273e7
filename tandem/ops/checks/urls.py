"""Every address of the site, from its URL resolver."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from tandem.ops.checks.application import unrouted
from tandem.ops.checks.consumers import lacks_as_asgi
from tandem.ops.checks.finding import NOT_READY, Finding, Place, kind
from tandem.ops.checks.site import Site
from tandem.ops.checks.views import View, view_of
from tandem.websocket.routing import WebSocketRoute

SOCKET = kind(
    "W016",
    "WebSocket consumer in the URLconf",
    why="Django's URLconf serves HTTP requests: a WSGI server cannot hold a socket, and Django"
    " calls the consumer as if it were a view, which fails.",
    cure="Put it into the URLRouter of asgi.py (or use tandem.websocket.websocket() in the"
    " URLconf).",
    cost="None.",
    verdict=NOT_READY,
)


@dataclass(frozen=True)
class Address:
    """One URL pattern."""

    route: str
    name: str
    view: View
    urlconf: bool = True  # else the ASGI application routes it

    @property
    def websocket(self) -> bool:
        """Whether it is a WebSocket's: of Channels, of tandem.websocket, or plain ASGI."""
        callback = self.view.callback
        return is_socket(callback) or isinstance(callback, WebSocketRoute) or _takes_scope(callback)


def addresses(site: Site) -> list[Address]:
    """Return all URL patterns, in the resolver's order.  Raises what the URLconf raises."""
    return list(_walk(get_resolver().url_patterns, "/", "", site))


def _walk(patterns: Any, before: str, space: str, site: Site) -> Iterator[Address]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from _walk(pattern.url_patterns, route, inner, site)
        elif isinstance(pattern, URLPattern):
            name = f"{space}{pattern.name}" if pattern.name else ""
            yield Address(route, name, view_of(pattern.callback, site))


def is_socket(callback: Any) -> bool:
    """Tell whether ``callback`` is a consumer: its ``as_asgi()``, or wrongly the class itself."""
    made = isinstance(getattr(callback, "consumer_class", None), type)
    return made or lacks_as_asgi(callback)


def _takes_scope(callback: Any) -> bool:
    code = getattr(callback, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    return names == ("scope", "receive", "send")


def check(site: Site, found: list[Address]) -> Iterator[Finding]:
    """Find consumers among the URLconf's views, and sockets that nginx does not let through."""
    lines = _as_asgi_lines(site)
    for address in found:
        if is_socket(address.view.callback):
            consumer = address.view.target
            place = lines.get(consumer.__name__) or address.view.place
            yield Finding(SOCKET, place, misplaced(address))
        elif isinstance(address.view.callback, WebSocketRoute):
            yield from unrouted(site, address.route, address.view.place)


def misplaced(address: Address) -> str:
    """Return what is said of a consumer at an address of the URLconf."""
    return f"{address.route} is {address.view.name}."


def _as_asgi_lines(site: Site) -> dict[str, Place]:
    """Return where a URLconf names each consumer; routers' own lists of routes left out."""
    found: dict[str, Place] = {}
    for source in site.sources:
        if source.module is None or not isinstance(
            getattr(source.module, "urlpatterns", None), list
        ):
            continue
        for node in source.nodes:
            if isinstance(node, ast.Attribute) and node.attr == "as_asgi":
                owner = node.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                found.setdefault(name, source.place(node))
    return found
