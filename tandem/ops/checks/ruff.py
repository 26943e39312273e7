"""ruff's ASYNC rules, where ruff is there."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tandem.ops.checks.finding import Place

SECONDS = 60
FILES = 500  # in one call, so that the command line stays short enough


def command() -> list[str] | None:
    """Return how to start ruff, or ``None`` where it is not installed."""
    if importlib.util.find_spec("ruff") is not None:
        return [sys.executable, "-m", "ruff"]
    path = shutil.which("ruff")
    return [path] if path else None


def asynchronous(files: Sequence[Path]) -> list[tuple[str, Place, str]]:
    """Return ``(rule, place, message)`` of what blocks the event loop in ``files``.

    Rules below 200 are advice, not blocking, and left out; so is everything where ruff is not
    installed or fails.
    """
    ruff = command()
    found: list[tuple[str, Place, str]] = []
    if ruff is None:
        return found
    for start in range(0, len(files), FILES):
        part = [str(file) for file in files[start : start + FILES]]
        arguments = ["check", "--isolated", "--no-cache", "--quiet", "--exit-zero"]
        arguments += ["--select", "ASYNC", "--output-format", "json", "--no-force-exclude"]
        try:
            done = subprocess.run(  # noqa: S603
                [*ruff, *arguments, "--", *part], capture_output=True, text=True, timeout=SECONDS,
                check=True,
            )  # fmt: skip
            rows = json.loads(done.stdout or "[]")
        except (OSError, subprocess.SubprocessError, ValueError):
            return found
        for row in rows:
            code = row.get("code") or ""
            if code.startswith("ASYNC2"):
                place = Place(Path(row["filename"]), row["location"]["row"])
                found.append((code, place, row["message"]))
    return found
