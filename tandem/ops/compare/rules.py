"""What differs by nature between two answers to the same request, and yours besides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tandem.facts import RELEASE_HEADER, UPSTREAM_HEADER
from tandem.ops.bounded.documents import DocumentError, yaml_node
from tandem.ops.bounded.files import read_text

# Of the moment, of the server that answered, or of how the body was sent.
NATURAL_HEADERS = frozenset(
    [
        "age", "alt-svc", "connection", "content-length", "date", "keep-alive", "server",
        "server-timing", "transfer-encoding", "via", "x-request-id", "x-runtime",
        RELEASE_HEADER.lower(), UPSTREAM_HEADER.lower(),
    ]
)  # fmt: skip
KEYS = ("ignore-headers", "ignore-patterns", "compare-headers")


class RulesError(Exception):
    """A rule is wrong; the message says where, and what to write."""


@dataclass(frozen=True)
class Rules:
    """Which headers are not compared, and which patterns of a body are made equal."""

    headers: frozenset[str] = NATURAL_HEADERS
    patterns: tuple[re.Pattern[str], ...] = ()

    def extended(
        self,
        ignore_headers: Iterable[str] = (),
        ignore_patterns: Iterable[str] = (),
        compare_headers: Iterable[str] = (),
        where: str = "--ignore-pattern",
    ) -> Rules:
        """Return these rules and more.  Raises ``RulesError`` for a pattern that is none."""
        patterns = list(self.patterns)
        for text in ignore_patterns:
            try:
                patterns.append(re.compile(text))
            except (re.error, OverflowError, RecursionError) as error:
                raise RulesError(f"{where}: {text!r} is no regular expression: {error}") from None
        headers = self.headers | {name.lower() for name in ignore_headers}
        return Rules(headers - {name.lower() for name in compare_headers}, tuple(patterns))


def load(file: Path, rules: Rules) -> Rules:
    """Return ``rules`` and those of a YAML file.  Raises ``RulesError``."""
    try:
        document = yaml_node(read_text(file))
    except OSError as error:
        raise RulesError(f"{file}: {error.strerror}") from None
    except DocumentError as error:
        raise RulesError(f"{file}:{error.line}: {error}") from None
    if document is None:
        return rules
    if not isinstance(document, yaml.MappingNode):
        raise RulesError(f"{file}:1: must be a mapping with {', '.join(KEYS)}")
    for key, value in document.value:
        where = f"{file}:{key.start_mark.line + 1}"
        if key.value not in KEYS:
            name = repr(key.value) if isinstance(key, yaml.ScalarNode) else "of another kind"
            raise RulesError(f"{where}: unknown key {name}; known are {', '.join(KEYS)}")
        if not isinstance(value, yaml.SequenceNode) or not all(
            isinstance(item, yaml.ScalarNode) for item in value.value
        ):
            raise RulesError(f"{where}: {key.value} must be a list of texts")
        for item in value.value:
            line = f"{file}:{item.start_mark.line + 1}"
            rules = rules.extended(**{key.value.replace("-", "_"): [str(item.value)]}, where=line)
    return rules
