"""What several tests of the replica share, and in which order they run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replica.routes import Routes
from tests.replica.waits import begin, idleness, old_token, silence  # noqa: F401 - fixtures
from tests.stack import Stack, copy_of_checkout

# These leave the instances alone, so what has to last can do so meanwhile; then comes its end.
GENTLE = (
    "test_conformance",
    "test_chat",
    "test_containers",
    "test_headers",
    "test_library",
    "test_limits",
    "test_logins",
    "test_routing",
    "test_styles",
    "test_timeouts",
    "test_uploads",
    "test_waits",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the gentle ones first, each file's together."""
    place = {name: number for number, name in enumerate(GENTLE)}
    here = Path(__file__).parent

    def order(item: pytest.Item) -> int:
        if item.path.parent != here:
            return len(place) + 1
        return place.get(item.path.stem, len(place))

    items.sort(key=order)


@pytest.fixture
def routes(stack: Stack, tmp_path: Path) -> Iterator[Routes]:
    """Give the routes; afterwards those of the checkout are in force again."""
    with copy_of_checkout(tmp_path / "checkout") as root:
        yield Routes(Stack(root))
    stack.replica("routes")
