"""The command behind `make test`, in a checkout of its own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.patience import eventually_sync
from tests.runner.steps import AGAIN
from tests.stack import copy_of_checkout

TESTS = """
import pathlib, time, pytest

HERE = pathlib.Path(__file__).parent

@pytest.fixture(scope="session")
def stack():
    (HERE / "up").touch()
    yield
    (HERE / "down").touch()

def test_good(stack): pass
def test_bad(): assert 2 + 2 == 5
def test_luck():
    lucky = (HERE / "tried").exists()
    (HERE / "tried").touch()
    assert lucky
@pytest.mark.skip
def test_left_out(): pass
def test_long():
    (HERE / "running").touch()
    time.sleep(600)
"""


@pytest.fixture
def checkout(apart: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of the checkout with few tests."""
    monkeypatch.delenv("PYTHONPATH")
    with copy_of_checkout(apart / "checkout") as root:
        shutil.rmtree(root / "tests/unit")
        (root / "tests/unit").mkdir()
        (root / ".venv").symlink_to(ROOT / ".venv")  # else the run would make one
        (root / "tests/unit/settings.py").write_text("SECRET_KEY = 'x'\n")
        (root / "tests/unit/test_it.py").write_text(TESTS)
        return root


def start(checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.runner", "unit", *arguments]
    return subprocess.Popen(
        command,
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
    )


def test_a_failing_test_is_told_at_once_and_at_the_end_and_makes_the_run_red(checkout: Path):
    run = start(checkout, "--", "-k", "not long and not luck")
    out, _ = run.communicate()
    assert run.returncode == 1, out
    assert "unit      FAILED  it: bad: test_it.py:13: assert (2 + 2) == 5" in out
    assert re.search(r"^unit     \| E +assert \(2 \+ 2\) == 5", out, re.MULTILINE)
    assert out.splitlines()[-1] == "1 passed, 1 failed, 1 skipped"
    assert (checkout / ".cache/test/total").read_text() == "1 passed, 1 failed, 1 skipped\n"
    assert (checkout / ".cache/test/unit.xml").exists()


def test_a_test_that_passes_when_run_again_is_told_and_makes_no_run_red(checkout: Path):
    run = start(checkout, "--", *AGAIN, "-k", "luck or good")
    out, _ = run.communicate()
    assert run.returncode == 0, out
    assert re.search(
        r"^unit      once red it: luck: test_it.py:17: assert False", out, re.MULTILINE
    )
    assert out.splitlines()[-1] == "2 passed, 0 failed, 0 skipped, 1 rerun"


def test_one_that_fails_again_makes_it_red(checkout: Path):
    run = start(checkout, "--", *AGAIN, "-k", "bad or good")
    out, _ = run.communicate()
    assert run.returncode == 1, out
    assert out.splitlines()[-1] == "1 passed, 1 failed, 0 skipped, 1 rerun"


def test_a_part_can_be_run(checkout: Path):
    run = start(checkout, "--", "-k", "good")
    out, _ = run.communicate()
    assert run.returncode == 0, out
    assert out.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_tears_down_and_says_so(checkout: Path, number: int):
    run = start(checkout, "--", "-k", "good or long")
    eventually_sync((checkout / "tests/unit/running").exists)
    run.send_signal(number)
    out, _ = run.communicate()
    assert run.returncode == 130, out
    assert "interrupted" in out
    assert (checkout / "tests/unit/down").exists()


def test_a_second_run_of_a_checkout_is_refused_and_the_first_goes_on(checkout: Path):
    first = start(checkout, "--", "-k", "long")
    eventually_sync((checkout / "tests/unit/running").exists)
    second = start(checkout, "--", "-k", "good")
    out, _ = second.communicate()
    assert second.returncode == 1
    assert "others of this checkout are under way" in out
    assert first.poll() is None
    first.terminate()
    first.communicate()
