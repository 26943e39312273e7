"""Find assertions that something took at most so long: they fail when the machine is busy.

That it took at least so long may be asserted: a busy machine makes that only truer.

A value is *timed* when a clock gave it, or when it comes of a timed value: by arithmetic, by a
call, from a list that timed values are put in, or from a function that returns one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CLOCKS = {"monotonic", "perf_counter", "monotonic_ns", "perf_counter_ns", "time", "time_ns"}
LESS, MORE = (ast.Lt, ast.LtE), (ast.Gt, ast.GtE)
Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def offenders(file: Path) -> Iterator[str]:
    """Yield the functions of a file that assert on timed values: ``test_it``."""
    tree = ast.parse(file.read_text())
    everywhere = _timed(tree, set())
    for function in _functions(tree):
        # Names are a function's own, but for functions and attributes.
        shared = {name for name in everywhere if name.startswith(".") or name.endswith("()")}
        timed = _timed(function, shared)
        if not _marked(function, tree) and any(
            _bounded(node.test, timed)
            for node in ast.walk(function)
            if isinstance(node, ast.Assert)
        ):
            yield function.name


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the outermost functions, and methods."""
    for node in tree.body:
        for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, Function):
                yield inner


def _marked(function: ast.FunctionDef | ast.AsyncFunctionDef, tree: ast.Module) -> bool:
    """Tell whether it is a test of pace, by its own mark or its file's."""
    marks = [ast.unparse(each) for each in function.decorator_list]
    marks += [
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    return any("pytest.mark.pace" in mark for mark in marks)


def _bounded(test: ast.expr, timed: set[str]) -> bool:
    """Tell whether an assertion bounds a timed value from above."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for less, operator, more in zip(sides, node.ops, sides[1:], strict=False):
                if isinstance(operator, LESS) and _is_timed(less, timed):
                    return True
                if isinstance(operator, MORE) and _is_timed(more, timed):
                    return True
    return False


def _is_timed(expression: ast.AST, timed: set[str]) -> bool:
    for node in ast.walk(expression):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if (name.startswith("time.") and name[5:] in CLOCKS) or name.endswith("loop().time"):
                return True
            if f"{name.rpartition('.')[2]}()" in timed:
                return True
        if isinstance(node, ast.Name) and node.id in timed:
            return True
        if isinstance(node, ast.Attribute) and f".{node.attr}" in timed:
            return True
    return False


def _timed(scope: ast.AST, timed: set[str]) -> set[str]:
    """Return the names in ``scope`` of timed values: ``began``, ``.outages``, ``measure()``."""
    found, before = set(timed), -1
    while len(found) != before:
        before = len(found)
        for node in ast.walk(scope):
            found.update(_names(node, found))
    return found


def _names(node: ast.AST, timed: set[str]) -> Iterator[str]:
    """Yield what a statement or expression makes timed."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        if node.value is not None and _is_timed(node.value, timed):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            pairs = _paired(targets[0], node.value)
            targets = [t for t, value in pairs if _is_timed(value, timed)] if pairs else targets
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        targets = [node.target] if _is_timed(node.iter, timed) else []
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in ("append", "add", "put") and any(
            _is_timed(argument, timed) for argument in node.args
        ):
            targets = [node.func.value]
    elif isinstance(node, Function) and any(
        isinstance(inner, ast.Return) and inner.value is not None and _is_timed(inner.value, timed)
        for inner in ast.walk(node)
    ):
        yield f"{node.name}()"
    for target in targets:
        for name in ast.walk(target):
            if isinstance(name, ast.Attribute):
                yield f".{name.attr}"
            elif isinstance(name, ast.Name) and not isinstance(target, ast.Attribute):
                yield name.id


def _paired(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return which target of ``a, b = 1, 2`` gets which value."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=False))
    return []
