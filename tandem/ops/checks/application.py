"""The ASGI application, taken apart: what its WebSockets pass on their way."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver

from tandem.ops.checks.consumers import consumers_of, lacks_as_asgi, scope_reads
from tandem.ops.checks.finding import NOT_READY, Finding, Place, kind
from tandem.ops.checks.site import Site
from tandem.ops.checks.source import Source

ORIGIN = kind(
    "W014",
    "WebSockets without an Origin check",
    why="Any page on the internet may open a socket with your visitor's cookies: neither CSRF"
    " checks nor CORS see WebSockets.",
    cure="Wrap them in channels.security.websocket.AllowedHostsOriginValidator (or OriginValidator"
    " with your origins); nginx checks as well, but a site must not depend on its proxy.",
    cost="None; clients that are no browsers must send an Origin.",
)
VOID = kind(
    "W013",
    "ALLOWED_HOSTS = ['*'] voids the Origin check",
    why="AllowedHostsOriginValidator takes its list from it: every Origin passes, or none at all.",
    cure="Name the hosts, or use OriginValidator with a list of its own.",
    cost="None.",
)
UNREACHED = kind(
    "W019",
    "Consumers that no WebSocket reaches",
    why="The ASGI application passes no WebSocket on, so that every handshake fails with 500.",
    cure="ProtocolTypeRouter({'http': get_asgi_application(), 'websocket': …}) in asgi.py.",
    cost="None.",
)
PATH = kind(
    "I025",
    "WebSocket outside /ws/",
    why="The router sends /ws/ to ASGI by default; this address would reach a WSGI server, which"
    " cannot hold a socket.",
    cure="Add the prefix to deploy/routes.yml with upstream: asgi and mode: websocket (or mixed).",
    cost="None.",
)
UNROUTED = kind(
    "W028",
    "WebSocket on a path that nginx routes elsewhere",
    why="nginx takes WebSockets on the paths that are routed so, and refuses every handshake on"
    " another.",
    cure="Add its beginning to websocket_paths in tandem.yml, or to the routes (routes.yml) with"
    " upstream: asgi and mode: websocket (or mixed).",
    cost="None.",
)
BARE = kind(
    "W027",
    "Consumer without as_asgi()",
    why="Channels calls what is routed as an application; the class itself takes no such call, so"
    " every handshake fails.",
    cure="Write path('ws/…', Consumer.as_asgi()).",
    cost="None.",
    verdict=NOT_READY,
)
BROKEN = kind(
    "W026",
    "The ASGI application cannot be imported",
    why="No ASGI server can start it.",
    cure="Start it by hand (python -c 'import …') and mend what it says.",
    cost="None.",
)

# A converter in a route, or a sign of a pattern: what is before it is fixed.
OPEN = re.compile(r"[<(\[\\^$.?*+{|]")
WRAPPED = ("inner", "application")  # what Channels' middleware calls the one behind it
DEPTH = 16
HIDES = (str, bytes, int, float, type(None))


@dataclass
class Application:
    """What was seen inside: the classes passed, and the addresses of the sockets."""

    passed: list[Any] = field(default_factory=list)
    sockets: list[tuple[str, Any]] = field(default_factory=list)  # route, consumer
    handles_websocket: bool = False

    def passes(self, *words: str) -> bool:
        """Tell whether a class with one of ``words`` in its name is on the way."""
        names = [type(p).__name__ + getattr(p, "__qualname__", "") for p in self.passed]
        return any(word in name for name in names for word in words)


def inspect_application(application: Any) -> Application:
    """Return what WebSockets pass in ``application``."""
    seen = Application()
    _walk(application, seen, 0, set(), False)
    return seen


def _walk(thing: Any, seen: Application, depth: int, done: set[int], sockets: bool) -> None:
    if depth > DEPTH or id(thing) in done or isinstance(thing, HIDES):
        return
    done.add(id(thing))
    if sockets and lacks_as_asgi(thing):
        seen.sockets.append(("/", thing))
        return
    mapping = getattr(thing, "application_mapping", None)
    if isinstance(mapping, dict):
        if "websocket" in mapping:
            seen.handles_websocket = True
            seen.passed.append(thing)
            _walk(mapping["websocket"], seen, depth + 1, done, True)
        return
    seen.passed.append(thing)
    routes = getattr(thing, "routes", None)
    if isinstance(routes, list | tuple):
        seen.handles_websocket = True
        for route in routes:
            _route(route, "/", seen, depth, done)
        return
    for inner in _inner(thing):
        _walk(inner, seen, depth + 1, done, sockets)


def _route(route: Any, before: str, seen: Application, depth: int, done: set[int]) -> None:
    address = before + str(getattr(route, "pattern", "")).lstrip("^").replace("\\Z", "").rstrip("$")
    address = address.replace("//", "/")
    if isinstance(route, URLResolver):
        for inner in route.url_patterns:
            _route(inner, address, seen, depth, done)
    elif isinstance(route, URLPattern):
        inner_routes = getattr(route.callback, "routes", None)
        if isinstance(inner_routes, list | tuple):
            for inner in inner_routes:
                _route(inner, address, seen, depth, done)
        elif address != "/" or not _inner(route.callback):
            seen.sockets.append((address, route.callback))
        else:  # a catch-all that has an application of its own behind it
            _walk(route.callback, seen, depth + 1, done, True)


def _inner(thing: Any) -> list[Any]:
    """Return the applications that ``thing`` wraps: attributes, or a closure's variables."""
    if inspect.ismodule(thing) or isinstance(thing, type):
        return []
    if inspect.isfunction(thing):
        cells = [c.cell_contents for c in thing.__closure__ or () if _filled(c)]
        return [c for c in cells if callable(c) and not isinstance(c, type)]
    if inspect.ismethod(thing):
        return [thing.__self__]
    module = type(thing).__module__
    if module.startswith("django."):
        return []
    return [
        v
        for name, v in getattr(thing, "__dict__", {}).items()
        if callable(v) and (not isinstance(v, type) or (name in WRAPPED and lacks_as_asgi(v)))
    ]


def _filled(cell: Any) -> bool:
    try:
        return bool(cell.cell_contents is not None)
    except ValueError:
        return False


def sockets(site: Site) -> list[tuple[str, Any]]:
    """Return address and consumer of each WebSocket that the ASGI application routes."""
    module, name, _ = site.asgi
    application = getattr(module, name, None)
    return inspect_application(application).sockets if application else []


def check(site: Site) -> Iterator[Finding]:
    """Judge the site's ASGI application."""
    module, name, problem = site.asgi
    if problem:
        yield Finding(BROKEN, site.setting("ASGI_APPLICATION"), f"{problem}.")
    application = getattr(module, name, None) if module else None
    source = site.source(module.__name__) if module else None
    consumers = list(consumers_of(site))
    if application is None or source is None:
        if site.adopted and not problem:
            yield from _unreached(consumers, "tandem.yml names no application (asgi)")
        return
    seen = inspect_application(application)
    place = _place(source, name)
    by_hand = any("websocket" in s for s in _strings(source)) and not seen.handles_websocket
    served = seen.handles_websocket or by_hand or seen.passes("WebSocket")
    if not served:
        yield from _unreached(consumers, f"{source.module_name} serves HTTP only")
        return
    # Nobody changes an adopted site's code for what nginx checks.
    if not site.adopted and not seen.passes("Origin") and not _mentions(source, "origin"):
        yield Finding(ORIGIN, place, f"Nothing in {source.module_name} looks at it.")
    if seen.passes("OriginValidator") and not site.settings.DEBUG:
        for validator in seen.passed:
            allowed = getattr(validator, "allowed_origins", None) or ()
            if allowed == settings.ALLOWED_HOSTS:
                allowed = site.settings.ALLOWED_HOSTS
            if "*" in allowed:
                yield Finding(VOID, site.setting("ALLOWED_HOSTS"), "'*' is among them.")
    if not by_hand and not seen.passes("Auth", "Session", "Token", "User"):
        yield from scope_reads(consumers)
    for address, consumer in seen.sockets:
        if lacks_as_asgi(consumer):
            line = _named(site, consumer) or place
            yield Finding(
                BARE, line, f"{address} is {consumer.__module__}.{consumer.__qualname__}."
            )
        if site.socket_paths is None and not address.startswith("/ws/"):
            yield Finding(PATH, place, f"{address} is one.")
        yield from unrouted(site, address, place)


def unrouted(site: Site, address: str, place: Place | None) -> Iterator[Finding]:
    """Find that nginx does not take sockets where one is, by all that is known of its address."""
    if site.socket_paths is None:
        return
    prefix = (site.settings.FORCE_SCRIPT_NAME or "").rstrip("/")
    if not any(_below(address, path.removeprefix(prefix)) for path in site.socket_paths):
        paths = ", ".join(site.socket_paths) or "no path"
        yield Finding(UNROUTED, place, f"{address} is one, nginx takes them on {paths}.")


def _unreached(consumers: list[tuple[Source, ast.ClassDef]], because: str) -> Iterator[Finding]:
    for source, consumer in consumers[:1]:
        said = f"{consumer.name} is there, {because}."
        yield Finding(UNREACHED, source.place(consumer), said)


def _below(address: str, path: str) -> bool:
    """Tell whether a socket's address, which may be a pattern, may be below a path."""
    fixed = OPEN.split(address, maxsplit=1)[0]
    return fixed.startswith(path) or (fixed != address and path.startswith(fixed))


def _named(site: Site, consumer: type) -> Place | None:
    """Return the line of a route that has a consumer's class itself."""
    for source in site.sources:
        for node in source.nodes:
            if isinstance(node, ast.Call) and any(source.value(a) is consumer for a in node.args):
                return source.place(node)
    return None


def _place(source: Source, name: str) -> Place:
    """Return the line of the WebSockets in the module, or of the application's own name."""
    for node in source.nodes:
        if isinstance(node, ast.Constant) and node.value == "websocket":
            return source.place(node)
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return source.place(node)
    return Place(source.path)


def _mentions(source: Source, word: str) -> bool:
    """Tell whether the code names ``word``, comments and docstrings left out."""
    for node in source.nodes:
        said = getattr(node, "id", getattr(node, "attr", getattr(node, "name", None)))
        if isinstance(node, ast.Constant) and not isinstance(source.parents.get(node), ast.Expr):
            said = (
                node.value.decode(errors="ignore") if isinstance(node.value, bytes) else node.value
            )
        if isinstance(said, str) and word in said.lower():
            return True
    return False


def _strings(source: Source) -> list[str]:
    return [
        n.value for n in source.nodes
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and len(n.value) < 20
    ]  # fmt: skip
