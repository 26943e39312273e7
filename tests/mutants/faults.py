"""The list of planted faults: ``faults/AREA.toml``, one entry for each fault."""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.checkout import ROOT

FOLDER = Path(__file__).parent / "faults"
LINT = "lint: "
LAYERS = ("lint", "unit", "replica", "servers")
REQUIRED = {"name", "file", "old", "new", "promise", "test"}
OPTIONAL = {"ends", "slow"}


@dataclass(frozen=True)
class Fault:
    """One fault: ``old`` becomes ``new`` in ``file``, and ``test`` must go red by an assertion."""

    name: str  # area/what-is-wrong
    file: str
    old: str
    new: str
    promise: str  # page: words that stand in it
    test: str  # a pytest node, or "lint: COMMAND"
    ends: tuple[str, ...] = ()  # exceptions that show the fault as an assertion would
    slow: bool = False  # not among the few that `make test` takes

    @property
    def area(self) -> str:
        """Return the name of the file that lists it."""
        return self.name.partition("/")[0]

    @property
    def layer(self) -> str:
        """Return what its test needs: lint, unit, replica or servers."""
        if self.test.startswith(LINT):
            return "lint"
        layer = self.test.split("/")[1]
        return {"browser": "replica", "sites": "replica"}.get(layer, layer)

    @property
    def quick(self) -> bool:
        """Tell whether its test needs no containers and ends within seconds."""
        return self.layer in ("lint", "unit") and not self.slow

    @property
    def key(self) -> str:
        """Return a digest of all that the entry says."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def planted(self, text: str) -> str:
        """Return ``text`` of the file with the fault in it.

        Raises ``ValueError`` where ``old`` is not there exactly once.
        """
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"{self.name}: its old text is {count} times in {self.file}, not once; "
                f"bring {FOLDER.name}/{self.area}.toml up to date with that file."
            )
        return text.replace(self.old, self.new)

    def complaints(self, root: Path = ROOT) -> list[str]:
        """Return what of this entry is not so any more, in sentences."""
        found = []
        file = root / self.file
        if not file.is_file():
            found.append(f"{self.name}: there is no file {self.file}.")
        else:
            try:
                self.planted(file.read_text())
            except ValueError as error:
                found.append(str(error))
        if self.old == self.new:
            found.append(f"{self.name}: old and new are the same.")
        page, _, words = self.promise.partition(": ")
        if not (root / page).is_file() or _plain(words) not in _page(root / page):
            found.append(f"{self.name}: {page} does not say '{words}'.")
        return found + self._test_complaints(root)

    def _test_complaints(self, root: Path) -> list[str]:
        if self.test.startswith(LINT):
            program = self.test.removeprefix(LINT).split()[0]
            there = (root / program).exists() or (root / ".venv/bin" / program).exists()
            return [] if there else [f"{self.name}: there is no program {program}."]
        path, _, function = self.test.partition("::")
        if not (root / path).is_file():
            return [f"{self.name}: there is no file {path}."]
        if function.partition("[")[0] not in _functions(root / path):
            return [f"{self.name}: {path} has no test {function}."]
        return []


def load(folder: Path = FOLDER) -> list[Fault]:
    """Return all faults.  Raises ``ValueError`` for an entry that is not as it must be."""
    faults = [
        _fault(path.stem, entry)
        for path in sorted(folder.glob("*.toml"))
        for entry in tomllib.loads(path.read_text())["fault"]
    ]
    names = [fault.name for fault in faults]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two faults are called {', '.join(twice)}; give each a name of its own.")
    return faults


def _fault(area: str, entry: dict[str, Any]) -> Fault:
    keys = set(entry)
    if keys - REQUIRED - OPTIONAL or REQUIRED - keys:
        raise ValueError(
            f"{area}.toml: {entry.get('name')} must have {', '.join(sorted(REQUIRED))}."
        )
    name, ends = f"{area}/{entry['name']}", tuple(entry.get("ends", ()))
    return Fault(**{**entry, "name": name, "ends": ends})


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("**", ""))


@cache
def _page(path: Path) -> str:
    return _plain(path.read_text())


@cache
def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
