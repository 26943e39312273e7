"""``tandem routes`` on servers: all edges, one command, and back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.rehearsal import HANG_SECONDS, Rehearsal
from tests.stack import copy_of_checkout

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)

HOSTS = ("trixie", "bookworm")
CHEAP = "/health/live/"


class Routes:
    """A copy of the checkout whose routes the tests may change, and the servers."""

    def __init__(self, root: Path, servers: Rehearsal) -> None:
        self.root = root
        inventories = (servers.topology, servers.state / "inventory.yml")
        self.where = [f"--inventory={inventory}" for inventory in inventories]

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Run ``tandem routes``; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tandem", "routes", *arguments, *self.where],
            cwd=self.root, text=True, capture_output=True, timeout=HANG_SECONDS,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{arguments}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def routes(servers: Rehearsal, tmp_path_factory) -> Iterator[Routes]:
    """Give the routes; afterwards those of the checkout are in force again."""
    with copy_of_checkout(tmp_path_factory.mktemp("routes") / "checkout") as root:
        before = (root / "deploy/routes.yml").read_text()
        routes = Routes(root, servers)
        yield routes
        (root / "deploy/routes.yml").write_text(before)
        routes("apply")


def side(servers: Rehearsal, host: str, header: str = "X-Nothing: here") -> str:
    """Return who answers on a server: ``wsgi``."""
    ask = (
        f"curl -sk -o /dev/null -D - -H 'Host: {host}.test' -H '{header}' https://localhost{CHEAP}"
    )
    headers = servers.execute(host, ask)
    return headers.lower().partition("x-upstream: ")[2].partition("@")[0]


def test_one_command_moves_a_path_on_all_edges_and_back(servers: Rehearsal, routes: Routes):
    for host in HOSTS:
        assert side(servers, host) == "wsgi"
    routes("move", CHEAP, "--to", "asgi")
    for host in HOSTS:
        assert side(servers, host) == "asgi"
        noted = servers.execute(host, "tail -n 1 /var/log/tandem/routes.jsonl")
        assert json.loads(noted)["what"] == f"move {CHEAP} --to asgi"
    assert f"move {CHEAP} --to asgi" in routes("history")
    routes("rollback")
    for host in HOSTS:
        assert side(servers, host) == "wsgi"


def test_the_staffs_token_works_on_its_own_site_only(servers: Rehearsal, routes: Routes):
    modes = "stat -c '%U:%G %a' /etc/tandem/nginx/force.conf /etc/tandem/credentials/force_key"
    tokens = {}
    for host in HOSTS:
        assert servers.execute(host, modes).splitlines() == ["root:www-data 640", "root:root 600"]
        text = servers.execute(host, "cat /etc/tandem/nginx/force.conf")
        tokens[host] = text.split()[0]
        assert side(servers, host, f"X-Tandem-Upstream: {tokens[host]}") == "asgi"
    assert tokens["trixie"] != tokens["bookworm"]
    assert side(servers, "trixie", f"X-Tandem-Upstream: {tokens['bookworm']}") == "wsgi"
    assert tokens["trixie"] in routes("force") or tokens["bookworm"] in routes("force")


def test_the_report_is_of_all_edges_together_and_steps_are_judged_by_it(
    servers: Rehearsal, routes: Routes
):
    routes("move", CHEAP, "--to", "asgi", "--share", "50")
    began = servers.execute("trixie", "date --iso-8601=seconds")
    for host in HOSTS:
        for client in range(20):
            side(servers, host, f"User-Agent: client {client}")
    printed = routes("report", "--since", began, "--route", CHEAP, "--format", "json")
    rows = json.loads(printed)["routes"]
    assert {row["side"] for row in rows} == {"wsgi", "asgi"}
    assert sum(row["requests"] for row in rows) == 40
    # Nobody asks any more: it cannot tell, and says so.
    said = routes("move", CHEAP, "--auto", "60", "--hold", "1", "--patience", "1", check=False)
    assert "not enough requests to judge 60 %; it stays there" in said


def test_another_file_than_the_inventorys_is_refused(servers: Rehearsal, routes: Routes):
    other = routes.root / "other.yml"
    other.write_text((routes.root / "deploy/routes.yml").read_text())
    assert "say --routes" in routes("apply", "--routes", str(other), check=False)
