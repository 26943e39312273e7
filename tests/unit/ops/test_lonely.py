"""The command, installed where no checkout is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.ops.commands import COMMANDS, OF_CHECKOUT
from tests.checkout import ROOT


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the package and nothing else."""
    folder = tmp_path_factory.mktemp("lonely")
    shutil.copytree(ROOT / "tandem", folder / "tandem")
    return folder


def tandem(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command of a folder."""
    command = [sys.executable, "-P", "-m", "tandem", *words]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True
    )


def test_its_help_names_every_command(lonely: Path):
    done = tandem(lonely, "help")
    assert done.returncode == 0, done.stderr
    assert all(f"  {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", OF_CHECKOUT)
def test_a_command_of_a_checkout_says_that_there_is_none(lonely: Path, command: str):
    done = tandem(lonely, command, "up")
    assert done.returncode == 1
    said = f"there is no compose.yaml in {lonely}; this is a command of a checkout of Tandem."
    assert done.stderr == f"tandem: {said}\n"
