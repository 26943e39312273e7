"""The settings in ``.env``, which a variable of the shell wins over, and what is wrong in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

import yaml

from tandem.ops.checkout.programs import ROOT

PROJECT = "COMPOSE_PROJECT_NAME"
# What a kind of value is like, and how that is said.
SHAPES = {
    "name": (r"[a-z0-9][a-z0-9_-]*", "lower-case letters, digits, - and _"),
    "names": (
        r"[a-z0-9:][a-z0-9.:-]*(,[a-z0-9:][a-z0-9.:-]*)*",
        "host names separated by commas, without spaces, each in full",
    ),
    "networks": (
        r"([0-9a-fA-F.:/]+(,[0-9a-fA-F.:/]+)*)?",
        "networks such as 10.0.0.0/8 or 2001:db8::/32, separated by commas",
    ),
    "paths": (
        r"(/[A-Za-z0-9._~/-]*(,/[A-Za-z0-9._~/-]*)*)?",
        "paths such as /enter/, separated by commas",
    ),
    "address": (r"[0-9]{1,3}(\.[0-9]{1,3}){3}", "an IPv4 address such as 127.0.0.1"),
}
# Of a stop beside the draining of its sockets.
STOP_MARGIN_SECONDS = 30


class Settings:
    """The settings, as an environment and ``.env`` give them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.text = (ROOT / ".env").read_text()
        self.file = dict(re.findall(r"^([A-Z_]+)=(.*)$", self.text, re.MULTILINE))

    def __getitem__(self, name: str) -> str:
        """Return the value of a setting."""
        return self.environment.get(name, self.file.get(name, ""))

    def instances(self, kind: str) -> int:
        """Return how many instances of a kind there should be."""
        return int(self[f"{kind.upper()}_INSTANCES"])

    def all(self) -> dict[str, str]:
        """Return every setting of the file."""
        return {name: self[name] for name in self.file}

    def complaints(self) -> list[str]:
        """Return a sentence for each mistake."""
        used, needed = variables()
        found, seen, kind = [], set(), ""
        for number, line in enumerate(self.text.splitlines(), 1):
            where, (name, given, value) = f".env:{number}", line.partition("=")
            if line.startswith("#"):
                named = re.search(r"\[([^]]+)\]$", line)
                kind = named[1] if named else kind
            elif not line:
                kind = ""
            elif not given:
                found.append(f"{where}: expected NAME=value, got '{line}'.")
            elif not kind:
                found.append(
                    f"{where}: {name} has no comment that ends with the [kind] of its value;"
                    " is it misspelt, or was its comment removed?"
                )
            else:
                if name not in used | {PROJECT}:
                    found.append(f"{where}: {name} is not a setting of Tandem; is it misspelt?")
                where = "the environment" if name in self.environment else where
                value = self.environment.get(name, value)
                if wanted := unlike(value, kind):
                    found.append(f"{where}: {name} must be {wanted}, got '{value}'.")
                seen.add(name)
        found += [
            f".env: {name} is missing; 'git diff .env' shows what it was."
            for name in sorted(needed - seen)
        ]
        return found or list(self._together())

    def _together(self) -> Iterator[str]:
        drain, stop = self["SOCKET_DRAIN_SECONDS"], self["STOP_SECONDS"]
        if int(drain) + STOP_MARGIN_SECONDS > int(stop):
            yield (
                f".env: STOP_SECONDS ({stop}) must be at least {STOP_MARGIN_SECONDS} more than"
                f" SOCKET_DRAIN_SECONDS ({drain})."
            )


def variables() -> tuple[set[str], set[str]]:
    """Return the variables of ``compose.yaml``, and those of them that have no default there."""
    values = json.dumps(yaml.safe_load((ROOT / "compose.yaml").read_text()))
    found = re.findall(r"\$\{([A-Z_]+)(\}|:?-)", values)
    return {name for name, _ in found}, {name for name, end in found if end == "}"}


def unlike(value: str, kind: str) -> str:
    """Return what ``value`` must be, where it is not of a kind."""
    if kind == "port":
        return "" if within(value, 1, 65535) else "a port from 1 to 65535"
    if kind.startswith("count "):
        low, high = map(int, kind.removeprefix("count ").split("-"))
        return "" if within(value, low, high) else f"a whole number from {low} to {high}"
    if kind in SHAPES:
        shape, words = SHAPES[kind]
        return "" if re.fullmatch(shape, value) else words
    choices = kind.split("|")
    return "" if value in choices else f"one of {', '.join(choices)}"


def within(value: str, low: int, high: int) -> bool:
    """Tell whether ``value`` is a whole number in a range."""
    return bool(re.fullmatch("[0-9]{1,9}", value)) and low <= int(value) <= high
