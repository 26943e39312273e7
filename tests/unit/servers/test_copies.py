"""Copies of provisioned servers: shared until what made them changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.servers import copies


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout of one file."""
    monkeypatch.setattr(copies, "ROOT", tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "ansible").mkdir()
    (tmp_path / "ansible/site.yml").write_text("- hosts: all\n")
    return tmp_path


@pytest.mark.parametrize("what", ["a changed file", "a new file", "its mode", "something else"])
def test_a_change_gives_another_digest(checkout: Path, what: str):
    before, also = copies.digest("ansible"), ""
    assert before == copies.digest("ansible")
    match what:
        case "a changed file":
            (checkout / "ansible/site.yml").write_text("- hosts: edge\n")
        case "a new file":
            (checkout / "ansible/more.yml").write_text("")
        case "its mode":
            (checkout / "ansible/site.yml").chmod(0o755)
        case "something else":
            also = "another release"
    assert copies.digest("ansible", also=also) != before


def test_a_file_of_something_else_changes_nothing(checkout: Path):
    before = copies.digest("ansible")
    (checkout / "README.md").write_text("news\n")
    assert copies.digest("ansible") == before
