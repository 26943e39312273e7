"""Modules of a site, followed statement by statement without being run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from tandem.ops.adopt.expressions import Expressions
from tandem.ops.adopt.folder import Folder
from tandem.ops.adopt.values import UNKNOWN, Function, Imported, Scope, Variable, plain, truth

DEPTH = 25  # modules that import modules; beyond it, nothing of the settings is to be found


class Interpreter(Expressions):
    """Gives the names of a module: ``module("shop.settings").get("DEBUG")``."""

    def __init__(
        self, folder: Folder, python_path: list[Path], assumed: dict[str, str] | None = None
    ) -> None:
        super().__init__(folder, assumed or {})
        self.python_path = python_path
        self.modules: dict[str, Scope] = {}
        self.files: dict[str, Path] = {}
        self.imports = 0

    def module(self, name: str) -> Scope | None:
        """Return the names of the site's module ``name``; ``None`` where it is not the site's."""
        if name in self.modules:
            return self.modules[name]
        if self.imports >= DEPTH:
            return None
        file = self.folder.module(name, self.python_path)
        tree = self.folder.tree(file) if file else None
        if file is None or tree is None:
            return None
        scope = Scope(name)
        scope.names["__file__"] = UNKNOWN
        self.modules[name], self.files[name] = scope, file
        before, self.file = self.file, file
        target, self.target = self.target, ""
        caller, self.caller = self.caller, None
        ended, self.ended = self.ended, False
        self.imports += 1
        try:
            self.block(tree.body, scope)
        finally:
            self.imports -= 1
            self.file, self.target, self.caller = before, target, caller
            self.ended = ended
        return scope

    def include(self, name: str, scope: Scope, node: ast.AST) -> Scope | None:
        """Return the names of a module that is named in a call."""
        return self.module(name)

    def splice(self, pattern: Any, scope: Scope) -> None:
        """Follow files beside this one as if what they say stood here."""
        before = self.file
        if not isinstance(pattern, str) or pattern.startswith("/") or self.imports >= DEPTH:
            return
        for file in sorted(before.parent.glob(pattern)):
            tree = self.folder.tree(file)
            if tree is None or file == before:
                continue
            self.imports += 1
            self.file = file
            try:
                self.block(tree.body, scope)
            finally:
                self.imports -= 1
                self.file = before

    def block(self, body: list[ast.stmt], scope: Scope) -> Any:
        """Follow statements; return what a ``return`` gives, or ``UNKNOWN``."""
        result: Any = UNKNOWN
        for statement in body:
            method = getattr(self, f"_do_{type(statement).__name__.lower()}", None)
            if method is not None:
                value = method(statement, scope)
                if value is not None and result is UNKNOWN:
                    result = value[0]
                if self.ended:
                    break
        return result

    def _do_return(self, node: ast.Return, scope: Scope) -> tuple[Any] | None:
        value = self.evaluate(node.value, scope)
        self.ended = True
        return (value,)

    def _do_expr(self, node: ast.Expr, scope: Scope) -> None:
        self.evaluate(node.value, scope)

    def _do_import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            bound = alias.asname or name
            scope.names[bound] = self.module(alias.name if alias.asname else name) or Imported(name)

    def _do_importfrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        name = node.module or ""
        if node.level:
            package = scope.module.split(".")
            file = self.files.get(scope.module)
            drop = node.level - (1 if file is not None and file.name == "__init__.py" else 0)
            package = package[: len(package) - drop] if drop else package
            name = ".".join([*package, *([name] if name else [])])
        module = self.module(name)
        if module is None and node.level and any(alias.name == "*" for alias in node.names):
            scope.missing[name] = self.folder.place(self.file, node)
        for alias in node.names:
            if alias.name == "*":
                if module is not None:
                    scope.names.update(module.names)
                    scope.places.update(module.places)
                    scope.missing.update(module.missing)
                continue
            bound = alias.asname or alias.name
            value: Any = UNKNOWN
            if module is not None and alias.name in module.names:
                value = module.names[alias.name]
                if alias.name in module.places:
                    scope.places[bound] = module.places[alias.name]
            else:
                value = self.module(f"{name}.{alias.name}") or Imported(f"{name}.{alias.name}")
            scope.names[bound] = value

    def _do_functiondef(self, node: ast.FunctionDef, scope: Scope) -> None:
        scope.names[node.name] = Function(node, scope)

    def _do_assign(self, node: ast.Assign, scope: Scope) -> None:
        before = self.target
        if not self.target and isinstance(node.targets[0], ast.Name | ast.Subscript):
            self.target = _root(node.targets[0])
        value = self.evaluate(node.value, scope)
        self.target = before
        for target in node.targets:
            self.bind(target, value, scope)

    def _do_annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self._do_assign(
                ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node), scope
            )

    def _do_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        target = node.target
        old = ast.copy_location(
            ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else target, node
        )
        self._do_assign(
            ast.copy_location(
                ast.Assign(
                    targets=[target],
                    value=ast.copy_location(
                        ast.BinOp(left=old, op=node.op, right=node.value), node
                    ),
                ),
                node,
            ),
            scope,
        )

    def bind(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Give ``target`` its value."""
        if isinstance(target, ast.Name):
            scope.names[target.id] = value
            scope.places[target.id] = self.folder.place(self.file, target)
        elif isinstance(target, ast.Subscript):
            owner = plain(self.evaluate(target.value, scope))
            key = plain(self.evaluate(target.slice, scope))
            if isinstance(owner, dict) and isinstance(key, str | int):
                owner[key] = value
                scope.places.setdefault(_root(target), self.folder.place(self.file, target))
        elif isinstance(target, ast.Tuple | ast.List):
            values = value if isinstance(value, list | tuple) else []
            for index, one in enumerate(target.elts):
                self.bind(one, values[index] if index < len(values) else UNKNOWN, scope)

    def _do_if(self, node: ast.If, scope: Scope) -> Any:
        test = truth(self.evaluate(node.test, scope))
        if test is not None:
            found = self.block(node.body if test else node.orelse, scope)
            return None if found is UNKNOWN else (found,)
        # Not known: both, and what the body says, wins.
        return self._each([node.orelse, node.body], scope)

    def _each(self, bodies: list[list[ast.stmt]], scope: Scope) -> tuple[Any] | None:
        """Follow all of ``bodies``, of which one will run."""
        results, ends = [], []
        for body in bodies:
            self.ended = False
            results.append(self.block(body, scope))
            ends.append(self.ended)
        self.ended = all(ends)
        known = [one for one in results if one is not UNKNOWN]
        return (known[-1],) if known else None

    def _do_match(self, node: ast.Match, scope: Scope) -> Any:
        subject = self.evaluate(node.subject, scope)
        bodies = [case.body for case in node.cases]
        for case in node.cases:
            words = self._words(case.pattern, scope)
            self.compare(subject, words)
            if plain(subject) is UNKNOWN or words is None or case.guard:
                break  # not known, or a pattern that is more than a value
            if plain(subject) in words or not words:
                found = self.block(case.body, scope)
                return None if found is UNKNOWN else (found,)
        return self._each([[], *reversed(bodies)], scope)

    def _words(self, pattern: ast.pattern, scope: Scope) -> list[Any] | None:
        """Return the values that ``pattern`` means: none for ``_``, ``None`` if it is more."""
        if isinstance(pattern, ast.MatchValue):
            return [plain(self.evaluate(pattern.value, scope))]
        if isinstance(pattern, ast.MatchSingleton):
            return [pattern.value]
        if isinstance(pattern, ast.MatchOr):
            parts = [self._words(one, scope) for one in pattern.patterns]
            return [word for part in parts for word in part or [UNKNOWN]]
        whole = isinstance(pattern, ast.MatchAs) and pattern.pattern is None
        return [] if whole else None

    def _do_try(self, node: ast.Try, scope: Scope) -> Any:
        forgives = any(
            not any(isinstance(one, ast.Raise) or _exits(one) for one in ast.walk(handler))
            for handler in node.handlers
        )
        before = set(scope.missing)
        self.forgiving += forgives
        found = self.block(node.body, scope)
        self.forgiving -= forgives
        if set(scope.missing) != before:  # the import failed
            self.ended = False
            for handler in node.handlers:
                self.block(handler.body, scope)
        if not self.ended:
            self.block([*node.orelse, *node.finalbody], scope)
        return None if found is UNKNOWN else (found,)

    def _do_with(self, node: ast.With, scope: Scope) -> Any:
        found = self.block(node.body, scope)
        return None if found is UNKNOWN else (found,)

    def _do_for(self, node: ast.For, scope: Scope) -> tuple[Any] | None:
        source = plain(self.evaluate(node.iter, scope))
        items = source if isinstance(source, list | tuple) else [UNKNOWN]
        for item in items[:50]:
            self.bind(node.target, item, scope)
            found = self.block(node.body, scope)
            if self.ended:
                return (found,)
        return None


def _root(node: ast.expr) -> str:
    """Return the name in ``DATABASES["default"]["HOST"]``."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _exits(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "exit")


def variables(value: Any) -> list[Variable]:
    """Return every variable within ``value``."""
    if isinstance(value, Variable):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [found for one in value for found in variables(one)]
    return []
