"""What a request loads only when it is looked at: its user and its session."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from django.views import View

from tandem.ops.checks.eventloop import own_nodes
from tandem.ops.checks.finding import NOT_READY, Finding, kind
from tandem.ops.checks.site import Site
from tandem.ops.checks.source import Source

LAZY = kind(
    "W036",
    "Lazy request.user or request.session in async code",
    why="The first look asks the database, on the event loop: SynchronousOnlyOperation.",
    cure="user = await request.auser(); await request.session.aget(…), aset(…).",
    cost="None.",
    verdict=NOT_READY,
)
WSGI_ONLY = kind(
    "W053",
    "What only a WSGI server provides",
    why="request.environ, META['wsgi.…'] and the uwsgi module do not exist under ASGI, and what the"
    " server did beside (timers, caches, time-outs) stops unsaid.",
    cure="Use Django's own (request.META, request.headers, request.body); move timers to a"
    " service.",
    cost="None; a timer needs a unit of its own.",
    verdict=NOT_READY,
)
UWSGI = ("uwsgi", "uwsgidecorators", "mod_wsgi")
SESSION_METHODS = {"get", "pop", "setdefault", "update", "keys", "values", "items", "flush",
                   "cycle_key", "has_key", "set_expiry", "create", "save"}  # fmt: skip


def check(site: Site) -> Iterator[Finding]:
    """Find looks at lazy attributes on the event loop, and at what ASGI requests lack."""
    for source in site.sources:
        for node in source.nodes:
            if isinstance(node, ast.AsyncFunctionDef) and (name := _request(source, node)):
                yield from _lazy(source, node, name)
            if said := _wsgi(source, node):
                yield Finding(WSGI_ONLY, source.place(node), said)


def _request(source: Source, function: ast.AsyncFunctionDef) -> str:
    """Return the name of ``function``'s request, if it is Django's own."""
    names = [a.arg for a in [*function.args.posonlyargs, *function.args.args]][:2]
    if "request" not in names:
        return ""
    owner = source.class_of(function)
    if owner is not None and source.function_of(function) is None:
        runs = source.value(ast.Name(owner.name)) if owner in source.tree.body else None
        # Other frameworks' requests (DRF's, for one) have loaded their user already.
        names = [getattr(n, "name", "") for n in owner.body]
        is_middleware = "__call__" in names or "__acall__" in names
        if not (isinstance(runs, type) and issubclass(runs, View)) and not is_middleware:
            return ""
        if any("rest_framework" in base.__module__ for base in getattr(runs, "__mro__", ())):
            return ""
    if any("rest_framework" in source.dotted(_bare(d)) or "adrf" in source.dotted(_bare(d))
           for d in function.decorator_list):  # fmt: skip
        return ""
    return "request"


def _bare(decorator: ast.AST) -> ast.AST:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _lazy(source: Source, function: ast.AsyncFunctionDef, request: str) -> Iterator[Finding]:
    nodes = list(own_nodes(function))
    loaded = {n.attr for n in nodes if isinstance(n, ast.Attribute)} & {"auser"}
    users = {
        n.targets[0].id
        for n in nodes
        if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
        and _is(n.value, request, "user")
    }  # fmt: skip
    stored = {
        n.attr for n in nodes
        if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) and _of(n, request)
    }  # fmt: skip
    for node in nodes:
        said = ""
        match node:
            case ast.Attribute(value=value, ctx=ast.Load()) if (
                _is(value, request, "user") and "user" not in stored
            ) or (isinstance(value, ast.Name) and value.id in users):
                said = f"{ast.unparse(node)} loads the user."
            case ast.UnaryOp(op=ast.Not(), operand=value) | ast.If(test=value) if _is(
                value, request, "user"
            ):
                said = "request.user as a condition loads the user."
            case ast.Subscript(value=value) if _is(value, request, "session") and not loaded:
                said = f"{ast.unparse(node)} loads the session."
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if (
                _is(value, request, "session") and name in SESSION_METHODS and not loaded
            ):
                said = f"{ast.unparse(node.func)}() loads the session."
        # A decorator that asks for the user has loaded the session by then.
        if said and not ("session" in said and function.decorator_list):
            yield Finding(LAZY, source.place(node), said)


def _of(node: ast.AST, request: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == request
    )


def _is(node: ast.AST, request: str, attribute: str) -> bool:
    return _of(node, request) and isinstance(node, ast.Attribute) and node.attr == attribute


def _wsgi(source: Source, node: ast.AST) -> str:
    match node:
        case ast.Attribute(
            value=ast.Name(id="request") | ast.Attribute(attr="request"), attr="environ"
        ):
            if not _guarded(source, node):
                return f"{ast.unparse(node)} exists on WSGI requests only."
        case ast.Subscript(
            value=ast.Attribute(attr="META"), slice=ast.Constant(value=str(key)), ctx=ast.Load()
        ):
            if key.startswith(("wsgi.", "uwsgi.", "mod_wsgi.", "gunicorn.")):
                return f"META[{key!r}] exists under a WSGI server only."
        case ast.Import(names=names) if not _guarded(source, node):
            for alias in names:
                if alias.name in UWSGI:
                    return f"{alias.name} exists under its server only."
        case ast.ImportFrom(module=str(module), level=0) if module in UWSGI:
            if not _guarded(source, node):
                return f"{module} exists under its server only."
    return ""


def _guarded(source: Source, node: ast.AST) -> bool:
    """Tell whether the code is ready for its absence: ``try`` or ``hasattr`` around it."""
    while (node := source.parents.get(node)) is not None:  # type: ignore[assignment]
        if isinstance(node, ast.Try):
            return True
        if isinstance(node, ast.If | ast.IfExp) and "hasattr" in ast.unparse(node.test):
            return True
    return False
