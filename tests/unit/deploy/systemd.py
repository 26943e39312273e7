"""Units and their drop-ins, as systemd merges them."""

from __future__ import annotations

from pathlib import Path

from tests.checkout import ROOT

FOLDER = ROOT / "deploy/systemd"
# An empty value empties what was said before, and more values are added (systemd.syntax(7)).
LISTS = {
    "EnvironmentFile", "Environment", "ExecStart", "ExecStartPre", "ExecStartPost", "ExecReload",
    "ExecStop", "ExecStopPost", "ListenStream", "ReadWritePaths", "SystemCallFilter", "After",
    "Requires", "Wants", "Before", "LoadCredential", "CapabilityBoundingSet",
}  # fmt: skip


class Unit:
    """A unit with its drop-ins: ``unit["Service", "User"]``."""

    def __init__(self, *files: str | Path) -> None:
        self._values: dict[tuple[str, str], list[str]] = {}
        for file in files:
            self._read((FOLDER / file).read_text())

    def _read(self, text: str) -> None:
        section = ""
        for line in text.replace("\\\n", " ").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith(("#", ";")):
                name, _, value = line.partition("=")
                values = self._values.setdefault((section, name), [])
                if name not in LISTS or not value:
                    values.clear()
                values.append(value)

    def __getitem__(self, key: tuple[str, str]) -> str:
        """Return a value, or the lines of a list; ``""`` where there is none."""
        return "\n".join(filter(None, self._values.get(key, [])))

    def names(self, section: str) -> set[str]:
        """Return what is set in a section."""
        return {name for where, name in self._values if where == section}
