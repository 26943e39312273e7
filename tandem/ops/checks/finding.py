"""What a check can find, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core import checks

TAG = "async"
# What a finding means for a URL pattern whose code it is in.
NOT_READY, COST = "not ready", "ready with cost"


@dataclass(frozen=True)
class Kind:
    """One sort of finding.  ``code`` is stable: W is a warning, I a note that needs no cure.

    ``verdict`` is what it makes of a URL pattern, or empty where it is the whole site's.
    """

    code: str
    title: str
    why: str
    cure: str
    cost: str
    verdict: str = ""

    @property
    def level(self) -> int:
        """Django's level of it."""
        return checks.WARNING if self.code.startswith("W") else checks.INFO


KINDS: dict[str, Kind] = {}


def kind(code: str, title: str, **texts: str) -> Kind:
    """Declare a kind of finding; each check does so for those it makes.

    Raises ``ValueError`` for a code that is taken.
    """
    if code in KINDS:
        raise ValueError(f"{code} is taken by {KINDS[code].title!r}")
    KINDS[code] = Kind(code, title, **texts)
    return KINDS[code]


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file; line 0 is the file as a whole."""

    file: Path
    line: int = 0

    def __str__(self) -> str:
        try:
            shown = self.file.relative_to(Path.cwd())
        except ValueError:
            shown = self.file
        return f"{shown}:{self.line}" if self.line else str(shown)


class Finding(checks.CheckMessage):
    """One thing found.  Django's ``check`` prints it like any other message.

    ``also`` are the calls by which asynchronous code reaches this place, for the verdict on a
    URL pattern.
    """

    def __init__(
        self, kind: Kind, place: Place | None, said: str, also: tuple[Place, ...] = ()
    ) -> None:
        self.kind, self.place, self.said, self.also = kind, place, said, also
        super().__init__(
            kind.level,
            f"{said} {self.reached}{kind.why}",
            hint=f"{kind.cure} Cost: {kind.cost}",
            obj=place or "settings",
            id=f"tandem.{kind.code}",
        )

    @property
    def reached(self) -> str:
        """By which calls the event loop comes here, as a sentence, or nothing."""
        if not self.also:
            return ""
        shown = ", ".join(str(place) for place in self.also[:3])
        more = f" and {len(self.also) - 3} more" if len(self.also) > 3 else ""
        return f"The event loop comes here by {shown}{more}. "

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Finding) and self.key() == other.key()

    def __hash__(self) -> int:
        return hash(self.key())

    def key(self) -> tuple[bool, str, str, int, str]:
        """Return what orders findings and tells them apart."""
        file, line = (str(self.place.file), self.place.line) if self.place else ("", 0)
        return self.level < checks.WARNING, self.kind.code, file, line, self.said
