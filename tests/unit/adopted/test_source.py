"""The files of a stranger's site: nothing of it runs here, and nothing of this machine is in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tandem.ops.adopt import git
from tandem.ops.adopt.cli import main as adopt
from tandem.ops.adopt.findings import AdoptError
from tandem.ops.adopt.included import included
from tandem.ops.adopt.repository import Repository, fetch
from tandem.ops.adopt.source import copy, files

ME = ("-c", "user.name=a", "-c", "user.email=a@example.org")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Give a committed site; a file that its repository leaves out is there as well."""
    folder = tmp_path / "shop"
    (folder / "shop").mkdir(parents=True)
    (folder / "manage.py").write_text(
        "from django.core.management import execute_from_command_line\n"
    )
    (folder / "shop/settings.py").write_text("DEBUG = False\n")
    (folder / ".gitignore").write_text("secret.py\n")
    (folder / "secret.py").write_text("")
    subprocess.run(["git", *ME, "init", "-q", folder], check=True)
    subprocess.run(["git", *ME, "-C", folder, "add", "."], check=True)
    subprocess.run(["git", *ME, "-C", folder, "commit", "-qm", "a"], check=True)
    return folder


def names(folder: Path) -> list[str]:
    """Return what belongs to the site in ``folder``."""
    return sorted(path.relative_to(folder).as_posix() for path in files(folder))


def planted(shop: Path) -> Path:
    """Name a program at every key and hook of the repository that git has for one."""
    trace, program = shop.parent / "trace", shop.parent / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >>{trace}\n')
    program.chmod(0o755)
    keys = [
        "core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.pager", "core.editor",
        "core.askPass", "core.alternateRefsCommand", "credential.helper", "diff.external",
        "filter.x.clean", "filter.x.smudge", "filter.x.process", "diff.x.textconv",
        "diff.x.command", "merge.x.driver", "gpg.program", "sequence.editor", "pager.ls-files",
        "remote.origin.uploadpack", "uploadpack.packObjectsHook", "trailer.x.command",
        "core.hooksPath", "interactive.diffFilter",
    ]  # fmt: skip
    for key in keys:
        value = shop.parent if key == "core.hooksPath" else program
        subprocess.run(["git", "-C", shop, "config", key, value], check=True)
    subprocess.run(["git", "-C", shop, "config", "alias.ls-files", f"!{program}"], check=True)
    subprocess.run(["git", "-C", shop, "config", "include.path", shop.parent / "more"], check=True)
    (shop.parent / "more").write_text(f'[core]\n\tfsmonitor = "{program}"\n')
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"):
        for folder in (shop / ".git/hooks", shop.parent):
            (folder / hook).write_bytes(program.read_bytes())
            (folder / hook).chmod(0o755)
    (shop / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
    return trace


def test_no_program_of_a_sites_repository_runs(shop: Path):
    trace = planted(shop)
    # The trap works: whoever opens the repository runs something.
    subprocess.run(["git", "-C", shop, "status"], check=False, capture_output=True)
    assert trace.exists()
    trace.unlink()
    assert names(shop) == [".gitattributes", ".gitignore", "manage.py", "shop/settings.py"]
    copy(shop, shop.parent / "copy")
    assert adopt([str(shop), "--dry-run"]) == 0
    assert not trace.exists()


def test_no_program_of_a_fetched_repository_runs(shop: Path, tmp_path: Path):
    trace = planted(shop)
    folder, _ = fetch(Repository(f"file://{shop}", "HEAD"), tmp_path / "cache")
    assert (folder / "manage.py").exists()
    assert not trace.exists()


def test_a_repository_whose_owner_git_does_not_trust_is_read_all_the_same(shop: Path, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    refused = subprocess.run(["git", "-C", shop, "ls-files"], check=False, capture_output=True)
    assert b"dubious ownership" in refused.stderr
    assert "secret.py" not in names(shop)


def test_a_part_of_a_repository_is_read_by_the_rules_of_the_whole(shop: Path):
    (shop / "shop/secret.py").write_text("")
    assert names(shop / "shop") == ["settings.py"]


def test_another_work_tree_and_a_split_index_are_read(shop: Path):
    subprocess.run(["git", "-C", shop, "update-index", "--split-index"], check=True)
    assert names(shop) == [".gitignore", "manage.py", "shop/settings.py"]
    tree = shop.parent / "tree"
    subprocess.run(["git", *ME, "-C", shop, "worktree", "add", "-q", tree], check=True)
    (tree / "secret.py").write_text("")
    assert names(tree) == [".gitignore", "manage.py", "shop/settings.py"]


def test_an_index_that_cannot_be_read_is_told(shop: Path):
    (shop / ".git/index").write_bytes(b"DIRC" + b"\xff" * 100)
    with pytest.raises(AdoptError, match="git cannot read the index of"):
        files(shop)
    (shop / ".git/index").unlink()
    os.mkfifo(shop / ".git/index")
    with pytest.raises(AdoptError, match="is no regular file"):
        files(shop)


def test_a_link_out_of_the_site_is_refused_before_anything_is_copied(shop: Path):
    secret = shop.parent / "id_rsa"
    secret.write_text("key")
    (shop / "shop/key").symlink_to(secret)
    with pytest.raises(AdoptError, match=r"shop/key leads out of .*, to .*id_rsa; take it out"):
        copy(shop, shop.parent / "copy")
    assert not (shop.parent / "copy").exists()
    (shop / "shop/key").unlink()
    (shop / "shop/all").symlink_to(shop.parent)
    with pytest.raises(AdoptError, match="shop/all leads out of"):
        files(shop)


def test_a_crafted_index_that_goes_through_a_link_is_refused(shop: Path):
    (shop.parent / "outside").mkdir()
    (shop.parent / "outside/settings.py").write_text("key")
    (shop / "shop/settings.py").unlink()
    (shop / "shop").rmdir()
    (shop / "shop").symlink_to("../outside")
    with pytest.raises(AdoptError, match="leads out of"):
        files(shop)


def test_a_link_out_of_the_site_that_is_named_to_be_included_is_refused(shop: Path):
    (shop.parent / "outside").mkdir()
    (shop.parent / "outside/x").write_text("key")
    (shop / "secret.py").unlink()
    (shop / "secret.py").symlink_to("../outside")
    with pytest.raises(AdoptError, match=r"secret\.py leads out of"):
        copy(shop, shop.parent / "copy", ["secret.py"])


def test_links_that_go_round_or_multiply_end(shop: Path):
    (shop / "round").symlink_to("round")
    for number in range(30):
        (shop / f"d{number}").mkdir()
        for twice in "ab":
            (shop / f"d{number}" / twice).symlink_to(f"../d{number + 1}")
    (shop / "d30").mkdir()
    (shop / "d30/x").write_text("")
    with pytest.raises(AdoptError, match="more than"):
        files(shop)


def test_pipes_and_devices_are_not_copied(shop: Path):
    os.mkfifo(shop / "pipe")
    (shop / "deleted").write_text("")
    assert "pipe" not in names(shop)


@pytest.mark.parametrize(
    "line",
    [
        "-r ../outside.txt", "-r../outside.txt", "--requirement=../outside.txt",
        "-c ../outside.txt", "--constraint ../outside.txt", "-r \\\n ../outside.txt",
        "-e /etc", "-e ..", "--editable=../x", "-e file:///etc", "--find-links /etc",
        "shop @ file:///etc/x", "shop[a] @ file:../x", "../x.whl", "/etc/x.tar.gz", "~/x",
        "git+file:///home/somebody/x", "-r requirements/out.txt",
    ],
)  # fmt: skip
def test_a_requirement_from_elsewhere_on_this_machine_is_refused(shop: Path, line: str):
    (shop.parent / "outside.txt").write_text("django\n")
    (shop / "requirements").mkdir()
    (shop / "requirements/out.txt").symlink_to("../../outside.txt")
    (shop / "requirements.txt").write_text(f"django\n# a comment\n{line}\n")
    with pytest.raises(AdoptError, match=r"requirements\.txt:3: .*leads? out of"):
        included(shop / "requirements.txt", shop)


def test_what_a_requirements_file_includes_is_read_with_it(shop: Path):
    (shop / "requirements").mkdir()
    (shop / "requirements/base.txt").write_text("django\n-r prod.txt\n./lib\n")
    (shop / "requirements/prod.txt").write_text("-r base.txt\n-e git+https://host/x#egg=x\n")
    texts = included(shop / "requirements/base.txt", shop)
    assert [file.name for file in texts] == ["base.txt", "prod.txt"]


def test_git_is_not_needed_where_there_is_no_repository(tmp_path: Path, monkeypatch):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.py").write_text("")
    monkeypatch.setattr(git, "run", lambda *_, **__: pytest.fail("git ran"))
    assert names(tmp_path / "shop") == ["a.py"]


def test_what_a_first_run_has_locked_is_no_part_of_the_site(shop: Path, tmp_path: Path):
    """Else the second run would build, and replace every instance, for nothing."""
    (shop / "tandem-trixie.lock").write_text("")
    (shop / "shop/tandem-trixie.lock").write_text("the site's own")
    copy(shop, tmp_path / "copy")
    copied = {path.relative_to(tmp_path / "copy").as_posix() for path in tmp_path.rglob("*.lock")
              if path.is_relative_to(tmp_path / "copy")}  # fmt: skip
    assert copied == {"shop/tandem-trixie.lock"}
