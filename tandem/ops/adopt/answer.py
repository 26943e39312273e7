"""What a site has answered: nothing in it is believed to be of the type that it should be."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from typing import Any

from tandem.ops.adopt.lines import items, lines, mapping, text, texts
from tandem.ops.adopt.model import VARIABLE

SHOWN = 200  # characters of what an error says
Route = tuple[tuple[str, bool], ...]  # patterns, and whether each is a regular expression


@dataclass(frozen=True)
class Read:
    """A variable that the site has read."""

    name: str
    place: str  # nothing where no code of the site is seen to ask
    given: bool
    default: str | None  # as Python writes it; None: the site gave none


@dataclass(frozen=True)
class Failure:
    """Why a part of the site does not load."""

    part: str
    error: str
    said: str
    place: str = ""
    module: str = ""  # that is missing
    variables: tuple[str, ...] = ()  # that it is about, the likeliest first
    service: bool = False  # it asks for what is not here: a database, Redis, a network
    read_only: bool = False

    def __str__(self) -> str:
        at = f" ({self.place})" if self.place else ""
        kind = f"{self.error}: " if self.error not in ("", self.said) else ""
        return f"{kind}{textwrap.shorten(self.said, SHOWN, placeholder=' …')}{at}"


@dataclass(frozen=True)
class Replaced:
    """A setting of the site that Tandem replaces."""

    name: str
    old: Any
    new: Any
    why: str


@dataclass
class Answer:
    """All that a site has told."""

    settings: dict[str, Any] = field(default_factory=dict)
    apps: list[str] = field(default_factory=list)
    redis: list[str] = field(default_factory=list)  # settings that lead to Redis
    replaced: list[Replaced] = field(default_factory=list)
    reads: dict[str, Read] = field(default_factory=dict)
    copied: str = ""  # who has looked at all variables, so that nobody knows which
    failures: list[Failure] = field(default_factory=list)
    pages: list[Route] | None = None
    sockets: list[Route] | None = None  # None: the ASGI application did not load
    celery: str = ""  # its module
    scheduled: bool = False
    loads: bool = False

    def setting(self, name: str) -> str:
        """Return a setting that is a text."""
        return text(self.settings.get(name))

    def database(self) -> str:
        """Return the engine of the database, nothing where there is none."""
        default = mapping(mapping(self.settings.get("DATABASES")).get("default"))
        return text(default.get("ENGINE"))

    def debug(self) -> bool:
        """Return whether DEBUG is on."""
        return self.settings.get("DEBUG") is True


def parse(said: bytes, ended: str = "") -> Answer:
    """Return what was told; ``ended`` says why it ended before its end, if it did."""
    found = lines(said)

    def last(kind: str) -> dict[str, Any]:
        return found.get(kind, [{}])[-1]

    settings, celery = last("settings"), last("celery")
    answer = Answer(
        settings=mapping(settings.get("declared")),
        apps=texts(last("site").get("apps")),
        redis=texts(settings.get("redis")),
        replaced=[
            Replaced(text(one["name"]), one.get("old"), one.get("new"), text(one.get("why")))
            for one in items(settings.get("replaced"))
            if re.fullmatch("[A-Z0-9_]+", text(one.get("name")))
        ],
        reads={one.name: one for one in map(_read, items(last("reads").get("reads"))) if one},
        copied=text(last("reads").get("copied")),
        failures=[_failure(one) for one in found.get("failed", [])],
        celery=text(celery.get("module")),
        scheduled=celery.get("scheduled") is True,
        loads="site" in found,
    )
    if "urls" in found:
        answer.pages = routes(last("urls").get("pages"))
    if "asgi" in found:
        answer.sockets = routes(last("asgi").get("sockets")) + routes(last("urls").get("sockets"))
    if ended:
        answer.failures.append(Failure("site", "", ended))
    elif "began" not in found:
        answer.failures.append(Failure("site", "", "it says nothing"))
    elif "ended" not in found and not answer.failures:
        answer.failures.append(Failure("site", "", "its process ended before it had said all"))
    return answer


def _read(one: dict[str, Any]) -> Read | None:
    name, default = text(one.get("name")), one.get("default")
    if not re.fullmatch(VARIABLE, name):
        return None
    given = text(default) if isinstance(default, str) else None
    return Read(name, text(one.get("place")), one.get("given") is True, given)


def _failure(one: dict[str, Any]) -> Failure:
    names = [name for name in texts(one.get("variables")) if re.fullmatch(VARIABLE, name)]
    return Failure(
        part=text(one.get("at")),
        error=text(one.get("error")),
        said=text(one.get("said")),
        place=text(one.get("place")),
        module=text(one.get("module")),
        variables=tuple(names[:20]),
        service=one.get("service") is True,
        read_only=one.get("read_only") is True,
    )


def routes(value: Any) -> list[Route]:
    """Return the routes of a list, without what is none."""
    found: list[Route] = []
    for route in value if isinstance(value, list) else ():
        parts = [
            (part[0][:300], part[1] is True)
            for part in (route if isinstance(route, list) else ())
            if isinstance(part, list) and len(part) == 2 and isinstance(part[0], str)
        ]
        if parts:
            found.append(tuple(parts))
    return found
