"""docs/upgrading.md: a team's clone takes a version that touches every file of ours.

The page's own commands are run, on a copy of this checkout that stands for our repository.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT
from tests.pages import blocks
from tests.stack import copy_of_checkout

PAGE = "docs/upgrading.md"
# Of these a comment's sign is another one, or none.
NO_HASH = (".json", ".svg", ".html", ".js", ".css")
ROUTES = "- path: /\n  upstream: wsgi\n\n- path: /ours/\n  upstream: asgi\n  mode: sse\n"
LOCATION = "location = /ours.txt { return 204; }\n"
SITE = "name: shop\nsettings: shop.settings\nrequirements: []\n"
SETTING = "\n# Room that only the new version has. [count 0-9]\nMORE_ROOM=1\n"

SETTINGS = (sys.executable, "-m", "tandem", "replica", "settings")


def run(folder: Path, *command: str, check: bool = True, **more: str) -> str:
    """Run a command in a folder, as somebody without any configuration of git's."""
    us = {
        f"GIT_{who}_{what}": f"{what.lower()}@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    nowhere = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "SITE", "PYTHONPATH"))}
    path = f"{Path(sys.executable).parent}:{env['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env={**env, "PATH": path, **us, **nowhere, **more},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 or not check, (command, done.stdout[-1000:], done.stderr[-3000:])
    return done.stdout if check else f"{done.returncode} {done.stdout}{done.stderr}"


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run git in a folder."""
    return run(folder, "git", *arguments, check=check)


class World:
    """Our repository, the team's, and the folder in which the team works."""

    def __init__(self, folder: Path) -> None:
        # git names a clone by its source.
        self.ours, self.theirs = folder / "tandem.git", folder / "theirs.git"
        self.team = folder / "team"
        self.team.mkdir()
        self.ours.mkdir()
        with copy_of_checkout(self.ours):
            git(self.ours, "init", "--quiet", "-b", "main")
            git(self.ours, "add", "--force", ".")
            git(self.ours, "commit", "--quiet", "-m", "The version that the team has")
        git(folder, "init", "--quiet", "--bare", "-b", "main", str(self.theirs))

    def follow(self, folder: Path, begins: str) -> None:
        """Run the block of the page that begins so, with these repositories."""
        found = [block for block in blocks(PAGE) if block.startswith(begins)]
        assert len(found) == 1, (begins, found)
        block = found[0].replace("https://host/tandem.git", str(self.ours))
        block = block.replace("git@host:team/tandem.git", str(self.theirs))
        run(folder, "bash", "-euo", "pipefail", "-c", block)

    def release(self) -> None:
        """Make a version that changes each file, and adds one to each folder."""
        listed = git(self.ours, "ls-files", "-z").split("\0")
        for name in filter(None, listed):
            file = self.ours / name
            if not file.is_symlink():
                sign = "" if file.suffix in NO_HASH else "# Of the next version."
                with file.open("a") as text:
                    text.write(f"\n{sign}\n")
        for folder in {(self.ours / name).parent for name in filter(None, listed)}:
            (folder / "next-version.txt").write_text("new\n")
        with (self.ours / ".env").open("a") as settings:
            settings.write(SETTING)
        compose = self.ours / "compose.yaml"
        line = "    ASGI_THREADS: ${ASGI_THREADS}\n"
        assert line in compose.read_text()
        compose.write_text(
            compose.read_text().replace(line, f"{line}    MORE_ROOM: ${{MORE_ROOM}}\n")
        )
        git(self.ours, "add", ".")
        git(self.ours, "commit", "--quiet", "-m", "The next version")
        git(self.ours, "tag", "v0.2.0")

    def ours_now(self) -> dict[str, str]:
        """Return what our repository has: the object of each path."""
        return tree(self.ours, "v0.2.0")


def tree(repository: Path, commit: str = "HEAD") -> dict[str, str]:
    """Return what a commit holds: the object of each path."""
    lines = git(repository, "ls-tree", "-r", commit).splitlines()
    return {path: what.split()[2] for what, path in (line.split("\t") for line in lines)}


def written(folder: Path) -> dict[str, bytes]:
    """Return what is in the files of a folder, without git's."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


def fill(inventory: Path, routes: str) -> None:
    """Write what a team has in the folder of its inventory."""
    hosts = inventory / "hosts.yml"
    text = hosts.read_text()
    assert "  vars:\n" in text
    hosts.write_text(text.replace("  vars:\n", f'  vars:\n    tandem_routes: "{routes}"\n'))
    for name, content in {
        "routes.yml": ROUTES,
        "routes.d/ours.conf": LOCATION,
        "group_vars/all/sizes.yml": "tandem_wsgi_workers: 3\n",
        "replica.env": "HTTPS_PORT=9443\n",
    }.items():
        (inventory / name).parent.mkdir(parents=True, exist_ok=True)
        (inventory / name).write_text(content)


def routes_of(clone: Path, **more: str) -> dict[str, str]:
    """Return which upstream serves each path, as the clone's own command tells it."""
    said = run(clone, sys.executable, "-m", "tandem", "routes", "show", "--json", **more)
    return {route["path"]: route["upstream"] for route in json.loads(said)}


def variables(clone: Path, inventory: Path) -> tuple[Path, str]:
    """Return the file of routes and the workers that the clone's playbooks take of an inventory."""
    said = run(
        clone / "ansible", "ansible", "-i", str(inventory), "server", "-m", "debug",
        "-a", "msg={{ tandem_routes }}:{{ tandem_wsgi_workers }}",
        ANSIBLE_CONFIG=str(clone / "ansible/ansible.cfg"),
    )  # fmt: skip
    found = re.search(r'"msg": "(.*):(.*)"', said)
    assert found, said
    return Path(found[1]).resolve(), found[2]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give repositories to upgrade from and in."""
    return World(tmp_path)


def test_what_is_kept_beside_the_clone_is_in_force_after_an_upgrade_as_before(world: World):
    world.follow(world.team, "git clone https:")
    clone, ops, shop = (world.team / name for name in ("tandem", "ops", "shop"))
    fill(ops, "{{ playbook_dir }}/../../ops/routes.yml")
    shop.mkdir()
    (shop / "tandem.yml").write_text(SITE)
    (shop / "routes.yml").write_text(ROUTES)
    (shop / "shop").mkdir()
    before = {folder: written(folder) for folder in (ops, shop)}

    world.release()
    world.follow(world.team, "git -C tandem fetch")

    assert tree(clone) == world.ours_now()
    assert git(clone, "describe", "--tags").strip() == "v0.2.0"
    assert git(clone, "status", "--porcelain") == ""
    assert {folder: written(folder) for folder in (ops, shop)} == before
    # The new version's own tools read them.
    assert routes_of(clone, SITE="../shop") == {"/": "wsgi", "/ours/": "asgi"}
    assert variables(clone, ops / "hosts.yml") == (ops / "routes.yml", "3")
    ask = f'{" ".join(SETTINGS)} HTTPS_PORT MORE_ROOM; echo "$?"'
    (line,) = (b.split("#")[0] for b in blocks(PAGE) if b.startswith("set -a"))
    assert run(clone, "bash", "-euc", f"{line.strip()}; {ask}").split() == ["9443", "1", "0"]


def test_a_branch_takes_a_version_that_changes_all_of_ours_without_a_conflict(world: World):
    world.follow(world.team, "git clone --origin")
    clone = world.team / "tandem"
    mine = clone / "ansible/inventories/mine"
    fill(mine, "{{ playbook_dir }}/inventories/mine/routes.yml")
    site = clone / "sites/shop/tandem.yml"
    site.parent.mkdir(parents=True)
    site.write_text(f"{SITE}source: git+https://host/shop.git@v1.2\n")
    (site.parent / "routes.yml").write_text(ROUTES)
    before = {folder: written(folder) for folder in (mine, site.parent)}
    git(clone, "add", ".")
    git(clone, "commit", "--quiet", "-m", "Our routes, our site")
    theirs = {path for path in tree(clone) if path not in tree(world.ours)}
    # git has all of it: .gitignore names none of these files.
    assert theirs == {
        f"{folder.relative_to(clone)}/{name}" for folder, files in before.items() for name in files
    }

    world.release()
    world.follow(clone, "git fetch")

    assert {folder: written(folder) for folder in before} == before
    now = tree(clone)
    assert {path: what for path, what in now.items() if path not in theirs} == world.ours_now()
    assert git(clone, "status", "--porcelain") == ""
    assert tree(world.theirs, "production") == now
    assert routes_of(clone, SITE="sites/shop") == {"/": "wsgi", "/ours/": "asgi"}
    assert variables(clone, mine / "hosts.yml") == (mine / "routes.yml", "3")


def test_lines_of_ours_that_a_team_changed_stay_where_we_did_not_change_them(world: World):
    world.follow(world.team, "git clone --origin")
    clone = world.team / "tandem"
    for name, old, new in (
        (".env", "HTTPS_PORT=8443", "HTTPS_PORT=9443"),
        ("deploy/routes.yml", "- path: /events/", "- path: /happenings/"),
    ):
        text = (clone / name).read_text()
        assert text.count(f"{old}\n") == 1
        (clone / name).write_text(text.replace(old, new))
    git(clone, "commit", "--quiet", "-am", "Our port, our path")
    world.release()
    world.follow(clone, "git fetch")
    assert git(clone, "diff", "--name-only", "v0.2.0", "HEAD", "--", ".env", "deploy").split() == [
        ".env", "deploy/routes.yml",
    ]  # fmt: skip
    assert routes_of(clone)["/happenings/"] == "asgi"
    assert run(clone, *SETTINGS, "HTTPS_PORT", "MORE_ROOM").split() == ["9443", "1"]


def test_where_both_changed_a_line_git_stops_and_there_is_a_way_back(world: World):
    world.follow(world.team, "git clone --origin")
    clone = world.team / "tandem"
    for folder, port in ((clone, 9443), (world.ours, 10443)):
        file = folder / ".env"
        file.write_text(file.read_text().replace("HTTPS_PORT=8443", f"HTTPS_PORT={port}"))
    git(clone, "commit", "--quiet", "-am", "Our port")
    before = tree(clone)
    world.release()
    git(clone, "fetch", "--quiet", "--tags", "tandem")
    assert "CONFLICT" in git(clone, "merge", "--no-edit", "v0.2.0", check=False)
    assert git(clone, "diff", "--name-only", "--diff-filter=U").split() == [".env"]
    git(clone, "merge", "--abort")
    assert tree(clone) == before
    assert git(clone, "status", "--porcelain") == ""


def test_a_setting_that_a_merge_lost_is_named(world: World):
    file = world.ours / ".env"
    text = file.read_text()
    assert "\nLOGIN_PATHS=\n" in text
    file.write_text(text.replace("\nLOGIN_PATHS=\n", "\n"))
    assert ".env: LOGIN_PATHS is missing" in run(world.ours, *SETTINGS, check=False)


def test_the_pages_playbook_for_locations_is_one(world: World):
    ops = world.team / "ops"
    ops.mkdir()
    (ops / "hosts.yml").write_text(
        (world.ours / "ansible/inventories/single/hosts.yml").read_text()
    )
    (book,) = blocks(PAGE, "yaml")
    (ops / "nginx.yml").write_text(book)
    (line,) = (block for block in blocks(PAGE) if "ops/nginx.yml" in block)
    # The packages are this checkout's.
    command = line.strip().replace(".venv/bin/", "") + " --list-tasks"
    git(world.team, "clone", "--quiet", str(world.ours))
    said = run(world.team / "tandem", "bash", "-euc", command)
    assert re.findall(r"(?m)^ {6}(\w.*?)\tTAGS", said) == [
        "Copy them", "Nginx accepts them", "Put them in force",
    ]  # fmt: skip


def test_nothing_of_ours_is_where_a_team_keeps_its_own():
    paths = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    inventories = {p.split("/")[2] for p in paths if p.startswith("ansible/inventories/")}
    assert inventories == {"single", "production"}
    assert not [path for path in paths if path.startswith(("sites/", "ops/"))]
