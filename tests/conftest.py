"""What all layers share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Bring up the replica once for the run; KEEP_STACK=1 leaves it running."""
    stack = Stack()
    stack.compose("down", "--volumes", "--remove-orphans")
    stack.up()
    yield stack
    if os.environ.get("KEEP_STACK") != "1":
        stack.compose("down", "--volumes", "--remove-orphans")
