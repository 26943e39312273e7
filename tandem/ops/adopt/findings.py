"""What was found out about a site: values, why, and what its owner must decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# Begins the reason of an entry that stands in for what only the owner can give.
STAND_IN = "decide: "


class AdoptError(Exception):
    """The folder cannot be adopted; one sentence says why, and what to do."""


@dataclass
class Finding:
    """One key of tandem.yml."""

    value: Any
    why: list[str] = field(default_factory=list)
    decide: list[str] = field(default_factory=list)
    entries: dict[str, str] = field(default_factory=dict)  # of a mapping: why each is there
    suggested: dict[str, str] = field(default_factory=dict)  # entries left out, and why


class Findings:
    """All keys, in the order in which they were found."""

    def __init__(self) -> None:
        self.keys: dict[str, Finding] = {}
        self.asked = False  # the running code has told; else the files alone

    def found(self, key: str, value: Any, *why: str) -> None:
        """Give ``key`` its value; ``why`` names what was found and where."""
        finding = self.keys.setdefault(key, Finding(value))
        finding.value = value
        finding.why.extend(why)

    def decide(self, key: str, sentence: str, default: Any = None) -> None:
        """Leave ``key`` to the owner; ``default`` is its value if it has none yet."""
        self.keys.setdefault(key, Finding(default)).decide.append(sentence)

    def entry(self, key: str, name: str, value: str, why: str) -> None:
        """Add an entry to a mapping such as ``environment``."""
        finding = self.keys.setdefault(key, Finding({}))
        if name not in finding.value:
            finding.value[name] = value
            finding.entries[name] = why

    def item(self, key: str, value: str, why: str) -> None:
        """Add an item to a list such as ``secrets``."""
        finding = self.keys.setdefault(key, Finding([]))
        if value not in finding.value:
            finding.value.append(value)
            finding.entries[value] = why

    def suggest(self, key: str, name: str, why: str, default: Any) -> None:
        """Name an entry that only the owner can give."""
        self.keys.setdefault(key, Finding(default)).suggested.setdefault(name, why)

    def give(self, key: str, name: str, value: str, why: str) -> None:
        """Give an entry of a mapping another value, or its first."""
        self.drop(key, name)
        self.entry(key, name, value, why)

    def drop(self, key: str, name: str) -> None:
        """Take an entry or an item out again, and the word that its owner should give it."""
        if (finding := self.keys.get(key)) is None:
            return
        if isinstance(finding.value, dict):
            finding.value.pop(name, None)
        elif name in (finding.value or ()):
            finding.value.remove(name)
        finding.entries.pop(name, None)
        finding.suggested.pop(name, None)

    def anew(self, key: str, value: Any, *why: str) -> None:
        """Give ``key`` its value, and forget what was thought of it before."""
        self.keys.pop(key, None)
        self.found(key, value, *why)

    def value(self, key: str) -> Any:
        """Return what was found for ``key``."""
        return self.keys[key].value if key in self.keys else None

    @property
    def undecided(self) -> list[tuple[str, str]]:
        """Return ``(key, sentence)`` of everything that the owner must decide."""
        return [
            (key, sentence)
            for key, finding in self.keys.items()
            for sentence in [
                *finding.decide,
                *(f"{name}: {why}" for name, why in finding.suggested.items()),
                *(
                    f"{name}: {why.removeprefix(STAND_IN)}"
                    for name, why in finding.entries.items()
                    if why.startswith(STAND_IN)
                ),
            ]
        ]
