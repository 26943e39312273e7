"""A pytest of its own, with the plugin of the classes, on a machine of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.machine import HELD

PLUGINS = ("-p", "tests.runner.classes")


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have what this test starts take turns in a folder of its own, which is given."""
    monkeypatch.delenv(HELD, raising=False)  # the turn of this test
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.fixture
def inner(
    apart: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Give a function from the text of a test file (and options) to what pytest made of it."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # most of its start

    def run(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(tests)
        return pytester.runpytest_subprocess(*PLUGINS, *options)

    return run
