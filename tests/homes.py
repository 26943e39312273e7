"""Where a value is written in the checkout, comments and prose left out."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.checkout import ROOT

# What runs; tests say a value again, so that a wrong one is noticed.
WHERE = ("tandem", "ansible", "docker", "app", "deploy", "compose.yaml", ".env")
HOME = "tandem/facts.py"
COMMENTS = {
    ".js": r"//.*|/\*.*?\*/",
    ".j2": r"(?m)^#.*|\s#\s.*",
    ".json": r"$^",
}
OTHER_COMMENTS = r"(?m)^\s*#.*|\s#\s.*"


@cache
def texts() -> Mapping[str, str]:
    """Return what each file of ``WHERE`` says to a program, by the file's name."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *WHERE],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    names = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    return {name: said(name, (ROOT / name).read_text()) for name in names}


def said(name: str, text: str) -> str:
    """Return ``text`` of the file ``name`` without comments; of Python a constant each line."""
    if Path(name).suffix == ".py":
        return "\n".join(_constants(ast.parse(text)))
    return re.sub(COMMENTS.get(Path(name).suffix, OTHER_COMMENTS), "", text)


def _constants(tree: ast.AST) -> Iterator[str]:
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in prose:
            yield str(node.value)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set):
            # A list is a value of its own, as the kinds of process are.
            yield " ".join(str(e.value) for e in node.elts if isinstance(e, ast.Constant))


def homes(pattern: str, files: Mapping[str, str] | None = None) -> set[str]:
    """Return the files that have ``pattern``, other than the home of facts."""
    found = {n for n, text in (files or texts()).items() if re.search(pattern, text)}
    return found - {HOME}
