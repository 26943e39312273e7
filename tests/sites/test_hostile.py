"""A site whose packages run code when they are resolved: in a build, not on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import ROOT

# What a source needs is known by running this.
SETUP = """\
import os, pathlib, setuptools
trace = pathlib.Path({trace!r})
if trace.parent.exists():  # of this machine
    trace.write_text("ran")
found = [name for name in ("HOME_SECRET", "SSH_AUTH_SOCK") if name in os.environ]
raise SystemExit(f"setup.py ran as a stranger's and found {{found}}")
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "shop").mkdir(parents=True)
    (folder / "lib").mkdir()
    (folder / "shop/settings.py").write_text("INSTALLED_APPS = []\n")
    (folder / "tandem.yml").write_text("name: test-hostile\nsettings: shop.settings\n")
    (folder / "requirements.txt").write_text("django\n./lib\n")
    (folder / "lib/setup.py").write_text(SETUP.format(trace=str(tmp_path / "trace")))
    return folder


def test_a_sources_setup_runs_in_the_build_and_not_on_this_machine(shop: Path, monkeypatch):
    monkeypatch.setenv("HOME_SECRET", "of the operator")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    done = subprocess.run(
        [sys.executable, "-m", "tandem", "replica", "images"],
        cwd=ROOT, env=os.environ | {"SITE": str(shop)}, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "setup.py ran as a stranger's and found []" in done.stderr
    assert "the packages of test-hostile do not go together" in done.stderr
    assert not (shop.parent / "trace").exists()
    assert not (shop / "tandem-trixie.lock").exists()
