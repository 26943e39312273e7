"""What all layers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.own import owned
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
    stack = Stack()
    with owned(stack):
        stack.up()
        yield stack
