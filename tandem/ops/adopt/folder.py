"""A site's folder, read and never run."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from tandem.ops.adopt.findings import AdoptError
from tandem.ops.bounded.files import RefusedError, read_bytes

# Not the site's own: environments, caches, what node and tests bring.
SKIPPED = frozenset(
    {"node_modules", "site-packages", "__pycache__", "venv", "env", "virtualenv", "dist", "build"}
)
DEPTH = 6  # folders below the site's that are looked into
LARGEST_BYTES = 5_000_000  # what is larger is data
MOST_FILES = 200_000


@dataclass(frozen=True, order=True)
class Place:
    """Where something was found: ``shop/settings.py:12``."""

    file: str  # relative to the site's folder
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Folder:
    """The files of one site."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refused: dict[Path, str] = {}
        self._texts: dict[Path, str] = {}
        self._trees: dict[Path, ast.Module | None] = {}

    @cached_property
    def files(self) -> list[Path]:
        """All files, nearest to the top first, without what is not the site's own."""
        found = list(islice(self._walk(), MOST_FILES + 1))
        if len(found) > MOST_FILES:
            raise AdoptError(f"{self.path} has more than {MOST_FILES:,} files; name the site's own")
        return sorted(found, key=lambda file: (len(file.parts), file))

    def _walk(self) -> Iterator[Path]:
        for folder, folders, names in os.walk(self.path):
            here = Path(folder)
            depth = len(here.relative_to(self.path).parts)
            folders[:] = [
                name
                for name in folders
                if name not in SKIPPED
                and not name.startswith(".")
                and depth < DEPTH
                and not (here / name / "pyvenv.cfg").exists()
            ]
            yield from (here / name for name in names)

    def place(self, file: Path, node: ast.AST | None = None) -> Place:
        """Return where ``node`` of ``file`` stands."""
        return Place(file.relative_to(self.path).as_posix(), getattr(node, "lineno", 0))

    def text(self, file: Path) -> str:
        """Return the text of ``file``, or nothing where there is none that can be read.

        One that is no regular file of the site is not read, and noted in ``refused``.
        """
        if file not in self._texts:
            self._texts[file] = self._read(file)
        return self._texts[file]

    def _read(self, file: Path) -> str:
        try:
            return read_bytes(file, self.path, LARGEST_BYTES).decode("utf-8-sig", "replace")
        except RefusedError as error:
            self.refused[file] = f"{error.strerror}: it was not read"
        except OSError:
            pass
        return ""

    def tree(self, file: Path) -> ast.Module | None:
        """Return the syntax tree of ``file``; ``None`` where it is not Python that we know."""
        if file not in self._trees:
            try:
                self._trees[file] = ast.parse(self.text(file))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._trees[file] = None
        return self._trees[file]

    def module(self, name: str, python_path: list[Path]) -> Path | None:
        """Return the file of the module ``name``, searched for in ``python_path``."""
        for folder in python_path:
            base = folder.joinpath(*name.split("."))
            for file in (base.with_name(base.name + ".py"), base / "__init__.py"):
                if file.is_file():
                    return file
        return None


def calls(tree: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Give the calls in ``tree`` whose function ends in one of ``names``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            name = (
                function.attr
                if isinstance(function, ast.Attribute)
                else function.id
                if isinstance(function, ast.Name)
                else ""
            )
            if name in names:
                yield node


def strings(tree: ast.AST) -> list[str]:
    """Return the string constants in ``tree``, in their order."""
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
