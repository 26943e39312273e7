"""What images and releases are called and made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.ops.checkout.images import NOTHING, build, digest, secrets
from tandem.ops.checkout.programs import Failed, Programs
from tests.stack import copy_of_checkout

NAME = (
    "from tandem.ops.checkout import images, programs;"
    "print(images.release_name(programs.Programs.here()))"
)


def test_a_release_is_called_by_its_commit_and_its_changes(tmp_path: Path):
    with copy_of_checkout(tmp_path) as root:

        def run(*command: str) -> str:
            return subprocess.run(
                command, cwd=root, check=True, capture_output=True, text=True
            ).stdout.strip()

        def name() -> str:
            return run(sys.executable, "-c", NAME)

        assert name() == "dev"
        git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
        run(*git, "init", "--quiet")
        run(*git, "add", ".")
        run(*git, "commit", "--quiet", "-m", "a")
        commit = name()
        assert len(commit) == 8
        (root / "README.md").write_text("of no release")
        assert name() == commit
        (root / "app/manage.py").write_text("changed")
        changed = name()
        assert changed.startswith(f"{commit}-")
        (root / "app/new.py").write_text("1")
        new = name()
        (root / "app/new.py").write_text("2")
        assert len({changed, new, name()}) == 3


def test_images_are_made_of_names_modes_and_contents(tmp_path: Path):
    file = tmp_path / "app/a.py"
    file.parent.mkdir()
    file.write_text("1")
    found = {digest(tmp_path, "app")}
    file.chmod(0o755)
    found.add(digest(tmp_path, "app"))
    file.write_text("2")
    found.add(digest(tmp_path, "app"))
    file = file.rename(file.with_name("b.py"))
    now = digest(tmp_path, "app")
    assert len(found | {now}) == 4
    for name in ("app/db.sqlite3", "app/media/x", "app/__pycache__/b.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert digest(tmp_path, "app") == now


@pytest.mark.parametrize(
    ("text", "used"), [("index-url = https://x", True), ("index-url = file:///x", False)]
)
def test_what_pip_is_told_of_a_company_is_told_to_builds(tmp_path: Path, text: str, used: bool):
    (tmp_path / "pip.conf").write_text(f"[global]\n{text}\n")
    (tmp_path / "ca.pem").write_text("x")
    found = secrets({
        "PIP_CERT": str(tmp_path / "ca.pem"), "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
    })  # fmt: skip
    assert found["TANDEM_CA_BUNDLE"] == str(tmp_path / "ca.pem")
    assert (found["TANDEM_PIP_CONF"] == str(tmp_path / "pip.conf")) is used
    mine = {"TANDEM_CA_BUNDLE": "mine", "PIP_CONFIG_FILE": NOTHING}
    assert secrets(mine)["TANDEM_CA_BUNDLE"] == "mine"


@pytest.mark.parametrize(
    ("text", "used"), [("registry=https://x\n", True), ("fund=false\n", False)]
)
def test_a_registry_that_npm_is_told_of_is_told_to_builds(tmp_path: Path, text: str, used: bool):
    file = tmp_path / "npmrc"
    file.write_text(text)
    found = secrets({"NPM_CONFIG_USERCONFIG": str(file), "PIP_CONFIG_FILE": NOTHING})
    assert (found["TANDEM_NPMRC"] == str(file)) is used


STUMBLES = (
    "echo run >>runs; echo 'runc run failed: unable to start container process:"
    " waiting for init preliminary setup: read init-p: connection reset by peer'"
)


def built(folder: Path, script: str) -> None:
    command = ("sh", "-c", f"cd {folder}; {script}")
    build(Programs(dict(os.environ)), folder / "log", "it cannot be built.", *command)


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def test_a_step_that_the_engine_lost_is_built_once_more(tmp_path: Path):
    built(tmp_path, f"{STUMBLES}; [ $(wc -l <runs) = 2 ]")
    assert runs(tmp_path) == 2


def test_a_step_that_is_lost_again_ends_in_the_sentence(tmp_path: Path):
    with pytest.raises(Failed, match="it cannot be built"):
        built(tmp_path, f"{STUMBLES}; exit 1")
    assert runs(tmp_path) == 2


def test_a_step_that_fails_by_itself_is_built_once(tmp_path: Path):
    with pytest.raises(Failed, match="it cannot be built"):
        built(tmp_path, "echo run >>runs; exit 1")
    assert runs(tmp_path) == 1
