"""Read and judge ``routes.yml``.  ``schema.json`` beside this says the same to editors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from tandem.facts import KINDS, SIDES
from tandem.ops.bounded.documents import DocumentError, plain, yaml_node
from tandem.ops.bounded.files import read_text

# Plain requests; WebSockets alone; both; Server-Sent Events.
MODES = ("http", "websocket", "mixed", "sse")
PATH = re.compile(r"/[A-Za-z0-9._~/-]*")  # nothing that nginx's syntax could take for its own
# nginx looks for a location by the path without these, so a route with them is never found.
UNREACHABLE = re.compile(r"//|/\.\.?(?:/|$)")
# The locations of deploy/nginx/snippets: a second one of the same path is an error of nginx.
OWNED = (
    "/static/", "/media/", "/errors/", "/tandem-shadow",
    "/health/edge/", *(f"/health/{kind}/" for kind in KINDS),
    "/.well-known/acme-challenge/",
)  # fmt: skip


class RoutesError(Exception):
    """``routes.yml`` is wrong; the message names file, line and cure."""


@dataclass(frozen=True)
class Route:
    """One path prefix and where it is served."""

    path: str
    upstream: str
    mode: str = "http"
    # Percent of the clients that ``upstream`` gets; the others stay with wsgi.
    share: int = 100
    # Copies for the other upstream: of requests that change nothing, or of "all".
    mirror: bool | str = False
    # GET and HEAD that asgi answers with 502, 503 or 504 are asked again of wsgi.
    fallback: bool = True
    line: int = field(default=0, compare=False)

    @property
    def two_sided(self) -> bool:
        """Whether wsgi and asgi can both serve it."""
        return self.mode == "http" and self.upstream in SIDES

    @property
    def falls_back(self) -> bool:
        """Whether wsgi answers where asgi does not."""
        return self.fallback and self.mode == "http" and self.upstream == "asgi"


KEYS = tuple(f.name for f in fields(Route) if f.name != "line")


def load(file: Path) -> list[Route]:
    """Return the routes of ``file``, in its order.

    Raises ``RoutesError`` for a file that cannot be read and for what ``parse`` refuses.
    """
    return parse(read(file), str(file))


def read(file: Path) -> str:
    """Return the text of ``file``.  Raises ``RoutesError`` where it cannot be read."""
    try:
        return read_text(file, file.parent)
    except OSError as error:
        raise RoutesError(f"{file}: {error.strerror}") from None


def parse(text: str, file: str) -> list[Route]:
    """Return the routes of ``text``, which is called ``file`` in messages.

    Raises ``RoutesError`` for a text that is not a list of mappings, has an unknown key or
    value, names a path twice, or has no route for ``/``.
    """
    try:
        document = yaml_node(text)
    except DocumentError as error:
        raise RoutesError(f"{file}:{error.line}: {error}") from None
    if not isinstance(document, yaml.SequenceNode):
        raise RoutesError(f"{file}:1: must be a list of routes, each beginning with '- path: /…'")
    routes: list[Route] = []
    for node in document.value:
        route = _route(node, file)
        if other := next((other for other in routes if other.path == route.path), None):
            raise RoutesError(
                f"{file}:{route.line}: the path {route.path} has a route already,"
                f" in line {other.line}; keep one"
            )
        routes.append(route)
    if not any(route.path == "/" for route in routes):
        raise RoutesError(f"{file}: no route for '/'; add one so that every path is served")
    return routes


def _route(node: yaml.Node, file: str) -> Route:
    line = node.start_mark.line + 1
    try:
        entry = plain(node)
    except DocumentError as error:
        raise RoutesError(f"{file}:{line}: {error}") from None
    if not isinstance(node, yaml.MappingNode) or not isinstance(entry, dict):
        raise RoutesError(f"{file}:{line}: a route is a mapping with path and upstream")
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            at = key.start_mark.line + 1
            raise RoutesError(f"{file}:{at}: the key {key.value!r} is there twice; keep one")
        seen.add(str(key.value))
    if wrong := complaint(entry):
        key, what = wrong
        raise RoutesError(f"{file}:{lines.get(key, line)}: {what}")
    return Route(**entry, line=line)


def complaint(entry: Mapping[Any, Any]) -> tuple[str, str] | None:
    """Return what is wrong with a route, ``(its key, a sentence)``, or nothing."""
    for key in entry:
        if key not in KEYS:
            return key, f"unknown key {key!r}; known are {', '.join(KEYS)}"
    for key in ("path", "upstream"):
        if key not in entry:
            return "", f"the route has no {key}; add one"
    path, upstream, mode = entry["path"], entry["upstream"], entry.get("mode", "http")
    if not isinstance(path, str) or not PATH.fullmatch(path):
        return "path", f"path must begin with '/' and be plain, got {path!r}"
    if UNREACHABLE.search(path):
        return "path", f"nginx takes '//', '/.' and '/..' out of a path before it looks: {path!r}"
    if path in OWNED:
        return "path", f"nginx serves {path} itself; choose another path"
    if not isinstance(upstream, str) or upstream not in KINDS:
        return "upstream", f"upstream must be {' or '.join(KINDS)}, got {upstream!r}"
    if not isinstance(mode, str) or mode not in MODES:
        return "mode", f"mode must be {' or '.join(MODES)}, got {mode!r}"
    if mode in ("websocket", "mixed") and upstream == "wsgi":
        return "", "a WSGI server cannot hold WebSockets; use upstream: asgi"
    if mode == "sse" and upstream == "wsgi":
        return "", "each event stream would hold a thread of Gunicorn; use upstream: asgi"
    if mode != "websocket" and upstream == "notify":
        return "", "notify serves WebSockets only; add mode: websocket"
    return _sides(entry, upstream, mode)


def _sides(entry: Mapping[Any, Any], upstream: str, mode: str) -> tuple[str, str] | None:
    """Judge what only makes sense where there are two sides."""
    share, mirror = entry.get("share", 100), entry.get("mirror", False)
    if isinstance(share, bool) or not isinstance(share, int) or not 0 <= share <= 100:
        return "share", f"share must be a whole number of percent, 0 to 100, got {share!r}"
    if not isinstance(mirror, bool) and mirror != "all":
        return "mirror", f"mirror must be true, false or all, got {mirror!r}"
    if not isinstance(entry.get("fallback", True), bool):
        return "fallback", f"fallback must be true or false, got {entry['fallback']!r}"
    for key in ("share", "fallback"):
        if key in entry and (upstream, mode) != ("asgi", "http"):
            return key, f"{key} is for routes of mode http to asgi; take it out"
    if mirror and mode != "http":
        return "mirror", "only routes of mode http can be mirrored; take it out"
    return None
