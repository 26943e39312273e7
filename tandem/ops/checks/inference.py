"""What an expression evidently is in terms of Django's ORM; ``None`` where it is not evident."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from typing import Any, Literal

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.manager import ManagerDescriptor

from tandem.ops.checks.eventloop import own_nodes
from tandem.ops.checks.source import Function, Source

# Methods of managers and querysets that give a queryset, and ask nothing.
LAZY = {
    "all", "filter", "exclude", "complex_filter", "order_by", "reverse", "distinct", "values",
    "values_list", "dates", "datetimes", "none", "union", "intersection", "difference",
    "select_related", "prefetch_related", "annotate", "alias", "only", "defer", "using",
    "select_for_update", "extra", "get_queryset", "iterator", "raw",
}  # fmt: skip
# Those that ask the database, and give …
ONE = {"get", "create", "first", "last", "latest", "earliest"}  # an instance
PAIR = {"get_or_create", "update_or_create"}  # an instance and a flag
OTHER = {
    "count", "exists", "aggregate", "in_bulk", "bulk_create", "bulk_update", "update", "delete",
    "contains", "explain",
}  # fmt: skip
ASKING = ONE | PAIR | OTHER
# Of a related manager (article.tags), beside the above.
RELATED = {"add", "remove", "set", "clear"}
# Of an instance.
SAVING = {"save", "delete", "refresh_from_db", "full_clean", "validate_unique"}

What = Literal["model", "manager", "related", "queryset", "instance", "pair"]


@dataclass(frozen=True)
class Known:
    """``what`` of ``model``."""

    what: What
    model: type[models.Model]


class Inference:
    """Judges the expressions of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._busy: set[tuple[Function, str]] = set()

    def known(self, node: ast.AST | None) -> Known | None:
        """Return what ``node`` is."""
        match node:
            case ast.Await(value=ast.Call(func=ast.Attribute()) as call):
                return self._call(call, awaited=True)
            case ast.Call():
                return self._call(node, awaited=False)
            case ast.Subscript(value=value, slice=index):
                of = self.known(value)
                if of and of.what == "queryset":
                    return of if isinstance(index, ast.Slice) else Known("instance", of.model)
                if of and of.what == "pair" and isinstance(index, ast.Constant) and not index.value:
                    return Known("instance", of.model)
                return None
            case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd()):
                of = self.known(left)
                return of if of and of.what == "queryset" else None
            case ast.Name():
                return self._model(self.source.value(node)) or self._local(node)
            case ast.Attribute():
                return self._attribute(node)
        return None

    def _attribute(self, node: ast.Attribute) -> Known | None:
        if model := self._model(self.source.value(node)):
            return model
        of = self.known(node.value)
        if of is None:
            return None
        found = inspect.getattr_static(of.model, node.attr, None)
        if of.what == "model":
            manager = isinstance(found, ManagerDescriptor) or node.attr in (
                "_default_manager", "_base_manager",
            )  # fmt: skip
            return Known("manager", of.model) if manager else None
        if of.what == "instance":
            related = getattr(found, "rel", None)
            if hasattr(found, "related_manager_cls") and related is not None:
                other = related.related_model if related.model is of.model else related.model
                return Known("related", other) if isinstance(other, type) else None
        return None

    def _call(self, call: ast.Call, awaited: bool) -> Known | None:
        if not isinstance(call.func, ast.Attribute):
            return self._construct(call)
        of, name = self.known(call.func.value), call.func.attr
        if of is None or of.what not in ("manager", "related", "queryset"):
            return self._construct(call)
        if awaited:
            name = name.removeprefix("a") if name[1:] in ASKING else ""
        if name in LAZY and not awaited:
            return Known("queryset", of.model)
        if name in ONE:
            return Known("instance", of.model)
        if name in PAIR:
            return Known("pair", of.model)
        if not awaited and of.what == "manager" and self._gives_queryset(of.model, call.func):
            return Known("queryset", of.model)
        return None

    def _gives_queryset(self, model: type[models.Model], method: ast.Attribute) -> bool:
        """Tell whether a manager has ``method`` from its queryset class: it is lazy, by custom.

        Only what its annotation says counts.
        """
        manager = getattr(method.value, "attr", "")
        found = getattr(getattr(model, manager, None), method.attr, None)
        says = str(getattr(found, "__annotations__", {}).get("return", ""))
        return "QuerySet" in says and not says.startswith("list")

    def _construct(self, call: ast.Call) -> Known | None:
        dotted = self.source.dotted(call.func)
        if dotted == "django.contrib.auth.get_user_model":
            try:
                return Known("model", get_user_model())
            except ImproperlyConfigured:
                return None
        if dotted.endswith("apps.get_model") and "django" in dotted:
            words = [str(a.value) for a in call.args if isinstance(a, ast.Constant)]
            try:
                return Known("model", apps.get_model(".".join(words[:2]))) if words else None
            except (LookupError, ValueError):
                return None
        of = self.known(call.func)
        return Known("instance", of.model) if of and of.what == "model" else None

    def _model(self, value: Any) -> Known | None:
        if isinstance(value, type) and issubclass(value, models.Model):
            return None if value._meta.abstract else Known("model", value)
        return None

    def _local(self, name: ast.Name) -> Known | None:
        """Return what a local variable is, if all that it is ever bound to is the same."""
        function = self.source.function_of(name)
        while function is not None and name.id not in _names(function):
            function = self.source.function_of(function)
        if function is None or (function, name.id) in self._busy:
            return None
        self._busy.add((function, name.id))
        try:
            found = [self._bound(name.id, node) for node in own_nodes(function)]
            found += [self._argument(name.id, a) for a in _arguments(function)]
            kinds = {kind for bound in found for kind in bound}
            return kinds.pop() if len(kinds) == 1 else None
        finally:
            self._busy.discard((function, name.id))

    def _argument(self, name: str, argument: ast.arg) -> list[Known | None]:
        if argument.arg != name:
            return []
        said: ast.AST | None = argument.annotation
        if isinstance(said, ast.BinOp):  # Model | None
            said = said.left
        of = self.known(said) if isinstance(said, ast.Name | ast.Attribute) else None
        return [Known("instance", of.model) if of and of.what == "model" else None]

    def _bound(self, name: str, node: ast.AST) -> list[Known | None]:
        """Return what ``node`` binds ``name`` to, as a list of one; empty if it does not."""
        match node:
            case ast.Assign(targets=targets, value=value):
                return [k for t in targets for k in self._target(name, t, value)]
            case ast.AnnAssign(target=ast.Name(id=bound), value=value) if bound == name:
                return [self.known(value)] if value else []
            case ast.NamedExpr(target=ast.Name(id=bound), value=value) if bound == name:
                return [self.known(value)]
            case ast.AugAssign(target=ast.Name(id=bound)) if bound == name:
                return [None]
            case ast.For() | ast.AsyncFor() | ast.comprehension():
                if isinstance(node.target, ast.Name) and node.target.id == name:
                    of = self.known(node.iter)
                    plain = of and of.what == "queryset" and not _reshaped(node.iter)
                    return [Known("instance", of.model) if of and plain else None]
                return [None] if _binds(name, node.target) else []
            case ast.withitem(optional_vars=target) if target and _binds(name, target):
                return [None]
            case ast.ExceptHandler(name=bound) if bound == name:
                return [None]
        return []

    def _target(self, name: str, target: ast.AST, value: ast.AST) -> list[Known | None]:
        if isinstance(target, ast.Name):
            return [self.known(value)] if target.id == name else []
        if isinstance(target, ast.Tuple) and _binds(name, target):
            of, first = self.known(value), target.elts[0]
            paired = of and of.what == "pair" and isinstance(first, ast.Name) and first.id == name
            return [Known("instance", of.model) if of and paired else None]
        return []


def _reshaped(node: ast.AST) -> bool:
    """Tell whether a queryset gives something else than instances: ``values()`` and so on."""
    return any(
        isinstance(n, ast.Attribute) and n.attr in ("values", "values_list", "dates", "datetimes")
        for n in ast.walk(node)
    )


def _binds(name: str, target: ast.AST) -> bool:
    return any(
        isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
        for n in ast.walk(target)
    )


def _arguments(function: Function) -> list[ast.arg]:
    given = function.args
    return [
        *given.posonlyargs,
        *given.args,
        *given.kwonlyargs,
        *filter(None, (given.vararg, given.kwarg)),
    ]


def _names(function: Function) -> set[str]:
    return {a.arg for a in _arguments(function)} | {
        n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
