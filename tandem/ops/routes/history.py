"""What was applied when, and the way back: a file of JSON lines for each target.

An entry has the whole text that was applied, and ``back``: the number of the entry that a
rollback returns to.  So each rollback goes one step further, and the next change starts
from where that has led.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from socket import gethostname


@dataclass(frozen=True)
class Change:
    """One change that is in force, or was."""

    at: str  # ISO 8601, UTC
    by: str
    what: str
    text: str
    back: int | None = None


def me() -> str:
    """Return who runs this: ``user@host``."""
    return f"{getuser()}@{gethostname()}"


def now() -> str:
    """Return the time as the history has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class History:
    """The entries in ``file``, which need not be there yet."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def entries(self) -> list[Change]:
        """Return all entries, oldest first."""
        if not self.file.exists():
            return []
        return [Change(**json.loads(line)) for line in self.file.read_text().splitlines() if line]

    def add(self, what: str, before: str, text: str) -> None:
        """Note that ``text`` is in force; ``before`` was, should nothing be known yet."""
        entries = self.entries()
        if not entries:
            self._write(Change(now(), me(), "as it was found", before))
            entries = self.entries()
        self._write(Change(now(), me(), what, text, back=len(entries) - 1))

    def previous(self) -> Change | None:
        """Return the entry that a rollback returns to, or nothing."""
        entries = self.entries()
        if not entries or entries[-1].back is None:
            return None
        return entries[entries[-1].back]

    def went_back(self) -> None:
        """Note that ``previous()`` is in force again."""
        target = self.previous()
        assert target is not None  # noqa: S101
        what = f"rollback to {target.at}: {target.what}"
        self._write(Change(now(), me(), what, target.text, target.back))

    def _write(self, entry: Change) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a") as out:
            out.write(json.dumps(asdict(entry)) + "\n")
