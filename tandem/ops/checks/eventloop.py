"""Which code of a file runs on the event loop: where blocking stops everybody."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tandem.ops.checks.finding import Place
from tandem.ops.checks.source import Function, Source

# Calls of undecorated helpers are followed so far.
DEPTH = 3
HARMLESS_DECORATORS = {"staticmethod", "classmethod", "functools.wraps"}
# What is defined, not run.
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


@dataclass(frozen=True)
class Running:
    """A node of ``source`` that runs on the event loop, in ``function``, by ``callers``' calls."""

    source: Source
    node: ast.AST
    function: Function
    callers: tuple[Place, ...] = ()


def running(sources: Iterable[Source]) -> Iterator[Running]:
    """Give every node that runs on the event loop; one that several call, once for each.

    That is the bodies of ``async def`` without the functions and lambdas defined in them, and
    of the site's plain functions that they call directly.  What is only handed over, as to
    ``sync_to_async(function)``, is not called here.
    """
    modules = {source.module_name: source for source in sources}
    for source in sources:
        for function in source.nodes:
            if isinstance(function, ast.AsyncFunctionDef):
                yield from _body(source, function, (), {function}, modules)


def _body(
    source: Source,
    function: Function,
    callers: tuple[Place, ...],
    seen: set[ast.AST],
    modules: dict[str, Source],
) -> Iterator[Running]:
    for node in own_nodes(function):
        yield Running(source, node, function, callers)
        if not isinstance(node, ast.Call) or len(callers) == DEPTH:
            continue
        home, helper = source, _near(source, function, node)
        if helper is None:
            home, helper = _far(source, node, modules)
        if helper is not None and helper not in seen and _plain(home, helper):
            seen.add(helper)
            yield from _body(home, helper, (*callers, source.place(node)), seen, modules)


def own_nodes(function: Function) -> Iterator[ast.AST]:
    """Give the nodes that run when ``function`` does, in the order of the text."""
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Scope):
            continue
        if isinstance(node, ast.If) and _typing(node.test):
            continue
        stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _typing(test: ast.AST) -> bool:
    return "TYPE_CHECKING" in ast.dump(test)


def _near(source: Source, function: Function, call: ast.Call) -> Function | None:
    """Return the function of this file that ``call`` runs, if that is evident."""
    name = call.func
    if isinstance(name, ast.Name):
        inner = [n for n in function.body if isinstance(n, Function) and n.name == name.id]
        if name.id in source.locals(name) and not inner:
            return None
        candidates, wanted = [*source.tree.body, *function.body], name.id
    elif (
        isinstance(name, ast.Attribute)
        and isinstance(name.value, ast.Name)
        and name.value.id in ("self", "cls")
        and (owner := source.class_of(function))
    ):
        candidates, wanted = list(owner.body), name.attr
    else:
        return None
    found = [n for n in candidates if isinstance(n, Function) and n.name == wanted]
    return found[0] if len(found) == 1 else None


def _far(
    source: Source, call: ast.Call, modules: dict[str, Source]
) -> tuple[Source, Function | None]:
    """Return the function of another file that ``call`` runs, as it is when the site runs."""
    value = source.value(call.func)
    if not inspect.isfunction(value) or hasattr(value, "__wrapped__"):
        return source, None
    home = modules.get(value.__module__)
    if home is None or home is source:
        return source, None
    found = [
        n for n in home.nodes
        if isinstance(n, Function) and n.name == value.__name__
        and n.lineno >= value.__code__.co_firstlineno
        and not home.function_of(n)
    ]  # fmt: skip
    return home, found[0] if len(found) == 1 else None


def _plain(source: Source, function: Function) -> bool:
    """Tell whether a call of ``function`` runs its body there and then."""
    if not isinstance(function, ast.FunctionDef):
        return False
    # A generator runs later; what is kept in a global was perhaps asked before.
    later = ast.Yield | ast.YieldFrom | ast.Global
    return not any(isinstance(n, later) for n in own_nodes(function)) and all(
        source.dotted(d) in HARMLESS_DECORATORS for d in function.decorator_list
    )


def awaited(source: Source, node: ast.AST) -> bool:
    """Tell whether ``node`` is awaited or handed to something that awaits."""
    return isinstance(source.parents.get(node), ast.Await)
