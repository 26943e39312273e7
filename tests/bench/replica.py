"""The stack that ``make up`` made, and a table of what was measured on it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.stack import ROOT, Stack


class Replica(Stack):
    """The running replica, with the user's settings."""

    def __init__(self, root: Path = ROOT) -> None:
        super().__init__(root)
        self.project = os.environ.get("COMPOSE_PROJECT_NAME", "tandem")
        self.http_port = int(os.environ.get("HTTP_PORT", "8080"))
        self.https_port = int(os.environ.get("HTTPS_PORT", "8443"))
        self.origin = f"https://localhost:{self.https_port}"

    def env(self, **settings: str) -> dict[str, str]:
        """Return the environment of its commands, with the release that ``make up`` gave it."""
        return {k: v for k, v in super().env(**settings).items() if k != "TANDEM_RELEASE"}


def row(*cells: object) -> None:
    """Print a row; a cell that was not measured is a dash."""
    texts = [f"{c:,.1f}" if isinstance(c, float) and c else str(c or "-") for c in cells]
    print(f"{texts[0]:24}" + "".join(f"{text:>16}" for text in texts[1:]), flush=True)
