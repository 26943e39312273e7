"""The lines that a stranger's process prints: JSON of some size, without control characters."""

from __future__ import annotations

from typing import Any

from tandem.ops.bounded.documents import DocumentError, json_data

MOST_LINES = 100
TEXT = 500


def lines(said: bytes) -> dict[str, list[dict[str, Any]]]:
    """Return the lines by their kind; what is none is passed over."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in said.split(b"\n")[:MOST_LINES]:
        try:
            one = json_data(line.decode())
        except (DocumentError, UnicodeDecodeError):
            continue
        if isinstance(one, dict) and isinstance(one.get("kind"), str):
            found.setdefault(one["kind"], []).append(one)
    return found


def text(value: Any) -> str:
    """Return a text that may be printed and written into a comment; of anything else nothing."""
    if not isinstance(value, str):
        return ""
    # What is no character of a line would end a comment, or move a terminal's cursor.
    return " ".join("".join(c if c.isprintable() else " " for c in value[:TEXT]).split())


def texts(value: Any) -> list[str]:
    """Return the texts of a list."""
    return [text(one) for one in value if text(one)] if isinstance(value, list) else []


def mapping(value: Any) -> dict[str, Any]:
    """Return a mapping; nothing of anything else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[dict[str, Any]]:
    """Return the mappings of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
