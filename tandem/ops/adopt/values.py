"""What an expression of settings may be, when it is read and not run."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from tandem.ops.adopt.folder import Place

FALSE_WORDS = ("", "0", "false", "off", "no", "n", "f", "none")


class Unknown:
    """A value that only running the code would tell."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()
UNSET = object()  # "no default", as None may be one


@dataclass(frozen=True)
class Read:
    """One reading of an environment variable by the settings."""

    name: str
    place: Place
    setting: str  # the name to which its value is assigned, or ""
    required: bool = True
    default: Any = UNSET
    kind: str = "str"  # the cast: bool, int, list, db, cache, …


@dataclass(frozen=True)
class Variable:
    """The value of an environment variable, perhaps cast."""

    read: Read
    assumed: Any = UNKNOWN  # what it would be


@dataclass(frozen=True)
class Imported:
    """Something of a module that is not the site's: ``os.environ.get``."""

    name: str


@dataclass(frozen=True)
class EnvironmentReader:
    """An ``Env()`` of django-environ or environs, a ``Config`` of decouple."""

    kind: str = "str"
    schema: dict[str, Any] = field(default_factory=dict)  # name → default, as Env(DEBUG=(bool, …))
    prefix: str = ""


@dataclass(frozen=True)
class Method:
    """A method of a known value: ``names.split``."""

    owner: Any
    name: str


@dataclass(frozen=True)
class Function:
    """A function of the site."""

    node: ast.FunctionDef
    scope: Scope


@dataclass(frozen=True)
class UrlPattern:
    """``path()`` or ``re_path()``; its target is a view, or the routes of an include."""

    pattern: str
    is_regex: bool
    target: Any
    place: Place
    socket: bool = False  # tandem.websocket's, among the pages


@dataclass(frozen=True)
class Made:
    """A call that makes something of other values: ``URLRouter([…])``, ``Celery("shop")``."""

    name: str
    arguments: tuple[Any, ...]
    place: Place


@dataclass(eq=False)
class Scope:
    """The names of one module and where each got its value."""

    module: str = ""
    names: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    missing: dict[str, Place] = field(default_factory=dict)  # modules that it hopes for

    def get(self, name: str) -> Any:
        """Return the value of ``name``."""
        return self.names.get(name, UNKNOWN)


def plain(value: Any) -> Any:
    """Return what ``value`` would be, a ``Variable`` being what is assumed of it."""
    return value.assumed if isinstance(value, Variable) else value


def truth(value: Any) -> bool | None:
    """Return whether ``value`` is true, or ``None`` where that is not known."""
    value = plain(value)
    known = (str, bytes, int, float, list, dict, tuple, set, type(None))
    if not isinstance(value, known):
        return None
    return bool(value)
