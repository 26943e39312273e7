"""An environment that remembers which variables a site reads, where, and with which default."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

MOST = 2000  # variables that are remembered
IMPORT = "<frozen importlib"
TANDEM = f"{Path(__file__).parents[1]}/"
PLAIN = (str, int, float, bool, type(None), list, tuple, dict)
UNSET = object()


@dataclass
class Read:
    """A variable: where the site's code reads it first, whether it was there, its default.

    Without a place it is a package's own business, or that of one that reads for the site later.
    """

    place: str
    given: bool
    default: Any = UNSET


class Homes:
    """The folders of a site's own code."""

    def __init__(self, *folders: Path) -> None:
        self.folders = [f"{folder}/" for folder in folders]

    def place(self, frame: FrameType | None, line: int | None = None) -> str:
        """Return where a frame is, as ``shop/settings.py:12``; nothing where not in the site."""
        file = frame.f_code.co_filename if frame else ""
        for folder in self.folders:
            if frame and file.startswith(folder):
                return f"{file.removeprefix(folder)}:{line or frame.f_lineno}"
        return ""


class Recorded(os._Environ):
    """``os.environ``, with what the site reads in ``reads`` and who copies all of it in ``copied``.

    What a package reads for itself, as it is imported, is none of the site's.
    """

    def __init__(self, old: Any, homes: Homes) -> None:
        super().__init__(old._data, old.encodekey, old.decodekey, old.encodevalue, old.decodevalue)
        self.homes = homes
        self.reads: dict[str, Read] = {}
        self.copied = ""

    def __getitem__(self, key: str) -> str:
        """Return a variable."""
        self._note(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return a variable, or ``default``."""
        self._note(key, default)
        try:
            return super().__getitem__(key)
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        """Tell whether there is a variable."""
        self._note(key)
        return self._there(key)

    def __iter__(self) -> Iterator[str]:
        """Give all names: who asks so looks for some that nobody can know."""
        caller = _caller(self.homes)
        self.copied = self.copied or (caller[0] if caller else "")
        return super().__iter__()

    def _there(self, key: object) -> bool:
        return isinstance(key, str) and self.encodekey(key) in self._data  # type: ignore[attr-defined]

    def _note(self, key: object, default: Any = UNSET) -> None:
        caller = _caller(self.homes) if isinstance(key, str) else None
        if caller is None or not isinstance(key, str):
            return
        place, within = caller
        default = within if default in (UNSET, None) and within is not UNSET else default
        known = self.reads.get(key)
        if known is None and len(self.reads) < MOST:
            self.reads[key] = Read(place, self._there(key), default)
        elif known and not known.place:
            known.place, known.default = place, default
        elif known and place and known.default in (UNSET, None):
            known.default = default


def _caller(homes: Homes) -> tuple[str, Any] | None:
    """Return where the site's code asks, and the default that it gave to a package that asks.

    ``None`` where Tandem asks for itself.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    default: Any = UNSET
    while frame and not frame.f_code.co_filename.startswith(IMPORT):
        if place := homes.place(frame):
            return place, default
        if frame.f_code.co_filename.startswith(TANDEM):
            return None
        given = frame.f_locals.get("default", UNSET)
        if default is UNSET and type(given) in PLAIN:
            default = given
        frame = frame.f_back
    return "", UNSET


def record(homes: Homes) -> Recorded:
    """Have everybody read an environment that remembers; return it."""
    recorded = Recorded(os.environ, homes)
    os.environ = recorded  # noqa: B003 - it stands for the old one
    return recorded
