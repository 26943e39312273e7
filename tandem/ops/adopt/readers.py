"""The ways in which settings read environment variables, as calls and subscripts."""

from __future__ import annotations

from typing import Any

from tandem.ops.adopt.values import (
    FALSE_WORDS,
    UNKNOWN,
    UNSET,
    EnvironmentReader,
    Imported,
    Variable,
    plain,
)

# dotted name → the position of "default" among its arguments.
GETTERS = {"os.environ.get": 1, "os.getenv": 1, "os.environ.setdefault": 1, "os.environ.pop": 1}
# What makes a reader: an object that is called with a name.
MAKERS = {
    "environ.Env", "environ.FileAwareEnv", "environs.Env", "environs.FileAwareEnv",
    "decouple.AutoConfig", "decouple.Config",
}  # fmt: skip
READY = {"decouple.config", "environs.env"}
URLS = {
    "db": "DATABASE_URL",
    "db_url": "DATABASE_URL",
    "dj_db_url": "",
    "cache": "CACHE_URL",
    "cache_url": "CACHE_URL",
    "dj_cache_url": "",
    "email": "EMAIL_URL",
    "email_url": "EMAIL_URL",
    "dj_email_url": "",
    "search_url": "SEARCH_URL",
    "channels": "CHANNELS_URL",
    "channels_url": "CHANNELS_URL",
}
KINDS = {
    "str", "bool", "int", "float", "list", "tuple", "dict", "json", "url", "path", "bytes",
    "decimal", "unicode", "set", "timedelta", "datetime", "date", "uuid", "enum", "get_value",
}  # fmt: skip


def kind_of(cast: Any) -> str:
    """Return the kind that a ``cast=`` or a type in a schema stands for."""
    name = cast.name.rpartition(".")[2] if isinstance(cast, Imported) else ""
    return {"Csv": "list", "db_url": "db", "parse": "db"}.get(name, name or "str")


def schema(keywords: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults of ``Env(DEBUG=(bool, False), NAME=str)``."""
    found = {}
    for name, value in keywords.items():
        if isinstance(value, tuple) and len(value) == 2:
            found[name] = value[1]
    return found


def cast(text: Any, kind: str) -> Any:
    """Return what a variable of the value ``text`` becomes as ``kind``."""
    text = plain(text)
    if not isinstance(text, str):
        return text
    try:
        if kind == "bool":
            return text.strip().lower() not in FALSE_WORDS
        if kind in ("int", "float"):
            return float(text) if kind == "float" else int(text)
    except ValueError:
        return UNKNOWN
    if kind in ("list", "tuple", "set"):
        return [word.strip() for word in text.split(",") if word.strip()]
    if kind in ("str", "unicode", "path", "url", "get_value"):
        return text
    return UNKNOWN


def arguments(
    reader: EnvironmentReader, method: str, given: list[Any], keywords: dict[str, Any]
) -> tuple[str, Any, str] | None:
    """Return ``(name, default, kind)`` of a call of ``reader.method``, if it reads a variable."""
    kind = {"": reader.kind, "dj_db_url": "db", "db_url": "db"}.get(method, method)
    if kind.startswith("dj_"):
        kind = kind.removeprefix("dj_").removesuffix("_url")
    kind = kind.removesuffix("_url")
    if method and method not in URLS and method not in KINDS:
        return None
    name = plain(given[0] if given else keywords.get("var", URLS.get(method) or UNKNOWN))
    if not isinstance(name, str):
        return None
    default = keywords.get("default", UNSET)
    if default is UNSET and reader.kind != "environs":
        positional = {"db": 1, "cache": 1, "email": 1}.get(kind, 2 if not method else 1)
        if len(given) > positional:
            default = given[positional]
    if default is UNSET and reader.kind == "decouple" and len(given) > 1:
        default = given[1]
    if default is UNSET and len(given) > 1 and reader.kind == "environs":
        default = given[1]
    if default is UNSET:
        default = reader.schema.get(name, UNSET)
    if "cast" in keywords and kind not in URLS:
        kind = kind_of(keywords["cast"])
    if kind in ("environ", "environs", "decouple"):
        kind = "str"
    return reader.prefix + name, default, kind


def unwrapped(value: Any) -> Any:
    """Return the literal in ``value``, or ``UNKNOWN``."""
    value = plain(value)
    if isinstance(value, str | bool | int | float | None.__class__):
        return value
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return list(value)
    return UNKNOWN


def first_variable(*values: Any) -> Variable | None:
    """Return the first of ``values`` that is a variable's."""
    return next((value for value in values if isinstance(value, Variable)), None)
