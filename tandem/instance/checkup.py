"""Ask a process of the site's own whether it works, until it does or a minute is over."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 60.0  # a worker's start, and an answer of it


def complaint(ask: Callable[[], tuple[int, str]]) -> str:
    """Return what is wrong, or nothing; ``ask`` returns a check's exit status and its output."""
    deadline = time.monotonic() + SECONDS
    while True:
        status, said = ask()
        if status == 0:
            return ""
        if time.monotonic() > deadline:
            lines = [line.strip() for line in said.splitlines() if line.strip()]
            return lines[-1] if lines else f"status {status}"
        time.sleep(1)
