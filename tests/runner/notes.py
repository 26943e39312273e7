"""What a layer does, as its pytest notes it (``progress.py``): line by line, in JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOTES = "TANDEM_TEST_NOTES"  # names the file
PARAMETERS = 40  # characters shown


@dataclass
class Layer:
    """What the notes of a layer say so far."""

    file: Path
    collected: int = 0
    running: dict[str, None] = field(default_factory=dict)  # in the order of their start
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    _read: int = 0

    def read(self) -> list[str]:
        """Take in what was noted since; return the tests that failed meanwhile."""
        if not self.file.exists():
            return []
        with self.file.open() as notes:
            notes.seek(self._read)
            text = notes.read()
        whole = text[: text.rfind("\n") + 1]
        self._read += len(whole.encode())
        failed = []
        for note in map(json.loads, whole.splitlines()):
            self.collected = note.get("collected", self.collected)
            if "start" in note:
                self.running[note["start"]] = None
            if "end" in note:
                test = note.pop("end")
                self.running.pop(test, None)
                self.ended[test] = note
                failed += [test] if note["outcome"] == "failed" else []
        return failed

    def count(self, outcome: str) -> int:
        """Return how many tests passed, failed or skipped."""
        return sum(result["outcome"] == outcome for result in self.ended.values())


def spoken(nodeid: str) -> str:
    """Say a test's name: ``…/test_chat.py::test_a_killed_worker[asgi]`` → ``chat: a killed …``."""
    file, _, test = nodeid.partition("::")
    name, bracket, parameters = test.rpartition("::")[2].partition("[")
    words = re.sub("^test ", "", name.replace("_", " "))
    # A parameter may be a page of text.
    said = (bracket and " [") + " ".join(parameters.split())
    return f"{Path(file).stem.removeprefix('test_')}: {words}{shorten(said, PARAMETERS)}"


def shorten(text: str, length: int) -> str:
    """Cut text that is longer."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
