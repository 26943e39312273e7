"""``tandem routes`` on the replica, and who answered."""

from __future__ import annotations

import json
import sys

import httpx

from tests.stack import Stack

# Both sides serve it, without a database: what is measured here is the edge.
CHEAP = "/health/live/"
PAGE = "/gallery/"


class Routes:
    """A copy of the checkout (``stack.root``) whose routes may change; the replica is the same."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.file = stack.root / "deploy/routes.yml"

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Run ``tandem routes``; return what it printed."""
        done = self.stack.run(sys.executable, "-m", "tandem", "routes", *arguments, check=check)
        return done.stdout + done.stderr


def side(answer: httpx.Response) -> str:
    """Return who answered: ``wsgi``."""
    return answer.headers["X-Upstream"].partition("@")[0]


def once(stack: Stack, path: str, headers: dict[str, str]) -> str:
    """Ask as a client that has no cookies but those in ``headers``; return who answered."""
    with stack.client() as client:
        return side(client.get(path, headers=headers))


def logged(stack: Stack, since: float, path: str) -> list[dict]:
    """Return the lines of the access log, and of the shadows', about ``path``."""
    # Compose clears the terminal's line first, also where there is none.
    lines = [line.removeprefix("\x1b[2K") for line in stack.logs("nginx", since=since).splitlines()]
    lines = [line for line in lines if line.startswith("{")]
    return [entry for entry in map(json.loads, lines) if entry["path"] == path]
