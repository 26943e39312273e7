"""``tandem.yml`` as YAML: a mapping whose every key and value knows its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tandem.ops.bounded.documents import DocumentError, yaml_node
from tandem.ops.bounded.files import RefusedError, read_text

BOOL = "tag:yaml.org,2002:bool"
FLAGS = ("true", "yes", "on", "false", "no", "off")
# What ends a line somewhere: in Python, in YAML, on a terminal.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class SiteError(Exception):
    """``tandem.yml`` is wrong; the message names file, line and cure."""


@dataclass(frozen=True)
class Value:
    """A value of the file, and where it stands."""

    file: Path
    node: yaml.Node
    key: str  # as a reader would name it: "environment.DEBUG"

    def wrong(self, sentence: str) -> SiteError:
        """Return the error that ``sentence`` is about this value."""
        return SiteError(f"{self.file}:{self.node.start_mark.line + 1}: {sentence}")

    def text(self) -> str:
        """Return a string; what YAML takes for anything else must be in quotes."""
        kind = self.node.tag.rpartition(":")[2]
        if isinstance(self.node, yaml.ScalarNode):
            if kind == "str":
                if CONTROL.search(self.node.value):
                    raise self.wrong(f"{self.key} must be one line without control characters")
                return str(self.node.value)
            if kind == "null":
                raise self.wrong(f'{self.key} has no value; take it out, or write "" for none')
            raise self.wrong(
                f"{self.key} must be text, but YAML reads {self.node.value} as {kind};"
                f' put it in quotes: "{self.node.value}"'
            )
        raise self.wrong(f"{self.key} must be text, got a {_form(self.node)}")

    def flag(self) -> bool:
        """Return true or false."""
        if self.node.tag != BOOL or str(self.node.value).lower() not in FLAGS:
            raise self.wrong(f"{self.key} must be true or false")
        return str(self.node.value).lower() in ("true", "yes", "on")

    def items(self) -> list[Value]:
        """Return the values of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.wrong(f"{self.key} must be a list: [a, b], or a line '- a' for each")
        return [Value(self.file, node, self.key) for node in self.node.value]

    def entries(self) -> dict[str, Value]:
        """Return the values of a mapping by their keys."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.wrong(
                f"{self.key or 'the file'} must be a mapping: a line 'NAME: …' for each"
            )
        found: dict[str, Value] = {}
        for key, node in self.node.value:
            name = Value(self.file, key, "a key").text()
            here = Value(self.file, node, f"{self.key}.{name}" if self.key else name)
            if name in found:
                raise Value(self.file, key, name).wrong(f"{here.key} is there twice; keep one")
            found[name] = here
        return found


def read(file: Path) -> Value:
    """Return the whole of ``file``.

    Raises ``SiteError`` where it cannot be read, is empty or is not YAML.
    """
    try:
        return parse(read_text(file, file.parent), file)
    except RefusedError as error:
        raise SiteError(f"{file}: {error.strerror}") from None
    except OSError as error:
        raise SiteError(f"{file}: {error.strerror}; `tandem adopt` writes one") from None


def parse(text: str, file: Path) -> Value:
    """Return the whole of ``text``, which is or will be in ``file``."""
    try:
        node = yaml_node(text)
    except DocumentError as error:
        raise SiteError(f"{file}:{error.line}: {error}") from None
    if node is None:
        raise SiteError(f"{file}:1: is empty; it needs name and settings at least")
    return Value(file, node, "")


def known(value: Value, name: str, names: Iterable[str]) -> None:
    """Refuse a ``name`` that is none of ``names``, with the one that was probably meant."""
    names = list(names)
    if name in names:
        return
    close = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
    raise value.wrong(f"unknown key {name!r}; {hint}")


def _form(node: yaml.Node) -> str:
    return "list" if isinstance(node, yaml.SequenceNode) else "mapping"
