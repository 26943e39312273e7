"""A new Wagtail site on a server: adopted, provisioned, deployed, moved, without a change."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.rehearsal import Rehearsal, changes, recap
from tests.sites.adopted import SITES, prepare

pytestmark = pytest.mark.timeout(900)
HOST = "shop"


class Shop(Rehearsal):
    """The server, and the folder of the site that ``SITE`` names."""

    def __init__(self, folder: Path) -> None:
        super().__init__("adopted.yml", "adopted")
        self.folder = folder

    def run(self, *command: str, **options) -> subprocess.CompletedProcess[str]:
        """Run a command of the checkout for this site on this server."""
        return super().run(*command, **{"SITE": str(self.folder), **options})

    def ask(self, path: str) -> str:
        """Return the head of the answer to a page's address."""
        return self.execute(
            HOST,
            "curl --silent --insecure --max-time 20 --output /dev/null --dump-header -"
            f" --resolve shop.test:443:127.0.0.1 https://shop.test{path}",
        ).lower()


@pytest.fixture(scope="module")
def shop(releases: list[str], tmp_path_factory) -> Iterator[Shop]:
    """Adopt the site, build its release and boot its server.

    Not while the archives of the other tests are built, which has one log.
    """
    folder = prepare(SITES[0], tmp_path_factory.mktemp("site") / "shop")
    shop = Shop(folder)
    shop.run("make", "release")
    shop.down()
    shop.up()
    yield shop
    shop.down()


def test_one_run_makes_a_blank_server_serve_it(shop: Shop):
    assert recap(shop.provision())[HOST]["failed"] == 0
    assert " passed" in shop.run("make", "verify", "ARGS=-q").stdout
    for path in ("/", "/admin/login/", "/static/css/shop.css"):
        assert " 200" in shop.ask(path).splitlines()[0], path


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
    settings.write_text(settings.read_text() + '\nX_FRAME_OPTIONS = "SAMEORIGIN"\n')
    assert "x-frame-options: deny" in shop.ask("/")
    shop.run("make", "release")
    shop.run("make", "deploy")
    assert "x-frame-options: sameorigin" in shop.ask("/")
    shop.run("make", "rollback")
    assert "x-frame-options: deny" in shop.ask("/")
    assert shop.execute(HOST, "systemctl is-active process@clock") == "active"


def test_a_second_run_changes_nothing(shop: Shop):
    shop.run("make", "deploy")
    assert changes(shop.provision()) == []
