"""Streamed responses."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from tandem.ops.checks.finding import COST, NOT_READY, Finding, kind
from tandem.ops.checks.inference import Inference
from tandem.ops.checks.site import Site
from tandem.ops.checks.source import Function, Source

STREAM = kind(
    "W041",
    "StreamingHttpResponse with a synchronous iterator",
    why="Under ASGI Django consumes the whole iterator before it sends the first byte: no"
    " streaming, and memory for all of it. An endless one never answers.",
    cure="Give it an asynchronous iterator (async def … yield), or leave the path on WSGI.",
    cost="The generator is rewritten; an open stream costs memory on ASGI, a thread on WSGI.",
    verdict=NOT_READY,
)
FILE = kind(
    "I045",
    "FileResponse under ASGI",
    why="Django reads the whole file into memory before it sends the first byte: a file is a"
    " synchronous iterator.",
    cure="Leave the path on WSGI, or let nginx send the file (X-Accel-Redirect).",
    cost="Memory for each file in flight.",
    verdict=COST,
)
FILES = {"django.http.FileResponse", "django.http.response.FileResponse"}
BUFFERS = {"io.BytesIO", "io.StringIO", "django.core.files.base.ContentFile"}
NAMES = {"django.http.StreamingHttpResponse", "django.http.response.StreamingHttpResponse"}


def check(site: Site) -> Iterator[Finding]:
    """Find responses whose content evidently is a synchronous iterator."""
    for source in site.sources:
        inference = Inference(source)
        for node in source.nodes:
            if isinstance(node, ast.Call) and source.dotted(node.func) in NAMES:
                given = [k.value for k in node.keywords if k.arg == "streaming_content"]
                content = next(iter([*node.args, *given]), None)
                if content is not None and (what := _synchronous(source, inference, content)):
                    yield Finding(STREAM, source.place(node), f"It streams {what}.")
            elif isinstance(node, ast.Call) and source.dotted(node.func) in FILES:
                if node.args and _in_memory(source, node.args[0]):
                    continue
                yield Finding(FILE, source.place(node), f"{ast.unparse(node.func)}.")


def _synchronous(source: Source, inference: Inference, content: ast.AST, depth: int = 0) -> str:
    """Return what makes ``content`` synchronous, or nothing where that is not evident."""
    text = ast.unparse(content)
    text = text if len(text) <= 60 else text[:57] + "…"
    match content:
        case ast.GeneratorExp(generators=generators):
            return "" if any(g.is_async for g in generators) else f"the generator {text}"
        case ast.List() | ast.Tuple() | ast.ListComp():
            return f"the list {text}"
        case ast.Call(func=function):
            if source.dotted(function) in ("map", "filter", "iter", "zip", "open"):
                return text
            of = inference.known(content)
            if of and of.what == "queryset":
                return f"the queryset {text}"
            if inspect.isgeneratorfunction(source.value(function)):
                return f"the plain generator {text}"
            definition = _definition(source, function)
            if isinstance(definition, ast.FunctionDef) and _yields(definition):
                return f"the plain generator {text}"
        case ast.Name(id=name) if depth < 3:
            function_around = source.function_of(content)
            bound = [
                n.value for n in ast.walk(function_around or source.tree)
                if isinstance(n, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == name for t in n.targets)
            ]  # fmt: skip
            if len(bound) == 1:
                return _synchronous(source, inference, bound[0], depth + 1)
    return ""


def _in_memory(source: Source, content: ast.AST) -> bool:
    if isinstance(content, ast.Name):
        around = source.function_of(content) or source.tree
        return any(
            _in_memory(source, n.value)
            for n in ast.walk(around)
            if isinstance(n, ast.Assign) and isinstance(n.value, ast.Call)
            and any(isinstance(t, ast.Name) and t.id == content.id for t in n.targets)
        )  # fmt: skip
    return isinstance(content, ast.Call) and source.dotted(content.func) in BUFFERS


def _definition(source: Source, function: ast.AST) -> Function | None:
    """Return the function of this file that a call names: plain, local, or a method of self."""
    wanted = getattr(function, "id", getattr(function, "attr", ""))
    if isinstance(function, ast.Attribute) and not (
        isinstance(function.value, ast.Name) and function.value.id in ("self", "cls")
    ):
        return None
    found = [n for n in source.nodes if isinstance(n, Function) and n.name == wanted]
    return found[0] if len(found) == 1 and not found[0].decorator_list else None


def _yields(function: ast.FunctionDef) -> bool:
    return any(isinstance(n, ast.Yield | ast.YieldFrom) for n in ast.walk(function))
