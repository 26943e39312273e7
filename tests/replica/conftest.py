"""What several tests of the replica share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replica.routes import Routes
from tests.stack import Stack, copy_of_checkout


@pytest.fixture
def routes(stack: Stack, tmp_path: Path) -> Iterator[Routes]:
    """Give the routes; afterwards those of the checkout are in force again."""
    with copy_of_checkout(tmp_path / "checkout") as root:
        yield Routes(Stack(root))
    stack.run("docker/routes.sh", TANDEM_PYTHON=sys.executable)
