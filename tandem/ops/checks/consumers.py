"""Consumers: their groups, and what they expect in their scope."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from tandem.ops.checks.finding import Finding, Place, kind
from tandem.ops.checks.site import Site
from tandem.ops.checks.source import Source

LEFT = kind(
    "W015",
    "group_add without group_discard",
    why="The group keeps the channel of a socket that is gone: messages are still made for it, and"
    " group_send grows slower with each visitor who has left.",
    cure="await self.channel_layer.group_discard(group, self.channel_name) in disconnect(), or the"
    " consumer's attribute groups = [...], which does both.",
    cost="None.",
)
NO_AUTH = kind(
    "W020",
    "A consumer reads scope['user'] or scope['session'] that nothing puts there",
    why="Django's MIDDLEWARE does not see WebSockets: without AuthMiddlewareStack it is a"
    " KeyError at the first connection.",
    cure="Wrap the router in channels.auth.AuthMiddlewareStack.",
    cost="One session and one user query per connection.",
)


def check(site: Site) -> Iterator[Finding]:
    """Find consumers that join groups and never leave them."""
    for source in site.sources:
        for node in source.nodes:
            if not isinstance(node, ast.ClassDef) or not is_consumer(source, node):
                continue
            joins = [n for n in ast.walk(node) if _calls(n, "group_add")]
            if joins and not _leaves(source, node):
                yield Finding(LEFT, source.place(joins[0]), f"{node.name} joins and never leaves.")


def _calls(node: ast.AST, name: str) -> bool:
    """Tell whether ``node`` names a method: called, or handed to ``async_to_sync``."""
    return isinstance(node, ast.Attribute) and node.attr == name


def _leaves(source: Source, consumer: ast.ClassDef) -> bool:
    if any(_calls(n, "group_discard") for n in ast.walk(consumer)):
        return True
    # What it joins may be left by a base class, or by a function of the same file.
    runs: Any = source.value(ast.Name(consumer.name))
    bases = getattr(runs, "__mro__", ())[1:]
    for base in bases:
        method = vars(base).get("disconnect") or vars(base).get("websocket_disconnect")
        code = getattr(method, "__code__", None)
        names = set(getattr(code, "co_names", ()))
        if "group_discard" in names and not base.__module__.startswith("channels."):
            return True
    outside = [n for n in source.tree.body if n is not consumer and not isinstance(n, ast.ClassDef)]
    return any(_calls(n, "group_discard") for statement in outside for n in ast.walk(statement))


def consumers_of(site: Site) -> Iterator[tuple[Source, ast.ClassDef]]:
    """Give the site's classes of WebSocket consumers."""
    for source in site.sources:
        for node in source.nodes:
            if isinstance(node, ast.ClassDef) and is_consumer(source, node):
                yield source, node


def is_consumer(source: Source, node: ast.ClassDef) -> bool:
    """Tell whether a class derives from one of Channels' consumers."""
    for base in node.bases:
        name = source.dotted(base)
        if name.startswith("channels.") and name.endswith("Consumer"):
            return True
        bases = getattr(source.value(base), "__mro__", ())
        if {b.__name__ for b in bases} & {"AsyncConsumer", "SyncConsumer"}:
            return True
    return False


def lacks_as_asgi(callback: Any) -> bool:
    """Tell whether a route has a consumer's class, where it must have what ``as_asgi()`` makes.

    Channels 2 had no such method, and took the class.
    """
    return isinstance(callback, type) and hasattr(callback, "as_asgi")


def scope_reads(consumers: list[tuple[Source, ast.ClassDef]]) -> Iterator[Finding]:
    """Find consumers that rely on a user or session; asked where nothing provides them."""
    for source, consumer in consumers:
        for node in ast.walk(consumer):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Load)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "scope"
                and isinstance(node.slice, ast.Constant)
                and node.slice.value in ("user", "session")
            ):
                said = f"{consumer.name} reads {ast.unparse(node)}."
                yield Finding(NO_AUTH, Place(source.path, node.lineno), said)
                break
