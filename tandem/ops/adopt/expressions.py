"""Expressions of settings, evaluated as far as that goes without running anything."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from tandem.ops.adopt.calls import Calls
from tandem.ops.adopt.values import (
    UNKNOWN,
    EnvironmentReader,
    Imported,
    Method,
    Scope,
    Variable,
    plain,
    truth,
)

COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: lambda a, b: a is b,
    ast.IsNot: lambda a, b: a is not b,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


class Expressions(Calls):
    """``evaluate()``; each kind of node has a method of its name, others are unknown."""

    def evaluate(self, node: ast.AST | None, scope: Scope) -> Any:
        """Return the value of ``node``, and note every variable that it reads."""
        if node is None:
            return None
        method = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if method is not None:
            return method(node, scope)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child, scope)
        return UNKNOWN

    def _of_constant(self, node: ast.Constant, scope: Scope) -> Any:
        return node.value

    def _of_name(self, node: ast.Name, scope: Scope) -> Any:
        if node.id in scope.names:
            return scope.names[node.id]
        if node.id in BUILTINS:
            return Imported(node.id)
        return UNKNOWN

    def _of_namedexpr(self, node: ast.NamedExpr, scope: Scope) -> Any:
        scope.names[node.target.id] = value = self.evaluate(node.value, scope)
        return value

    def _of_list(self, node: ast.List | ast.Tuple | ast.Set, scope: Scope) -> Any:
        found: list[Any] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                more = plain(self.evaluate(item.value, scope))
                found.extend(more if isinstance(more, list | tuple) else [UNKNOWN])
            else:
                found.append(self.evaluate(item, scope))
        return tuple(found) if isinstance(node, ast.Tuple) else found

    _of_tuple = _of_set = _of_list

    def _of_dict(self, node: ast.Dict, scope: Scope) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.evaluate(item, scope)
            if key is None:
                found.update(value if isinstance(value, dict) else {})
                continue
            name = plain(self.evaluate(key, scope))
            if isinstance(name, str | int):
                found[name] = value
        return found

    def _of_joinedstr(self, node: ast.JoinedStr, scope: Scope) -> Any:
        parts = [
            self.evaluate(part.value if isinstance(part, ast.FormattedValue) else part, scope)
            for part in node.values
        ]
        texts = [plain(part) for part in parts]
        variable = next((part for part in parts if isinstance(part, Variable)), None)
        whole: Any = UNKNOWN
        if all(isinstance(text, str | int) for text in texts):
            whole = "".join(map(str, texts))
        return Variable(variable.read, whole) if variable else whole

    def _of_binop(self, node: ast.BinOp, scope: Scope) -> Any:
        left, right = self.evaluate(node.left, scope), self.evaluate(node.right, scope)
        first, second = plain(left), plain(right)
        result: Any = UNKNOWN
        if isinstance(node.op, ast.Add):
            if isinstance(first, list | tuple) or isinstance(second, list | tuple):
                # What is known of a sum of lists is of use even if the rest is not.
                result = [
                    item
                    for part in (first, second)
                    for item in (part if isinstance(part, list | tuple) else [UNKNOWN])
                ]
            elif isinstance(first, str) and isinstance(second, str):
                result = first + second
        elif (
            isinstance(node.op, ast.BitOr) and isinstance(first, dict) and isinstance(second, dict)
        ):
            result = first | second
        elif isinstance(node.op, ast.Div) and isinstance(second, str):
            result = f"{first}/{second}" if isinstance(first, str) else second  # a path
        variable = next((v for v in (left, right) if isinstance(v, Variable)), None)
        return Variable(variable.read, result) if variable else result

    def _of_boolop(self, node: ast.BoolOp, scope: Scope) -> Any:
        ends_at = isinstance(node.op, ast.Or)
        values: list[Any] = []
        for item in node.values:
            values.append(self.evaluate(item, scope))
            # What is behind a value that decides is not reached, unless another environment
            # decides otherwise.
            if truth(values[-1]) is ends_at and not isinstance(values[-1], Variable):
                return values[-1]
        for value in values[:-1]:
            known = truth(value)
            if known is None:
                return next((v for v in values if isinstance(v, Variable)), UNKNOWN)
            if known is ends_at:
                return value
        first = values[0]
        if ends_at and isinstance(first, Variable):  # X or a default: X if it were there
            return Variable(first.read, plain(values[-1]))
        return values[-1]

    def _of_unaryop(self, node: ast.UnaryOp, scope: Scope) -> Any:
        known = truth(value := self.evaluate(node.operand, scope))
        if isinstance(node.op, ast.Not):
            return UNKNOWN if known is None else not known
        value = plain(value)
        return -value if isinstance(node.op, ast.USub) and isinstance(value, int) else UNKNOWN

    def _of_compare(self, node: ast.Compare, scope: Scope) -> Any:
        values = [self.evaluate(item, scope) for item in (node.left, *node.comparators)]
        if len(values) != 2:
            return UNKNOWN
        first, second = plain(values[0]), values[1]
        if isinstance(second, Imported) and isinstance(node.ops[0], ast.In | ast.NotIn):
            absent = isinstance(node.ops[0], ast.NotIn)
            if second.name == "os.environ" and isinstance(first, str):
                return (self.present(first, node, scope)) is not absent
            if second.name == "sys.argv":  # it serves, and runs no test
                return absent
        second = plain(second)
        self.compare(values[0], second)
        if first is UNKNOWN or second is UNKNOWN:
            return UNKNOWN
        try:
            return COMPARISONS[type(node.ops[0])](first, second)
        except TypeError:
            return UNKNOWN

    def _of_ifexp(self, node: ast.IfExp, scope: Scope) -> Any:
        test = truth(self.evaluate(node.test, scope))
        if test is not None:
            return self.evaluate(node.body if test else node.orelse, scope)
        self.evaluate(node.orelse, scope)
        return self.evaluate(node.body, scope)

    def _of_attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        owner = self.evaluate(node.value, scope)
        if isinstance(owner, Imported):
            return Imported(f"{owner.name}.{node.attr}")
        if isinstance(owner, Scope):
            return owner.get(node.attr)
        if isinstance(owner, EnvironmentReader | Variable | str | list | dict):
            return Method(owner, node.attr)
        return UNKNOWN

    def _of_subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        owner, index = self.evaluate(node.value, scope), self.evaluate(node.slice, scope)
        key = plain(index)
        if isinstance(owner, Imported) and owner.name == "os.environ":
            if isinstance(key, str) and isinstance(node.ctx, ast.Load):
                return self.read(key, node, scope)
            return UNKNOWN
        found = plain(owner)
        if isinstance(found, dict):
            self.compare(index, found)
        try:
            value = found[key] if isinstance(found, dict | list | tuple | str) else UNKNOWN
        except (KeyError, IndexError, TypeError):
            return UNKNOWN
        return Variable(owner.read, value) if isinstance(owner, Variable) else value

    def _of_starred(self, node: ast.Starred, scope: Scope) -> Any:
        return self.evaluate(node.value, scope)

    def _of_lambda(self, node: ast.Lambda, scope: Scope) -> Any:
        return UNKNOWN

    def _of_listcomp(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, scope: Scope
    ) -> Any:
        source = self.evaluate(node.generators[0].iter, scope)
        if isinstance(source, Variable):  # [word.strip() for word in X.split(",")]
            return source
        inner = Scope(scope.module, dict(scope.names), scope.places)
        self.evaluate(node.elt, inner)
        return UNKNOWN

    _of_setcomp = _of_generatorexp = _of_listcomp


BUILTINS = {
    "bool", "int", "str", "float", "list", "tuple", "set", "dict", "len", "any", "all",
    "getattr", "open", "sorted", "frozenset", "reversed",
}  # fmt: skip
