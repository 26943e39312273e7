"""State and signals of a process, which a server shares among requests."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tandem.ops.checks.finding import Finding, kind
from tandem.ops.checks.site import Site
from tandem.ops.checks.source import Source

THREAD_LOCAL = kind(
    "W038",
    "threading.local",
    why="Under ASGI one thread serves many requests at once and one request may cross threads: what"
    " is kept per thread can be missing, or somebody else's.",
    cure="asgiref.local.Local() for what belongs to a request, or contextvars.ContextVar.",
    cost="None: both cost what threading.local does.",
)
UNSAFE = kind(
    "W040",
    "DJANGO_ALLOW_ASYNC_UNSAFE is set in code",
    why="It silences SynchronousOnlyOperation, so that queries block the event loop and connections"
    " are shared between requests.",
    cure="Remove it, and cure what then raises.",
    cost="The work that it put off.",
)
SIGNAL = kind(
    "W051",
    "Own handler for SIGTERM or SIGINT",
    why="It replaces the server's: under Uvicorn such a site did not stop in ten minutes, and"
    " WebSockets were not closed.",
    cure="Clean up in the ASGI lifespan's shutdown, in atexit, or call the handler that was there"
    " before.",
    cost="None.",
)
SIGNALS = {"signal.SIGTERM", "signal.SIGINT", "signal.SIGQUIT"}


def check(site: Site) -> Iterator[Finding]:
    """Find thread-locals, signal handlers and the switch that hides errors."""
    for source in site.sources:
        for node in source.nodes:
            yield from _node(source, node)


def _node(source: Source, node: ast.AST) -> Iterator[Finding]:
    if isinstance(node, ast.Call):
        name = source.dotted(node.func)
        if name in ("threading.local", "_thread._local"):
            yield Finding(THREAD_LOCAL, source.place(node), f"{ast.unparse(node)}.")
        first = source.dotted(node.args[0]) if node.args else ""
        handles = name == "signal.signal" or ast.unparse(node.func).endswith(".add_signal_handler")
        if handles and first in SIGNALS and _served(source, node):
            yield Finding(SIGNAL, source.place(node), f"A handler for {first} is installed.")
    elif isinstance(node, ast.Attribute) and source.module and _handed_on(source, node):
        said = f"{ast.unparse(node)} is passed on, to install handlers."
        yield Finding(SIGNAL, source.place(node), said)
    elif isinstance(node, ast.ClassDef):
        for base in node.bases:
            if source.dotted(base) == "threading.local":
                yield Finding(
                    THREAD_LOCAL, source.place(node), f"class {node.name}(threading.local)."
                )
    elif isinstance(node, ast.Constant) and _sets(source, node):
        yield Finding(UNSAFE, source.place(node), "DJANGO_ALLOW_ASYNC_UNSAFE is switched on.")


def _handed_on(source: Source, node: ast.Attribute) -> bool:
    """Tell whether a function that installs handlers is passed on, in a file that names signals."""
    installs = node.attr == "add_signal_handler" or source.dotted(node) == "signal.signal"
    parent = source.parents.get(node)
    if not installs or (isinstance(parent, ast.Call) and parent.func is node):
        return False
    while parent is not None:
        if isinstance(parent, ast.If) and "win32" in ast.unparse(parent.test):
            return node.attr == "add_signal_handler"  # which Windows has not
        parent = source.parents.get(parent)
    return any("SIGTERM" in line or "SIGINT" in line for line in source.lines)


def _served(source: Source, call: ast.Call) -> bool:
    """Tell whether ``call`` may run in a server: its module is loaded, it gives nothing back."""
    handler = call.args[1] if len(call.args) > 1 else None
    default = handler is not None and source.dotted(handler) == "signal.SIG_DFL"
    return source.module is not None and not default


def _sets(source: Source, node: ast.Constant) -> bool:
    if node.value != "DJANGO_ALLOW_ASYNC_UNSAFE":
        return False
    parent = source.parents.get(node)
    if isinstance(parent, ast.Subscript):
        return isinstance(parent.ctx, ast.Store)
    return (
        isinstance(parent, ast.Call)
        and source.dotted(parent.func) in ("os.environ.setdefault", "os.putenv")
    )  # fmt: skip
