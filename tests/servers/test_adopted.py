"""A new Wagtail site on a server: adopted, provisioned, deployed, moved, without a change."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkout import CACHE, named
from tests.servers.conftest import until_done
from tests.servers.copies import Kept, digest
from tests.servers.provisioning import all_hold, twice
from tests.servers.rehearsal import HANG_SECONDS, PLAY, Rehearsal, changes, recap
from tests.sites.adopted import SITES, prepare

pytestmark = pytest.mark.timeout(4 * HANG_SECONDS)
HOST = "shop"


class Shop(Rehearsal):
    """The server, and the folder of the site that ``SITE`` names."""

    def __init__(self, folder: Path) -> None:
        super().__init__("adopted.yml", "adopted")
        self.folder = folder

    def run(self, *command: str, **options) -> subprocess.CompletedProcess[str]:
        """Run a command of the checkout for this site on this server."""
        return super().run(*command, **{"SITE": str(self.folder), **options})

    def command(self, playbook: str, *options: str) -> list[str]:
        """Return the command that runs a playbook with the releases of this site."""
        return [*PLAY, playbook, *options]

    def ask(self, path: str) -> str:
        """Return the head of the answer to a page's address."""
        return self.execute(
            HOST,
            "curl --silent --insecure --max-time 60 --output /dev/null --dump-header -"
            f" --resolve shop.test:443:127.0.0.1 https://shop.test{path}",
        ).lower()


def provision(shop: Rehearsal) -> dict[str, str]:
    """Build the site's release and provision its blank server with it."""
    shop.run("make", "release")
    return twice(shop)


@pytest.fixture(scope="module")
def kept(release: str, run: Path) -> Kept:
    """Give the server, provisioned with the site, whose folder is kept beside its copy.

    ``release``: not while the archives of the other tests are built, which has one log.
    """
    shop = Shop(CACHE / named("adopted") / "site" / "shop")
    kept = Kept(shop, provision, run, also=digest("tests/sites", "docker"))
    if not (kept.there() and shop.folder.exists()):
        shutil.rmtree(shop.folder.parent, ignore_errors=True)
        shop.folder.parent.mkdir(parents=True)
        prepare(SITES[0], shop.folder)
    return kept


@pytest.fixture(scope="module")
def story(kept: Kept) -> dict[str, str]:
    """Give what was said when the blank server of this run was provisioned."""
    return kept.made()


@pytest.fixture(scope="module")
def shop(kept: Kept) -> Iterator[Rehearsal]:
    """Boot it."""
    yield from until_done(kept.boot())


def test_one_run_makes_a_blank_server_serve_it(story: dict[str, str], shop: Shop):
    assert recap(story["first run"])[HOST]["failed"] == 0
    assert all_hold(story["specifications"]), story["specifications"]
    for path in ("/", "/admin/login/", "/static/css/shop.css", SITES[0].built):
        assert " 200" in shop.ask(path).splitlines()[0], path


def test_a_second_run_changes_nothing(story: dict[str, str]):
    assert changes(story["second run"]) == []
    assert recap(story["second run"])[HOST]["failed"] == 0


def test_its_own_process_runs_in_the_sandbox(shop: Shop):
    assert shop.execute(HOST, "systemctl is-active process@clock") == "active"
    assert shop.execute(HOST, "systemctl show -P User process@clock") == "tandem-process"
    judged = shop.execute(HOST, "systemd-analyze security --no-pager process@clock | tail -n 1")
    assert float(judged.split(": ")[1].split()[0]) < 2, judged


def test_a_page_moves_to_asgi_and_back(shop: Shop):
    def routes(*arguments: str) -> None:
        inventories = (shop.topology, shop.state / "inventory.yml")
        command = [sys.executable, "-m", "tandem", "routes", *arguments]
        shop.run(*command, *(f"--inventory={one}" for one in inventories))

    assert "x-upstream: wsgi@" in shop.ask("/search/")
    routes("move", "/search/", "--to", "asgi")
    answer = shop.ask("/search/")
    assert " 200" in answer.splitlines()[0]
    assert "x-upstream: asgi@" in answer
    routes("rollback")
    assert "x-upstream: wsgi@" in shop.ask("/search/")


def test_changed_code_is_deployed_and_rolled_back(shop: Shop):
    settings = shop.folder / "shop/settings/base.py"
    before = settings.read_text()
    assert "x-frame-options: deny" in shop.ask("/")
    settings.write_text(before + '\nX_FRAME_OPTIONS = "SAMEORIGIN"\n')
    try:
        shop.run("make", "release")
        shop.run("make", "deploy")
    finally:
        settings.write_text(before)
    assert "x-frame-options: sameorigin" in shop.ask("/")
    shop.run("make", "rollback")
    assert "x-frame-options: deny" in shop.ask("/")
    assert shop.execute(HOST, "systemctl is-active process@clock") == "active"
