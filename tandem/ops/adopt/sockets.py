"""The WSGI and ASGI applications, and under which paths the latter takes WebSockets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.folder import Place
from tandem.ops.adopt.interpreter import Interpreter
from tandem.ops.adopt.model import MADE, URL_PATH
from tandem.ops.adopt.project import Project, named_settings
from tandem.ops.adopt.values import Made, Scope, UrlPattern

# A folder of this name holds nothing but sockets, so its prefix stands for all of them.
SOCKET_FOLDER = re.compile(r"^(wss?|websockets?|sockets?)$")
# From here on a regular expression is no plain text.
SPECIAL = re.compile(r"[\\^$.*+?{}\[\]|()]")


def applications(project: Project, scope: Scope, out: Findings) -> str:
    """Note ``wsgi`` and ``asgi``; return the module of the ASGI application, or ``""``."""
    modules = {}
    for kind in ("wsgi", "asgi"):
        setting = f"{kind.upper()}_APPLICATION"
        module, place = _named(project, scope, setting)
        if not module:
            module, place = _beside(project, f"{kind}.py")
        name = _name(project, module) if module else ""
        if name:
            out.found(kind, f"{module}:{name}", f"{setting if place.line else 'found'} ({place})")
            modules[kind] = module
        else:
            made = "Django's own" if kind == "wsgi" else "HTTP only, no WebSockets"
            out.found(kind, MADE, f"there is no {kind}.py: one is made ({made})")
    return modules.get("asgi", "")


def _named(project: Project, scope: Scope, setting: str) -> tuple[str, Place]:
    value = scope.get(setting)
    if isinstance(value, str) and "." in value:
        module = value.rpartition(".")[0].replace(":", ".")
        if project.file(module):
            return module, scope.places.get(setting, Place(""))
    return "", Place("")


def _beside(project: Project, name: str) -> tuple[str, Place]:
    """Find wsgi.py or asgi.py near the settings."""
    parts = project.settings.split(".")
    for length in range(len(parts), -1, -1):
        module = ".".join([*parts[:length], name.removesuffix(".py")])
        if file := project.file(module):
            return module, project.folder.place(file)
    for file in project.folder.files:
        for base in project.python_path:
            inside = file.name == name and file.is_relative_to(base)
            if inside and "test" not in str(file) and not _of_another(project, file):
                parts = list(file.relative_to(base).with_suffix("").parts)
                return ".".join(parts), project.folder.place(file)
    return "", Place("")


def _of_another(project: Project, file: Path) -> bool:
    """Return whether ``file`` is for other settings than the site's: of a second project."""
    named = named_settings(project.folder, file)
    return named is not None and named[0].partition(".")[0] != project.settings.partition(".")[0]


def _name(project: Project, module: str) -> str:
    """Return the name of the application in ``module``."""
    file = project.file(module)
    tree = project.folder.tree(file) if file else None
    defined: set[str] = set()
    for node in tree.body if tree else ():
        if isinstance(node, ast.Assign):
            defined |= {one.id for one in node.targets if isinstance(one, ast.Name)}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            defined |= {one.asname or one.name for one in node.names}
    return next((name for name in ("application", "app") if name in defined), "")


def paths(
    project: Project, interpreter: Interpreter, settings: Scope, module: str, out: Findings
) -> None:
    """Note ``websocket_paths`` of the ASGI application in ``module``."""
    scope = interpreter.module(module)
    found = list(_routes(scope.names.values())) if scope else []
    if not found and _speaks(project, module, "websocket"):
        for file in project.folder.files:  # not reached from there, but it has the usual name
            if file.suffix == ".py" and "websocket_urlpatterns" in project.folder.text(file):
                found += _by_name(project, interpreter, file)
    urlconf = settings.get("ROOT_URLCONF")
    if _speaks(project, module, "WebSocketMiddleware") and isinstance(urlconf, str):
        urls = interpreter.module(urlconf)
        found += _among_pages(urls.get("urlpatterns"), "/") if urls else ()
    prefixes: dict[str, Place] = {}
    for prefix, place in found:
        prefixes.setdefault(shortened(prefix), place)
    for prefix, place in sorted(prefixes.items()):
        nested = any(other != prefix and prefix.startswith(other) for other in prefixes)
        if prefix == "/":
            out.decide(
                "websocket_paths", f"a socket may have any path ({place}); name a prefix", []
            )
        elif not re.fullmatch(URL_PATH, prefix):
            out.decide("websocket_paths", f"the path of {place} could not be read", [])
        elif not nested or "/" in prefixes:
            out.item("websocket_paths", prefix, f"{place}")
    if not prefixes:
        if _speaks(project, module, "websocket"):
            where = project.folder.place(project.file(module) or project.root)
            sentence = f"{where} takes WebSockets, but under which paths could not be read"
            out.decide("websocket_paths", sentence, [])
        else:
            out.found("websocket_paths", [], f"{module} takes no WebSockets")


def _speaks(project: Project, module: str, word: str) -> bool:
    file = project.file(module)
    return word in (project.folder.text(file) if file else "")


def _by_name(project: Project, interpreter: Interpreter, file: Path) -> Iterator[tuple[str, Place]]:
    for base in project.python_path:
        if file.is_relative_to(base):
            parts = file.relative_to(base).with_suffix("").parts
            scope = interpreter.module(".".join(parts))
            if scope is not None:
                yield from _routes([scope.get("websocket_urlpatterns")], "", True)


def _among_pages(routes: Any, prefix: str, depth: int = 0) -> Iterator[tuple[str, Place]]:
    """Give the static beginning of every ``tandem.websocket.websocket()`` of a URLconf."""
    for route in routes if isinstance(routes, list | tuple) and depth < 12 else ():
        if isinstance(route, UrlPattern):
            static, whole = beginning(route.pattern, route.is_regex)
            if route.socket:
                yield prefix + static.lstrip("/"), route.place
            elif whole:
                yield from _among_pages(route.target, prefix + static.lstrip("/"), depth + 1)


def _routes(
    values: Any, prefix: str = "", inside: bool = False, depth: int = 0
) -> Iterator[tuple[str, Place]]:
    """Give the static beginning of every route within a URLRouter."""
    if depth > 12:
        return
    for value in values:
        if isinstance(value, Made):
            router = inside or value.name == "URLRouter"
            yield from _routes(value.arguments, prefix, router, depth + 1)
        elif isinstance(value, dict):
            within = [item for key, item in value.items() if key != "http"]
            yield from _routes(within, prefix, inside, depth + 1)
        elif isinstance(value, list | tuple):
            yield from _routes(value, prefix, inside, depth + 1)
        elif isinstance(value, UrlPattern) and inside:
            static, whole = beginning(value.pattern, value.is_regex)
            target = value.target
            if whole and isinstance(target, Made | list | tuple):
                yield from _routes([target], prefix + static, True, depth + 1)
            else:
                yield "/" + (prefix + static).lstrip("/"), value.place


def beginning(pattern: str, is_regex: bool) -> tuple[str, bool]:
    """Return the part of a pattern before anything variable, and whether that is all of it."""
    if not is_regex:
        static, variable, _ = pattern.partition("<")
        return (static[: static.rfind("/") + 1] if variable else static), not variable
    text = pattern.removeprefix("^").removeprefix("/").replace(r"\.", ".").replace(r"\-", "-")
    text = text.replace(r"\/", "/")
    ends = re.sub(r"(\\Z|\$)$", "", text).removesuffix("/?")
    match = SPECIAL.search(ends.replace(".", "_"))
    if match is None:
        return ends, True
    return ends[: ends.rfind("/", 0, match.start()) + 1], False


def shortened(prefix: str) -> str:
    """Return the folder of sockets in which ``prefix`` is, or itself."""
    parts = prefix.split("/")
    for index, part in enumerate(parts[:-1]):
        if SOCKET_FOLDER.match(part):
            return "/".join(parts[: index + 1]) + "/"
    return prefix
