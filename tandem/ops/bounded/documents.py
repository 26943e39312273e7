"""Parse YAML, JSON and TOML of others: any text gives data or one sentence."""

from __future__ import annotations

import json
import tomllib
from typing import Any, NoReturn

import yaml

YAML_BYTES = 400_000
DEPTH = 40
# Nodes, aliases written out, and a hundred characters for one more.
SIZE = 40_000
# What PyYAML raises for a value that is not of its tag: !!int '', 2001-99-99, "\UFFFFFFFF".
ODD = (ValueError, OverflowError, TypeError, AttributeError, LookupError, RecursionError)


class DocumentError(ValueError):
    """A text is no document of its kind, or a too large one; ``line`` says where."""

    def __init__(self, sentence: str, line: int = 1) -> None:
        super().__init__(sentence)
        self.line = line


def yaml_node(text: str) -> yaml.Node | None:
    """Return the node of the only document in ``text``; ``None`` of none.

    Raises ``DocumentError``.
    """
    try:
        _measure(text)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        _not_yaml(error)
    except ODD as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"not YAML: {_said(error)}") from None


def yaml_data(text: str) -> Any:
    """Return what ``text`` says in plain YAML.  Raises ``DocumentError``."""
    node = yaml_node(text)
    return None if node is None else plain(node)


def plain(node: yaml.Node) -> Any:
    """Return what a node says in plain YAML.  Raises ``DocumentError``."""
    try:
        return yaml.SafeLoader("").construct_document(node)
    except yaml.YAMLError as error:
        _not_yaml(error, "not plain YAML")
    except ODD as error:
        raise DocumentError(f"not plain YAML: {_said(error)}") from None


def json_data(text: str) -> Any:
    """Return what ``text`` says in JSON, which has no NaN.  Raises ``DocumentError``."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise DocumentError("not JSON: nested too deep") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"not JSON: {error.msg}", error.lineno) from None
    except ValueError as error:
        raise DocumentError(f"not JSON: {_said(error)}") from None


def toml_data(text: str) -> dict[str, Any]:
    """Return what ``text`` says in TOML.  Raises ``DocumentError``."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise DocumentError("not TOML: nested too deep") from None
    except (ValueError, OverflowError) as error:
        raise DocumentError(f"not TOML: {_said(error)}") from None


def _measure(text: str) -> None:
    """Refuse what would be too deep, or too large with its aliases written out."""
    if len(text) > YAML_BYTES:
        raise DocumentError(f"longer than {YAML_BYTES:,} characters")
    known: dict[str, int] = {}
    around: list[tuple[str | None, int]] = []  # anchor and size of what is not closed yet
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.CollectionStartEvent):
            around.append((event.anchor, 1))
            if len(around) > DEPTH:
                raise DocumentError(f"nested deeper than {DEPTH} levels", line)
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, size = around.pop()
        elif isinstance(event, yaml.ScalarEvent):
            anchor, size = event.anchor, 1 + len(event.value) // 100
            if any("\ud800" <= character <= "\udfff" for character in event.value):
                raise DocumentError("has half a character (a surrogate)", line)
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in around):
                raise DocumentError(f"*{event.anchor} is within itself", line)
            anchor, size = None, known.get(event.anchor or "", 1)
        else:
            continue
        if anchor is not None:
            known[anchor] = size
        if around:
            around[-1] = around[-1][0], around[-1][1] + size
        if size > SIZE or (around and around[-1][1] > SIZE):
            raise DocumentError(f"more than {SIZE:,} values, aliases written out", line)


def _not_yaml(error: yaml.YAMLError, what: str = "not YAML") -> NoReturn:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    problem = getattr(error, "problem", None) or _said(error)
    raise DocumentError(f"{what}: {problem}", line) from None


def _said(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
