"""Which users and memberships are missing: ansible/library/sysusers.py."""

from __future__ import annotations

import getpass
import grp
from pathlib import Path

import pytest

from tests.unit.playbooks.modules import load, run

USER = getpass.getuser()
MEMBERS = [(member, group.gr_name) for group in grp.getgrall() for member in group.gr_mem]


@pytest.mark.parametrize(
    ("line", "is_there"),
    [
        (("g", grp.getgrgid(0).gr_name, "-"), True),
        (("g", "no-such-group", "-"), False),
        (("u", USER, "-"), True),
        (("u", "no-such-user", "-"), False),
        (("m", "no-such-user", grp.getgrgid(0).gr_name), False),
        (("m", USER, "no-such-group"), False),
        *[(("m", *found), True) for found in MEMBERS[:1]],
    ],
)
def test_what_is_missing_is_told_from_what_is_there(line, is_there):
    assert load("sysusers").there(*line) is is_there


def test_nothing_is_run_when_nothing_is_missing(capsys, tmp_path: Path):
    text = f"# Managed\ng {grp.getgrgid(0).gr_name} -\nu {USER} -\n"
    said = run("sysusers", capsys, path=str(tmp_path / "none"), text=text)
    assert (said["changed"], said["made"]) == (False, [])


def test_a_look_names_what_would_be_made(capsys, tmp_path: Path):
    line = 'u no-such-user -:tandem "Tandem" /nonexistent /usr/sbin/nologin'
    said = run("sysusers", capsys, check=True, path=str(tmp_path / "none"), text=line)
    assert (said["changed"], said["made"]) == (True, [line])
