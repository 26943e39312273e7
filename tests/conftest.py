"""What all layers share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.stack import Stack

pytest_plugins = [
    "tests.runner.classes",
    "tests.runner.progress",
    "tests.runner.evidence",
    "pytester",
]


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Bring up the replica once for the run; KEEP_STACK=1 takes the one before and leaves it."""
    stack, keep = Stack(), os.environ.get("KEEP_STACK") == "1"
    if not keep:
        stack.compose("down", "--volumes", "--remove-orphans")
    stack.up()
    yield stack
    if not keep:
        stack.compose("down", "--volumes", "--remove-orphans")
