"""Which units run on files of before: ansible/library/units.py."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.unit.playbooks.modules import load

units = load("units")


def shown(active: str = "active", seconds_ago: float = 0) -> dict[str, str]:
    """Return what systemd says of a unit that was started so long ago."""
    started = str(int((time.monotonic() - seconds_ago) * 1e6))
    return {
        "ActiveState": active,
        "UnitFileState": "enabled",
        "ExecMainStartTimestampMonotonic": started,
        "ActiveEnterTimestampMonotonic": started,
    }


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Give a file that was written now."""
    path = tmp_path / "a.conf"
    path.write_text("")
    return str(path)


@pytest.mark.parametrize("name", ["a.service", "a.socket"])
def test_a_unit_that_started_before_its_file_changed_is_restarted(file, name):
    assert units.cure(name, {"files": [file]}, shown(seconds_ago=60)) == "restart"


@pytest.mark.parametrize("name", ["a.service", "a.socket"])
def test_a_unit_that_started_after_its_file_changed_is_left_alone(file, name):
    assert units.cure(name, {"files": [file]}, shown(seconds_ago=-60)) == ""


@pytest.mark.parametrize("what", ["files", "reloads"])
def test_a_unit_that_does_not_run_is_restarted(file, what):
    assert units.cure("a.service", {what: [file]}, shown("failed", -60)) == "restart"


def test_a_unit_without_files_is_never_restarted():
    assert units.cure("a.service", {"enabled": True}, shown("inactive")) == ""


def test_of_a_link_the_link_itself_counts(tmp_path):
    old = Path("/etc/hostname")
    link = tmp_path / "current"
    link.symlink_to(old)
    began = shown(seconds_ago=60)
    assert units.cure("a.service", {"files": [str(link)]}, began) == "restart"


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        units.cure("a.service", {"files": [str(tmp_path / "none")]}, shown())
    assert raised.value.filename == str(tmp_path / "none")


def test_a_pattern_stands_for_the_files_below(tmp_path):
    (tmp_path / "deep").mkdir()
    names = [tmp_path / "a.conf", tmp_path / "deep/b.conf", tmp_path / "c.txt"]
    for name in names:
        name.write_text("")
    found = units.files_of([f"{tmp_path}/**/*.conf", "/etc/hosts"])
    assert found == [*(str(n) for n in names[:2]), "/etc/hosts"]


def test_the_youngest_process_counts_where_a_reload_is_enough(file, monkeypatch, tmp_path):
    """Its one process has been up for longer than the file: it has not read it."""
    group = tmp_path / "sys/fs/cgroup/a.service"
    group.mkdir(parents=True)
    (group / "cgroup.procs").write_text(f"{os.getpid()}\n999999999\n")
    real = Path
    monkeypatch.setattr(
        units, "Path", lambda p: real(f"{tmp_path}{p}" if p.startswith("/sys") else p)
    )
    state = shown(seconds_ago=-60) | {"ControlGroup": "/a.service"}
    assert units.cure("a.service", {"reloads": [file]}, state) == "reload"
