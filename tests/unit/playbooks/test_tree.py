"""The module that makes folders and files: ansible/library/tree.py."""

from __future__ import annotations

import getpass
import grp
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.playbooks.modules import run

OURS = {"owner": getpass.getuser(), "group": grp.getgrgid(os.getgid()).gr_name}


@pytest.fixture
def wanted(tmp_path: Path) -> dict[str, Any]:
    """Give a folder and two files, one of them with a mode of its own."""
    return {
        "dest": str(tmp_path / "etc"),
        "folders": {"logs": {**OURS, "mode": "0750"}},
        "files": {"a/b.conf": "b\n", "run.sh": {"text": "#!/bin/sh\n", "mode": "0755"}},
        **OURS,
    }


def modes(folder: Path) -> dict[str, str]:
    """Return the mode of everything below a folder."""
    found = sorted(folder.rglob("*"))
    return {str(p.relative_to(folder)): oct(p.stat().st_mode & 0o7777) for p in found}


def test_what_is_missing_is_made_with_its_mode(tmp_path, wanted, capsys):
    said = run("tree", capsys, **wanted)
    assert said["changed"]
    assert (tmp_path / "etc/a/b.conf").read_text() == "b\n"
    assert modes(tmp_path / "etc") == {
        "a": "0o755", "a/b.conf": "0o644", "logs": "0o750", "run.sh": "0o755",
    }  # fmt: skip


def test_a_second_run_changes_nothing(wanted, capsys):
    run("tree", capsys, **wanted)
    said = run("tree", capsys, **wanted)
    assert (said["changed"], said["diff"]) == (False, [])


@pytest.mark.parametrize("name", ["logs", "a/b.conf", "run.sh"])
def test_a_mode_that_differs_is_mended(tmp_path, wanted, capsys, name):
    run("tree", capsys, **wanted)
    before = modes(tmp_path / "etc")
    (tmp_path / "etc" / name).chmod(0o700)
    assert run("tree", capsys, **wanted)["changed"]
    assert modes(tmp_path / "etc") == before


def test_a_look_says_what_would_change_and_changes_nothing(tmp_path, wanted, capsys):
    said = run("tree", capsys, check=True, **wanted)
    assert said["changed"]
    assert sorted(said["written"]) == ["a/b.conf", "run.sh"]
    assert not (tmp_path / "etc").exists()


def test_what_is_not_named_is_purged_only_where_that_is_wanted(tmp_path, wanted, capsys):
    run("tree", capsys, **wanted)
    strange = tmp_path / "etc/a/strange.conf"
    strange.write_text("")
    assert not run("tree", capsys, **wanted)["changed"]
    assert run("tree", capsys, purge=True, **wanted)["purged"] == ["a/strange.conf"]
    assert not strange.exists()
