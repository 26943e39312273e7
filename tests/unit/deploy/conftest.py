"""The configuration, parsed once for each set of routes."""

from __future__ import annotations

import pytest

from tests.checkout import ROOT
from tests.unit.deploy.nginx import Nginx


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Nginx:
    """Return the example site's configuration."""
    return Nginx(tmp_path_factory.mktemp("nginx"))


@pytest.fixture(scope="session")
def every_mode(tmp_path_factory: pytest.TempPathFactory) -> Nginx:
    """Return that of routes of every kind: shares, mirrors, fallbacks, all modes."""
    return Nginx(tmp_path_factory.mktemp("nginx"), ROOT / "tests/routes.yml")
