"""A site whose source is in a git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tandem.ops.adopt.cli import main
from tandem.ops.adopt.findings import AdoptError
from tandem.ops.adopt.model import SiteError, load
from tandem.ops.adopt.repository import Repository, fetch, parse
from tests.unit.ops.adopt.conftest import SETTINGS, entry


def git(folder: Path, *arguments: str) -> str:
    """Run git in ``folder``; return what it printed."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *who, "-C", folder, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def remote(write) -> Path:
    """Give a repository with a small site, tagged v1."""
    folder = write(
        {
            "manage.py": entry("shop.settings", "manage"),
            "shop/settings.py": SETTINGS,
            "requirements.txt": "django\n",
        }
    )
    git(folder, "init", "--quiet", "--initial-branch", "trunk")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")
    git(folder, "tag", "v1")
    return folder


def more(remote: Path) -> str:
    """Commit another state; return the commit."""
    (remote / "requirements.txt").write_text("django>=5\n")
    git(remote, "commit", "--quiet", "--all", "--message", "two")
    return git(remote, "rev-parse", "HEAD")


def test_a_commit_a_tag_and_a_branch_are_fetched(remote: Path, tmp_path: Path):
    url, first = f"file://{remote}", git(remote, "rev-parse", "HEAD")
    cache = tmp_path / "cache"
    folder, commit = fetch(Repository(url, "trunk"), cache)
    assert commit == first
    assert (folder / "manage.py").exists()
    second = more(remote)
    assert fetch(Repository(url, "trunk"), cache) == (folder, second)
    assert (folder / "requirements.txt").read_text() == "django>=5\n"
    assert fetch(Repository(url, "v1"), cache)[1] == first
    assert fetch(Repository(url, second[:10]), cache)[1] == second


def test_nothing_of_another_state_is_left(remote: Path, tmp_path: Path):
    source = Repository(f"file://{remote}", "v1")
    folder, _ = fetch(source, tmp_path / "cache")
    (folder / "left.py").touch()
    (folder / "manage.py").write_text("changed")
    fetch(source, tmp_path / "cache")
    assert not (folder / "left.py").exists()
    assert (folder / "manage.py").read_text() != "changed"


def test_a_commit_that_was_fetched_needs_no_network(remote: Path, tmp_path: Path):
    first = git(remote, "rev-parse", "HEAD")
    source = Repository(f"file://{remote}", first)
    folder, _ = fetch(source, tmp_path / "cache")
    remote.rename(tmp_path / "unplugged")
    assert fetch(source, tmp_path / "cache") == (folder, first)


def test_what_is_not_there_is_named(remote: Path, tmp_path: Path):
    with pytest.raises(AdoptError, match="has no commit, tag or branch v9"):
        fetch(Repository(f"file://{remote}", "v9"), tmp_path / "cache")
    with pytest.raises(AdoptError, match=r"git cannot get .*gone: .*gone. does not"):
        fetch(Repository(f"file://{tmp_path}/gone", "v1"), tmp_path / "cache2")


def test_an_address_is_read_whatever_is_in_it():
    assert parse("shop") is None
    assert parse("git+ssh://git@host/a/shop.git@feature/x") == Repository(
        "ssh://git@host/a/shop.git", "feature/x"
    )
    assert parse("git+https://host:8443/shop@v1").name == "shop"
    with pytest.raises(ValueError, match="must name an address and a commit"):
        parse("git+https://host/shop.git")


def test_adopting_an_address_writes_a_folder_that_names_the_commit(
    remote: Path, tmp_path: Path, monkeypatch, capsys
):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    url = f"file://{remote}"
    assert main([url, "--revision", "v1", "--dry-run"]) == 0
    assert not list(Path().iterdir())
    assert main([url, "--revision", "v1"]) == 0
    file = Path(remote.name) / "tandem.yml"
    assert load(file).source == f"git+{url}@{git(remote, 'rev-parse', 'v1')}"
    assert load(file, files=True, source=remote).requirements == ("requirements.txt",)
    (remote / "requirements.txt").unlink()
    with pytest.raises(SiteError, match=r"requirements\.txt is no file"):
        load(file, files=True, source=remote)


def test_an_address_that_leads_nowhere_writes_nothing(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([f"file://{tmp_path}/gone.git"]) == 2
    assert "git cannot get" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
