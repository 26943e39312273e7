"""The source of a view or consumer, as it stands in its file."""

from __future__ import annotations

import ast
import textwrap
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def source(name: str) -> str:
    """Return the source of ``module:object`` or ``module:Class.method``, decorators included.

    The module is read, not imported: the page's process does not become a socket server
    for showing one.  Raises ``LookupError`` when there is no such module or object.
    """
    module, _, path = name.partition(":")
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise LookupError(f"{name}: there is no module {module}")
    text = Path(spec.origin).read_text(encoding="utf-8")
    node: ast.AST = ast.parse(text)
    for part in path.split("."):
        node = _child(node, part, name)
    decorators = getattr(node, "decorator_list", [])
    first = min(line.lineno for line in (*decorators, node))
    return textwrap.dedent("\n".join(text.splitlines()[first - 1 : node.end_lineno]))


def _child(node: ast.AST, wanted: str, name: str) -> ast.AST:
    for child in getattr(node, "body", ()):
        if getattr(child, "name", None) == wanted:
            return child
    raise LookupError(f"{name}: there is no {wanted}")
