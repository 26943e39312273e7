"""Calls in settings: what reads the environment, and the few functions worth knowing."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from tandem.ops.adopt import readers
from tandem.ops.adopt.folder import Folder
from tandem.ops.adopt.values import (
    UNKNOWN,
    UNSET,
    EnvironmentReader,
    Function,
    Imported,
    Made,
    Method,
    Read,
    Scope,
    UrlPattern,
    Variable,
    plain,
)

# What gives the items of its argument, in whatever order.
SAME = {"list", "tuple", "set", "sorted", "frozenset", "reversed", "dict.fromkeys"}
SCALAR = (str, int, float, type(None))
CALL_DEPTH = 4  # functions that call functions
ROUTES = {
    "django.urls.path": False,
    "django.urls.re_path": True,
    "django.conf.urls.url": True,
    "django.urls.conf.path": False,
    "channels.routing.route": True,
    "tandem.websocket.websocket": False,
    "tandem.websocket.routing.websocket": False,
}
SOCKETS = {name for name in ROUTES if name.startswith("tandem.")}
APPLICATIONS = {
    "URLRouter", "ProtocolTypeRouter", "AllowedHostsOriginValidator", "OriginValidator",
    "AuthMiddlewareStack", "SessionMiddlewareStack", "AuthMiddleware", "CookieMiddleware",
}  # fmt: skip


class Calls:
    """``_of_call()``, and the notes of what is read."""

    folder: Folder
    evaluate: Callable[[ast.AST | None, Scope], Any]
    block: Callable[[list[ast.stmt], Scope], Any]
    include: Callable[[str, Scope, ast.AST], Scope | None]
    splice: Callable[[Any, Scope], None]

    def __init__(self, folder: Folder, assumed: dict[str, str]) -> None:
        self.folder = folder
        self.assumed = assumed  # what the environment will be
        self.reads: list[Read] = []
        self.latest: list[Read] = []  # within the function of the site that is evaluated
        self.compared: dict[str, set[str]] = {}  # with which words a variable is compared
        self.target = ""  # the name that is being assigned
        self.file = folder.path
        self.forgiving = 0  # within a try: that catches a missing variable
        self.depth = 0
        self.ended = False  # a return was certain: what follows in its function is not reached
        self.caller: ast.Call | None = None  # of the function of the site that is evaluated

    def read(
        self, name: str, node: ast.AST, scope: Scope, default: Any = UNSET, kind: str = "str"
    ) -> Variable:
        """Note that variable ``name`` is read, and return its value."""
        required = default is UNSET and not self.forgiving
        literal = UNSET if default is UNSET else readers.unwrapped(default)
        place = self.folder.place(self.file, self.caller or node)
        found = Read(name, place, self.target, required, literal, kind)
        self.latest.append(found)
        if found not in self.reads:
            self.reads.append(found)
        if name in self.assumed:
            value: Any = self.assumed[name]
        elif default is UNSET:
            value = UNKNOWN if required else None
        else:
            value = plain(default)
        return Variable(found, readers.cast(value, kind))

    def present(self, name: str, node: ast.AST, scope: Scope) -> bool:
        """Return whether ``name`` will be in the environment."""
        self.read(name, node, scope, None)
        return name in self.assumed

    def compare(self, value: Any, words: Any) -> None:
        """Note that ``value``, if it is a variable's, is compared with ``words``."""
        if isinstance(value, Variable):
            texts = words if isinstance(words, list | tuple | dict) else [words]
            found = {plain(one) for one in texts if isinstance(plain(one), str)}
            self.compared.setdefault(value.read.name, set()).update(found)

    def _of_call(self, node: ast.Call, scope: Scope) -> Any:
        """Return what a call gives."""
        function = self.evaluate(node.func, scope)
        given = [self.evaluate(one, scope) for one in node.args]
        keywords: dict[str, Any] = {}
        for one in node.keywords:
            value = self.evaluate(one.value, scope)
            if one.arg is not None:
                keywords[one.arg] = value
            elif isinstance(value, dict):  # **value
                keywords |= {name: item for name, item in value.items() if isinstance(name, str)}
        if isinstance(function, Imported):
            return self._imported(function.name, given, keywords, node, scope)
        if isinstance(function, EnvironmentReader):
            return self._reader(function, "", given, keywords, node, scope)
        if isinstance(function, Method):
            return self._method(function, given, keywords, node, scope)
        if isinstance(function, Function) and self.depth < CALL_DEPTH:
            caller, self.caller = self.caller, self.caller or node
            try:
                return self._function(function, given, keywords)
            finally:
                self.caller = caller
        variable = readers.first_variable(*given, *keywords.values())
        return Variable(variable.read) if variable else UNKNOWN

    def _imported(
        self, name: str, given: list[Any], keywords: dict[str, Any], node: ast.Call, scope: Scope
    ) -> Any:
        last = name.rpartition(".")[2]
        if name in readers.GETTERS:
            key = plain(given[0]) if given else UNKNOWN
            default = given[1] if len(given) > 1 else keywords.get("default")
            return self.read(key, node, scope, default) if isinstance(key, str) else UNKNOWN
        if name in readers.MAKERS:
            return EnvironmentReader(name.partition(".")[0], readers.schema(keywords))
        if name in readers.READY:
            reader = EnvironmentReader(name.partition(".")[0])
            return self._reader(reader, "", given, keywords, node, scope)
        if name == "dj_database_url.config":
            key = plain(keywords.get("env", given[0] if given else "DATABASE_URL"))
            default = keywords.get("default", given[1] if len(given) > 1 else "")
            name = key if isinstance(key, str) else "DATABASE_URL"
            return self.read(name, node, scope, default, "db")
        if name == "dj_database_url.parse" and given and isinstance(given[0], Variable):
            return self._as(given[0], "db")
        if name.startswith("environs.env."):
            return self._reader(EnvironmentReader("environs"), last, given, keywords, node, scope)
        if name in ("bool", "int", "float", "str") and given:
            value = plain(given[0])
            if name == "bool":
                # Python's: the word "False" is true.
                value = bool(value) if value is not UNKNOWN else UNKNOWN
            elif value is not UNKNOWN:
                value = readers.cast(str(value), name)
            return Variable(given[0].read, value) if isinstance(given[0], Variable) else value
        if name in SAME and given:
            return given[0]
        if name in ROUTES and given:
            return self._route(name, given, keywords, node)
        if name in ("django.urls.include", "django.conf.urls.include") and given:
            target = given[0][0] if isinstance(given[0], tuple) and given[0] else given[0]
            if isinstance(target, str):
                module = self.include(target, scope, node)
                if module is not None:
                    return module.get("urlpatterns")
                place = self.folder.place(self.file, node)
                # django-health-check's; of others it is not known what they have.
                return (
                    [UrlPattern("", False, UNKNOWN, place)] if target == "health_check.urls" else []
                )
            return target.get("urlpatterns") if isinstance(target, Scope) else target
        if last in APPLICATIONS or name == "celery.Celery":
            return Made(last, tuple(given), self.folder.place(self.file, node))
        if name in ("pathlib.Path", "split_settings.tools.optional") and given:
            return given[0]
        if name == "split_settings.tools.include":
            for one in given:
                self.splice(plain(one), scope)
            return None
        if name in ("os.path.join",) and given:
            variable = readers.first_variable(*given)
            parts = [plain(one) for one in given]
            joined = "/".join(one for one in parts if isinstance(one, str)) or UNKNOWN
            return Variable(variable.read, joined) if variable else joined
        variable = readers.first_variable(*given, *keywords.values())
        return Variable(variable.read) if variable else UNKNOWN

    def _as(self, variable: Variable, kind: str) -> Variable:
        """Say of a variable that was read as text already what it is parsed as."""
        old = variable.read
        new = Read(old.name, old.place, old.setting, old.required, old.default, kind)
        self.reads = [new if one == old else one for one in self.reads]
        return Variable(new, UNKNOWN)

    def _route(self, name: str, given: list[Any], keywords: dict[str, Any], node: ast.Call) -> Any:
        pattern = plain(given[0])
        target = given[1] if len(given) > 1 else keywords.get("view", UNKNOWN)
        if not isinstance(pattern, str):
            return UNKNOWN
        place = self.folder.place(self.file, node)
        return UrlPattern(pattern, ROUTES[name], target, place, name in SOCKETS)

    def _reader(
        self,
        reader: EnvironmentReader,
        method: str,
        given: list[Any],
        keywords: dict[str, Any],
        node: ast.Call,
        scope: Scope,
    ) -> Any:
        if found := readers.arguments(reader, method, given, keywords):
            name, default, kind = found
            return self.read(name, node, scope, default, kind)
        if method == "prefixed" and given and isinstance(given[0], str):
            reader.__dict__["prefix"] = given[0]
        return UNKNOWN

    def _method(
        self,
        method: Method,
        given: list[Any],
        keywords: dict[str, Any],
        node: ast.Call,
        scope: Scope,
    ) -> Any:
        owner, name = method.owner, method.name
        if isinstance(owner, EnvironmentReader):
            return self._reader(owner, name, given, keywords, node, scope)
        value, arguments = plain(owner), [plain(one) for one in given]
        if isinstance(value, list):
            if name in ("append", "insert") and given:
                value.insert(len(value), given[-1])
            elif name in ("extend",) and isinstance(arguments[0], list | tuple):
                value.extend(arguments[0])
        elif isinstance(value, dict):
            if name == "update":
                value.update(arguments[0] if arguments and isinstance(arguments[0], dict) else {})
                value.update(keywords)
                if given and isinstance(given[0], Variable) and given[0].read.kind == "db":
                    value["__url__"] = given[0]
            elif name in ("get", "pop", "setdefault") and arguments:
                return value.get(arguments[0], given[1] if len(given) > 1 else None)
        elif (
            isinstance(value, str)
            and name in ("lower", "upper", "strip", "split", "title")
            and all(isinstance(one, str) for one in arguments)
        ):
            value = getattr(value, name)(*arguments)
            return Variable(owner.read, value) if isinstance(owner, Variable) else value
        return Variable(owner.read) if isinstance(owner, Variable) else UNKNOWN

    def _function(self, function: Function, given: list[Any], keywords: dict[str, Any]) -> Any:
        parameters = function.node.args
        names = [one.arg for one in (*parameters.posonlyargs, *parameters.args)]
        inner = Scope(function.scope.module, dict(function.scope.names), {})
        for name, default in zip(reversed(names), reversed(parameters.defaults), strict=False):
            inner.names[name] = self.evaluate(default, function.scope)
        for one, standard in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
            inner.names[one.arg] = self.evaluate(standard, function.scope)
        inner.names.update(zip(names, given, strict=False))
        inner.names.update(keywords)
        self.depth += 1
        ended, self.ended = self.ended, False
        latest, self.latest = self.latest, []
        try:
            result = self.block(function.node.body, inner)
            if len({read.name for read in self.latest}) == 1 and isinstance(result, SCALAR):
                # A function made to read a variable: what it gives is that, or its default.
                result = Variable(self.latest[0], result)
            return result
        finally:
            self.depth -= 1
            self.ended = ended
            self.latest = [*latest, *self.latest]
