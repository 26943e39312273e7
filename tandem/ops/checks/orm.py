"""Synchronous database work in code that runs on the event loop."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from tandem.ops.checks.eventloop import Running, awaited, running
from tandem.ops.checks.finding import NOT_READY, Finding, kind
from tandem.ops.checks.inference import ASKING, RELATED, SAVING, Inference, Known
from tandem.ops.checks.site import Site
from tandem.ops.checks.source import Source

ORM = kind(
    "W031",
    "Synchronous ORM call in async code",
    why="Django raises SynchronousOnlyOperation here, at run time and for every visitor.",
    cure="Use the method with an 'a' before its name (aget, acreate, asave, async for …), or move"
    " the whole block into a function called by sync_to_async or database_sync_to_async.",
    cost="A thread hop per call, 0.03 to 0.1 ms; one for a block is cheaper than one for each"
    " line.",
    verdict=NOT_READY,
)
ATOMIC = kind(
    "W039",
    "Transaction in async code",
    why="Transactions belong to a thread: transaction.atomic() raises SynchronousOnlyOperation on"
    " the event loop.",
    cure="Move the block with its transaction into one function and await"
    " sync_to_async(function)().",
    cost="One thread hop; the block holds its database connection as before.",
    verdict=NOT_READY,
)

# Builtins that go through all of an iterable at once.
EVALUATING = {
    "list", "tuple", "set", "frozenset", "dict", "sorted", "len", "bool", "any", "all", "sum",
    "max", "min", "next", "enumerate", "zip",
}  # fmt: skip
# Functions that ask the database whatever they are given.
FUNCTIONS = {
    "django.shortcuts.get_object_or_404": "aget_object_or_404",
    "django.shortcuts.get_list_or_404": "aget_list_or_404",
    "django.contrib.auth.authenticate": "aauthenticate",
    "django.contrib.auth.login": "alogin",
    "django.contrib.auth.logout": "alogout",
    "django.contrib.auth.get_user": "aget_user",
    "django.contrib.auth.update_session_auth_hash": "aupdate_session_auth_hash",
    "django.db.connection.cursor": "sync_to_async",
}


def check(site: Site) -> Iterator[Finding]:
    """Find ORM calls and transactions on the event loop."""
    inferences = {source: Inference(source) for source in site.sources}
    for step in running(site.sources):
        yield from _step(step, inferences[step.source])


def _step(step: Running, inference: Inference) -> Iterator[Finding]:
    source, node = step.source, step.node
    what, said, at = ORM, "", node
    if isinstance(node, ast.Call):
        said = _called(source, inference, node)
    elif isinstance(node, ast.With):
        for item in node.items:
            call = item.context_expr
            target = call.func if isinstance(call, ast.Call) else call
            if source.dotted(target) == "django.db.transaction.atomic":
                what, said = ATOMIC, f"{ast.unparse(call)} in {step.function.name}()."
    else:
        said = _evaluated(inference, node)
        at = node.iter if isinstance(node, ast.comprehension) else node
    if said:
        yield Finding(what, source.place(at), said, also=step.callers)


def _called(source: Source, inference: Inference, call: ast.Call) -> str:
    """Return what is wrong with a call, or nothing."""
    dotted = source.dotted(call.func)
    if dotted in FUNCTIONS:
        return f"{dotted.rpartition('.')[2]}() asks the database; {FUNCTIONS[dotted]} waits for it."
    if dotted in EVALUATING:
        for argument in call.args:
            of = inference.known(argument)
            if of and of.what == "queryset":
                return f"{dotted}() evaluates {_short(argument)}."
    if not isinstance(call.func, ast.Attribute) or awaited(source, call):
        return ""
    of, name = inference.known(call.func.value), call.func.attr
    if of is None:
        return ""
    if of.what in ("manager", "related", "queryset"):
        asks = name in ASKING or (of.what == "related" and name in RELATED)
    else:
        asks = of.what == "instance" and name in SAVING
    if not asks or _asynchronous(of, name):
        return ""
    return f"{_short(call.func)}() is synchronous."


def _asynchronous(of: Known, name: str) -> bool:
    """Tell whether the site made the method a coroutine itself."""
    owner = of.model if of.what == "instance" else getattr(of.model, "_default_manager", None)
    return inspect.iscoroutinefunction(getattr(owner, name, None))


def _evaluated(inference: Inference, node: ast.AST) -> str:
    """Return how ``node`` evaluates a queryset, or nothing."""
    match node:
        case ast.For(iter=iterated):
            how = "for goes through"
        case ast.comprehension(iter=iterated, is_async=0):
            how = "the comprehension goes through"
        case ast.Starred(value=iterated, ctx=ast.Load()):
            how = "* unpacks"
        case ast.If(test=iterated) | ast.While(test=iterated) | ast.IfExp(test=iterated):
            if isinstance(iterated, ast.UnaryOp):
                iterated = iterated.operand
            how = "the test evaluates"
        case ast.Subscript(value=iterated, slice=index) if not isinstance(index, ast.Slice):
            how = "the index evaluates"
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[iterated]):
            how = "in evaluates"
        case _:
            return ""
    of = inference.known(iterated)
    return f"{how} {_short(iterated)}." if of and of.what == "queryset" else ""


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else text[:57] + "…"
