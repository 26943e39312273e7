"""The classes of tests: each is run as its mark says."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.runner.conftest import PLUGINS

# A test that fails in its first run and passes in its second, and a machine.
PACE = """
import pytest
from tests.runner import classes
from tests.runner.stall import Stall

class Watch:
    def stop(self):
        return Stall(late={late}, stolen=0, waiting=0)

classes.Watch = Watch
runs = []

@pytest.fixture(scope="module")
def shared():
    yield
    print("shared ends after", len(runs))

@pytest.fixture
def own():
    yield
    print("own ends after", len(runs))

@pytest.mark.pace
def test_pace(shared, own):
    runs.append(1)
    assert len(runs) > {failures}, f"in run {{len(runs)}}"

def test_else():
    pass
"""


def test_a_pace_test_that_fails_while_the_machine_stalls_is_run_again_and_both_are_shown(inner):
    ran = inner(PACE.format(late=2, failures=1))
    ran.assert_outcomes(passed=2)
    assert ran.ret == 0
    ran.stdout.fnmatch_lines(["first run of *test_pace", "*in run 1*", "*2000 ms late*"])


def test_a_pace_test_that_fails_twice_is_red_and_both_are_shown(inner):
    ran = inner(PACE.format(late=2, failures=2))
    ran.assert_outcomes(passed=1, failed=1)
    assert ran.ret == 1
    ran.stdout.fnmatch_lines(["*in run 2*", "first run of *test_pace", "*in run 1*"])


def test_a_pace_test_that_fails_on_a_quiet_machine_is_red_at_once(inner):
    ran = inner(PACE.format(late=0.01, failures=1))
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["*in run 1*", "*the machine did not stall*"])
    assert "in run 2" not in ran.stdout.str()


def test_a_repetition_has_its_own_fixtures_anew_and_keeps_the_shared_ones(inner):
    ran = inner(PACE.format(late=2, failures=1), "--capture=no")
    told = [line for line in ran.outlines if "ends after" in line]
    ends = [re.search(r"(own|shared) ends after \d", line)[0] for line in told]
    assert ends == ["own ends after 1", "own ends after 2", "shared ends after 2"]


def test_a_repetition_counts_as_one_test_in_the_report(inner, pytester: pytest.Pytester):
    inner(PACE.format(late=2, failures=1), "--junitxml=report.xml")
    report = (pytester.path / "report.xml").read_text()
    assert 'tests="2"' in report
    assert 'failures="0"' in report
    assert report.count('name="test_pace"') == 1


def test_what_wants_to_be_alone_comes_last(inner):
    ran = inner(
        """
        import pytest

        @pytest.mark.alone
        def test_browser(): pass
        @pytest.mark.pace
        def test_pace(): pass
        @pytest.mark.order
        def test_order(): pass
        """,
        "--strict-markers",
        "-v",
    )
    ran.assert_outcomes(passed=3)
    ran.stdout.fnmatch_lines(["*::test_order*", "*::test_browser*", "*::test_pace*"])


def test_sigterm_tears_the_fixtures_down(apart: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (apart / "test_long.py").write_text(
        "import pytest, time, pathlib\n"
        "@pytest.fixture(scope='session')\n"
        "def stack():\n"
        "    yield\n"
        "    pathlib.Path('down').touch()\n"
        "def test_long(stack):\n"
        "    print('running', flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-m", "pytest", *PLUGINS, "--capture=no", "test_long.py"]
    with subprocess.Popen(command, cwd=apart, stdout=subprocess.PIPE, text=True) as pytest_:
        assert pytest_.stdout is not None
        assert any("running" in line for line in pytest_.stdout)
        pytest_.send_signal(signal.SIGTERM)
        pytest_.communicate()
    assert pytest_.returncode == pytest.ExitCode.INTERRUPTED
    assert (apart / "down").exists()
