"""Real sites of others, served by the replica without a change to their code.

`make test` serves the first, `make test-sites` all of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tandem.ops.adopt.model import load
from tests.own import owned
from tests.sites.adopted import SITES, AdoptedStack, Recipe, prepare

CHOSEN = SITES if os.environ.get("ALL_SITES") == "1" else SITES[:1]
TEN_TIMES = 160  # requests at once: ten for each of the threads there are


@pytest.fixture(scope="module", params=CHOSEN, ids=lambda recipe: recipe.name)
def recipe(request) -> Recipe:
    return request.param


@pytest.fixture(scope="module")
def site(recipe: Recipe, tmp_path_factory) -> Iterator[AdoptedStack]:
    stack = AdoptedStack(prepare(recipe, tmp_path_factory.mktemp("site") / recipe.name))
    with owned(stack):
        stack.up()
        yield stack


@pytest.mark.parametrize("upstream", ["wsgi", "asgi"])
def test_both_upstreams_serve_it(site: AdoptedStack, upstream: str):
    with site.client() as client:
        answer = client.get(f"/health/{upstream}/ready/")
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Upstream"].startswith(f"{upstream}@")


def test_both_sides_answer_the_front_page_alike(site: AdoptedStack):
    """Whatever a side makes of its surroundings (addresses, ports, threads) shows there."""
    ask = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    found = {
        side: site.compose(
            "exec", "-T", "nginx", *ask, "--header", "X-Forwarded-Proto: https",
            "--unix-socket", f"/run/tandem/{side}@1.sock", "http://localhost/",
        )
        for side in ("wsgi", "asgi")
    }  # fmt: skip
    assert found["wsgi"] == found["asgi"]
    assert int(found["asgi"]) < 500


def test_its_front_page_and_what_that_loads_are_there(site: AdoptedStack, recipe: Recipe):
    with site.client() as client:
        page = client.get("/", follow_redirects=True)
        assert page.status_code == 200, page.text[:500]
        if recipe.login:
            page = client.get(recipe.login)
        loaded = set(re.findall(r'(?:href|src)="(/static/[^"?]+\.(?:css|js))[?"]', page.text))
        assert {url: client.get(url).status_code for url in loaded} == dict.fromkeys(loaded, 200)
        assert loaded or not recipe.login


def test_what_its_front_end_builds_is_served_without_what_built_it(
    site: AdoptedStack, recipe: Recipe
):
    if recipe.built:
        with site.client() as client:
            assert "built by Node v22.&lt;" in client.get(recipe.built).text
        left = "{ command -v node npm; find / -xdev -name node_modules; } || true"
        assert site.compose("exec", "-T", "wsgi", "sh", "-c", left).strip() == ""


def test_who_logs_in_is_let_in(site: AdoptedStack, recipe: Recipe):
    if recipe.login:
        with site.client() as client:
            assert site.login(client, recipe.login).status_code == 302
            inside = client.get(recipe.inside)
            assert inside.status_code == 200
            assert client.cookies.jar, "no cookie"
            assert all(cookie.secure for cookie in client.cookies.jar)


async def test_a_hostile_origin_opens_no_socket_and_sends_no_form(
    site: AdoptedStack, recipe: Recipe
):
    evil = "https://evil.example"
    if recipe.login:
        with site.client() as client:
            client.get(recipe.login)
            data = {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
            answer = client.post(recipe.login, data=data, headers={"Origin": evil})
        assert answer.status_code == 403
    if recipe.socket:
        async with site.socket(recipe.socket):
            pass
        with pytest.raises(InvalidStatus) as refused:
            await site.socket(recipe.socket, origin=evil)
        assert refused.value.response.status_code == 403


def test_connections_stay_within_the_budget_at_ten_times_the_load(
    site: AdoptedStack, recipe: Recipe
):

    def visit(_: int) -> set[int]:
        with site.client() as client:  # each its own, as visitors are
            return {client.get("/", follow_redirects=True).status_code for _ in range(4)}

    with ThreadPoolExecutor(TEN_TIMES) as threads:
        codes = set.union(*threads.map(visit, range(TEN_TIMES)))
    assert codes == {200}
    tandem_yml = Path(site.folder / "tandem.yml").read_text()
    if "database: postgresql" in tandem_yml:
        statement = "select count(*) from pg_stat_activity where usename = 'tandem'"
        out = site.compose("exec", "-T", "postgres", "psql", "-At", "tandem", "-c", statement)
        # 2 instances x 2 processes x 4 threads, and the readiness checks of the others.
        assert 0 < int(out) <= 2 * 2 * 4 + 4


def test_its_own_processes_run(site: AdoptedStack, recipe: Recipe):
    processes = load(site.folder / "tandem.yml").processes
    assert processes or not recipe.process
    listed = site.run("make", "ps").stdout
    for name in processes:
        assert site.inspect(f"{name}-1")["State"]["Status"] == "running"
        assert site.container(f"{name}-1") in listed


def test_up_again_changes_nothing(site: AdoptedStack):
    before = site.inspect("wsgi-1")["Id"]
    site.up()
    assert site.inspect("wsgi-1")["Id"] == before


def test_a_process_that_does_not_stay_up_fails_up_with_its_last_lines(
    site: AdoptedStack, recipe: Recipe
):
    if recipe.process:
        file = site.folder / "tandem.yml"
        text = file.read_text()
        broken = "clock: sh -c 'echo it has no spring; exit 3'"
        file.write_text(text.replace(recipe.process, broken))
        done = site.up(check=False)
        file.write_text(text)
        assert done.returncode != 0
        assert "it has no spring" in done.stderr
        assert "tandem: the process clock does not stay up" in done.stderr
        with site.client() as client:
            assert client.get("/health/wsgi/ready/").status_code == 200
