"""A file of Python: its syntax tree, what its names mean, which lines are to be left alone."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from tandem.ops.bounded.files import read_text
from tandem.ops.checks.finding import Place

IGNORE = re.compile(r"#\s*tandem:\s*ignore\[([A-Z0-9,\s]+)\]")
NOQA = re.compile(r"#\s*noqa(?P<codes>:\s*[A-Z0-9,\s]+)?", re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Source:
    """One file, parsed."""

    path: Path
    tree: ast.Module
    lines: list[str]
    module_name: str = ""
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    nodes: list[ast.AST] = field(default_factory=list)  # all of the tree's

    def __post_init__(self) -> None:
        self.nodes = list(ast.walk(self.tree))
        for parent in self.nodes:
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent

    def place(self, node: ast.AST) -> Place:
        """Return where ``node`` begins."""
        return Place(self.path, getattr(node, "lineno", 0))

    def ignores(self, line: int, code: str) -> bool:
        """Tell whether ``# tandem: ignore[CODE] reason`` stands on ``line``."""
        match = IGNORE.search(self._line(line))
        return bool(match) and code in re.split(r"[,\s]+", match[1]) if match else False

    def noqa(self, line: int) -> bool:
        """Tell whether ``# noqa`` on ``line`` covers ruff's ASYNC rules."""
        match = NOQA.search(self._line(line))
        return bool(match and (not match["codes"] or "ASYNC" in match["codes"].upper()))

    def _line(self, line: int) -> str:
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""

    @property
    def module(self) -> ModuleType | None:
        """The module as it runs, if the site has imported it."""
        return sys.modules.get(self.module_name)

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each imported name is: ``{"sleep": "time.sleep"}``; none that means two things."""
        found: dict[str, str] = {}
        unsure: set[str] = set()
        for node in self.nodes:
            for name, target in self._bound(node):
                if found.setdefault(name, target) != target:
                    unsure.add(name)
        return {name: target for name, target in found.items() if name not in unsure}

    def _bound(self, node: ast.AST) -> list[tuple[str, str]]:
        if isinstance(node, ast.Import):
            return [
                (
                    a.asname or a.name.partition(".")[0],
                    a.name if a.asname else a.name.partition(".")[0],
                )
                for a in node.names
            ]
        if isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = self.module_name.split(".")
                # An __init__ module is its own package.
                up = node.level - (self.path.name == "__init__.py")
                package = package[: len(package) - up] if up else package
                base = ".".join([*package, base] if base else package)
            return [(a.asname or a.name, f"{base}.{a.name}") for a in node.names]
        return []

    def dotted(self, node: ast.AST) -> str:
        """Return the full name of what ``node`` refers to (``time.sleep``), or nothing.

        A name that a function around it binds anew is nobody's import.
        """
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            return f"{base}.{node.attr}" if base else ""
        if not isinstance(node, ast.Name) or node.id in self.locals(node):
            return ""
        if node.id in self.imports:
            return self.imports[node.id]
        return "" if node.id in self._defined else node.id

    @cached_property
    def _defined(self) -> set[str]:
        """Names that the module itself binds, so that ``open`` may not be Python's own."""
        return {n.name for n in self.tree.body if isinstance(n, Function | ast.ClassDef)} | {
            n.id for s in self.tree.body for n in ast.walk(s)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            and not self.function_of(n)
        }  # fmt: skip

    def function_of(self, node: ast.AST) -> Function | None:
        """Return the innermost function around ``node``."""
        while (node := self.parents.get(node)) is not None:  # type: ignore[assignment]
            if isinstance(node, Function):
                return node
        return None

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the innermost class around ``node``."""
        while (node := self.parents.get(node)) is not None:  # type: ignore[assignment]
            if isinstance(node, ast.ClassDef):
                return node
        return None

    def locals(self, node: ast.AST) -> set[str]:
        """Return the names bound by the functions around ``node``, imports left out."""
        names: set[str] = set()
        function = self.function_of(node)
        while function is not None:
            names |= _bindings(function)
            function = self.function_of(function)
        return names

    def value(self, node: ast.AST) -> Any:
        """Return the object that ``node`` names, from modules that run already, or ``None``."""
        if isinstance(node, ast.Attribute):
            base = self.value(node.value)
            # Modules and classes only: instances may compute what they are asked for.
            return getattr(base, node.attr, None) if isinstance(base, type | ModuleType) else None
        if not isinstance(node, ast.Name) or node.id in self.locals(node):
            return None
        if self.module is not None and node.id in vars(self.module):
            return vars(self.module)[node.id]
        return named(self.imports.get(node.id, ""))


def named(dotted: str) -> Any:
    """Return the object of that full name if its module runs already, or ``None``."""
    if dotted in sys.modules:
        return sys.modules[dotted]
    module, _, name = dotted.rpartition(".")
    return getattr(named(module), name, None) if module and name else None


@cache
def _bindings(function: Function) -> frozenset[str]:
    arguments = function.args
    names = {a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    names |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a}
    declared: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            declared |= set(node.names)
    return frozenset(names - declared)


@cache
def read(path: Path, module_name: str = "") -> Source | None:
    """Return the source of ``path``, or ``None`` for one that cannot be read or parsed."""
    try:
        text = read_text(path)
        return Source(path, ast.parse(text), text.splitlines(), module_name)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
