"""Moving a path between the upstreams, in parts and as a whole, while users are at it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.load.run import during, nobody_noticed
from tests.replica.test_roll import site
from tests.stack import Stack, copy_of_checkout, wait_for

pytestmark = pytest.mark.timeout(600)

# Both sides serve it, without a database: what is measured here is the edge.
CHEAP = "/health/live/"
PAGE = "/gallery/"
CLIENTS = 10_000
AT_ONCE = 16


class Routes:
    """A copy of the checkout whose routes the tests may change; the replica is the same."""

    def __init__(self, root: Path) -> None:
        self.stack = Stack(root)
        self.file = root / "deploy/routes.yml"

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Run ``tandem routes``; return what it printed."""
        done = self.stack.run(sys.executable, "-m", "tandem", "routes", *arguments, check=check)
        return done.stdout + done.stderr


@pytest.fixture
def routes(stack: Stack, tmp_path: Path) -> Iterator[Routes]:
    """Give the routes; afterwards those of the checkout are in force again."""
    with copy_of_checkout(tmp_path / "checkout") as root:
        yield Routes(root)
    stack.run("docker/routes.sh", TANDEM_PYTHON=sys.executable)


def side(answer: httpx.Response) -> str:
    """Return who answered: ``wsgi``."""
    return answer.headers["X-Upstream"].partition("@")[0]


def once(stack: Stack, path: str, headers: dict[str, str]) -> str:
    """Ask as a client that has no cookies but those in ``headers``; return who answered."""
    with stack.client() as client:
        return side(client.get(path, headers=headers))


def logged(stack: Stack, since: float, path: str) -> list[dict]:
    """Return the lines of the access log, and of the shadows', about ``path``."""
    # Compose clears the terminal's line first, also where there is none.
    lines = [line.removeprefix("\x1b[2K") for line in stack.logs("nginx", since=since).splitlines()]
    lines = [line for line in lines if line.startswith("{")]
    return [entry for entry in map(json.loads, lines) if entry["path"] == path]


async def sides(stack: Stack, path: str, headers: list[dict[str, str]]) -> list[str]:
    """Ask once with each of ``headers``, without keeping cookies; return who answered."""
    waiting = list(enumerate(headers))
    found = [""] * len(headers)

    async def ask(client: httpx.AsyncClient) -> None:
        while waiting:
            number, own = waiting.pop()
            answer = await client.get(path, headers=own)
            assert answer.status_code == 200, answer.text
            found[number] = side(answer)
            client.cookies.clear()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            client = httpx.AsyncClient(base_url=stack.origin, verify=stack.tls, timeout=30)
            group.create_task(ask(client))
    return found


async def test_a_canary_is_its_share_of_ten_thousand_clients_and_they_stay(
    stack: Stack, routes: Routes, record_property
):
    routes("move", CHEAP, "--to", "asgi", "--share", "10")
    agents = [{"User-Agent": f"client {n}"} for n in range(CLIENTS)]
    first = await sides(stack, CHEAP, agents)
    share = 100 * first.count("asgi") / CLIENTS
    record_property("share of asgi at 10 %, of 10,000 clients, %", round(share, 2))
    assert 9 <= share <= 11
    assert await sides(stack, CHEAP, agents[:2000]) == first[:2000]
    # More of them only ever go to asgi, never back.
    routes("move", CHEAP, "--share", "50")
    more = await sides(stack, CHEAP, agents[:2000])
    assert all(now == "asgi" for now, before in zip(more, first, strict=False) if before == "asgi")
    assert 0.45 < more.count("asgi") / 2000 < 0.55


async def test_browsers_behind_one_address_are_split_and_keep_their_side(
    stack: Stack, routes: Routes
):
    """All the same address and browser: each gets a group of its own, in a cookie."""
    routes("move", CHEAP, "--to", "asgi", "--share", "50")
    found = []
    for _ in range(100):
        with stack.client() as client:
            page = client.get("/", headers={"Sec-Fetch-Mode": "navigate"})
            cookie = page.headers["Set-Cookie"]
            assert re.search(r"tandem_canary=\d\d; Path=/; Max-Age=2592000; Secure;", cookie)
            first = client.get(CHEAP)
            assert "Set-Cookie" not in first.headers
            agents = ("another browser", "python", "")
            assert {side(client.get(CHEAP, headers={"User-Agent": a})) for a in agents} == {
                side(first)
            }
            found.append(side(first))
    assert 25 < found.count("asgi") < 75


def test_the_side_survives_a_login(stack: Stack, routes: Routes):
    routes("move", PAGE, "--to", "asgi", "--share", "50")
    for user in ("demo", "guest"):
        with stack.client() as client:
            before = side(client.get(PAGE, headers={"Sec-Fetch-Mode": "navigate"}))
            client.get("/accounts/login/")
            answer = client.post(
                "/accounts/login/",
                data={
                    "username": user,
                    "password": user,
                    "csrfmiddlewaretoken": client.cookies["csrftoken"],
                },
                headers={"Referer": stack.origin},
            )
            assert answer.status_code == 302
            assert {side(client.get(PAGE)) for _ in range(5)} == {before}


def test_no_share_sets_no_cookie(stack: Stack):
    with stack.client() as client:
        answer = client.get("/", headers={"Sec-Fetch-Mode": "navigate"})
    assert "tandem_canary" not in answer.headers.get("Set-Cookie", "")


def test_the_log_tells_arm_share_force_and_fallback(stack: Stack, routes: Routes):
    routes("move", PAGE, "--to", "asgi", "--share", "10")
    began = time.time()
    token = re.search(r"X-Tandem-Upstream: (asgi\.\w+)", routes("force", "asgi"))
    assert token
    once(stack, PAGE, {"Cookie": "tandem_canary=09"})
    once(stack, PAGE, {"Cookie": "tandem_canary=10"})
    once(stack, PAGE, {"X-Tandem-Upstream": token[1]})
    once(stack, "/", {})
    wait_for(lambda: len(logged(stack, began, PAGE)) == 3)
    entries = logged(stack, began, PAGE)
    assert [e["arm"] for e in entries] == ["asgi", "wsgi", "asgi"]
    assert [e["upstream"].partition("@")[0] for e in entries] == ["asgi", "wsgi", "asgi"]
    assert {e["share"] for e in entries} == {"10"}
    assert [e["forced"] for e in entries] == ["", "", "asgi"]
    assert {e["fallback"] for e in entries} == {""}
    (root,) = logged(stack, began, "/")
    assert (root["arm"], root["share"], root["forced"]) == ("", "", "")


def test_only_a_signed_token_forces_a_side(stack: Stack, routes: Routes):
    said = routes("force")
    tokens = dict(re.findall(r"cookie: tandem_upstream=((asgi|wsgi)\.[0-9a-f]{32})\n", said))
    assert sorted(tokens.values()) == ["asgi", "wsgi"]
    for token, name in tokens.items():
        for header in ({"X-Tandem-Upstream": token}, {"Cookie": f"tandem_upstream={token}"}):
            assert once(stack, PAGE, header) == name
    real = next(token for token, name in tokens.items() if name == "asgi")
    for forged in ("asgi", "asgi.", f"asgi.{'0' * 32}", real[:-1], f"{real}0", f"wsgi{real[4:]}x"):
        for header in ({"X-Tandem-Upstream": forged}, {"Cookie": f"tandem_upstream={forged}"}):
            assert once(stack, PAGE, header) == "wsgi"
    # Who may not read it cannot make it: nginx alone has the file.
    modes = stack.compose("exec", "-T", "nginx", "stat", "-c", "%a", "/etc/tandem/nginx/force.conf")
    assert modes.strip() == "640"


def test_a_move_and_back_under_load_is_noticed_by_nobody(
    stack: Stack, routes: Routes, record_property
):
    """A tenth, all, and back: of the front page and of the pages that the load writes to."""
    effective = []

    def there_and_back() -> None:
        for arguments, wanted in (
            (("move", "/", "--to", "asgi", "--share", "50"), {"asgi", "wsgi"}),
            (("move", "/chat/", "--to", "asgi"), None),
            (("move", "/", "--to", "asgi"), {"asgi"}),
            (("rollback",), None),
            (("move", "/", "--to", "wsgi"), {"wsgi"}),
        ):
            seconds = seen_after(stack, lambda a=arguments: routes(*a), wanted)
            effective.append(seconds)

    report = during(there_and_back, site(stack), 50, 20)
    nobody_noticed(report)
    record_property("a move is in force after, s", [round(s, 2) for s in effective if s])


def seen_after(stack: Stack, event, wanted: set[str] | None) -> float:
    """Return how long after the start of ``event`` the front page came from ``wanted`` only."""
    if wanted is None:
        event()
        return 0.0
    found: list[tuple[float, str]] = []
    stop = threading.Event()

    def look() -> None:
        with stack.client() as client:
            while not stop.is_set():
                answer = client.get("/", headers={"Connection": "close"})
                found.append((time.monotonic(), side(answer)))

    looker = threading.Thread(target=look)
    looker.start()
    began = time.monotonic()
    try:
        event()
    finally:
        stop.set()
        looker.join()
    assert found[-1][1] in wanted
    others = [moment for moment, name in found if name not in wanted]
    return max(others, default=began) - began


def test_a_move_is_in_force_soon_after_the_command(stack: Stack, routes: Routes, record_property):
    """From its start to the last answer of the old side, and back."""
    seconds = [
        seen_after(stack, lambda: routes("move", "/", "--to", "asgi"), {"asgi"}),
        seen_after(stack, lambda: routes("rollback"), {"wsgi"}),
    ]
    record_property("from the command to the last answer of the old side, s", seconds)
    # Python's start, nginx' check and the engine's commands included.
    assert max(seconds) < 3


def test_what_nginx_refuses_leaves_everything_as_it_was(stack: Stack, routes: Routes):
    before = routes.file.read_text()
    mine = "/etc/tandem/nginx/routes.d/mine.conf"
    write = ["run", "--rm", "--no-deps", "-T", "first-run", "sh", "-c"]
    stack.compose(*write, f"echo 'location /mine/ {{ return 204; }}' >{mine}")
    try:
        said = routes("move", "/mine/", "--to", "asgi", check=False)
    finally:
        stack.compose(*write, f"rm {mine}")
    assert 'duplicate location "/mine/"' in said
    assert "still routes as before" in said
    assert routes.file.read_text() == before
    with stack.client() as client:
        assert side(client.get("/mine/")) == "wsgi"


def test_with_asgi_gone_what_was_moved_is_answered_by_wsgi(stack: Stack, routes: Routes):
    routes("move", PAGE, "--to", "asgi")
    began = time.time()
    stack.compose("stop", "asgi")
    try:
        with stack.client() as client:
            answers = [client.get(PAGE) for _ in range(20)]
            head = client.head(PAGE)
            post = client.post(PAGE, headers={"Accept": "application/json"})
    finally:
        stack.compose("start", "asgi")
        for n in (1, 2):
            stack.wait_healthy(f"asgi-{n}")
    assert {(a.status_code, side(a)) for a in [*answers, head]} == {(200, "wsgi")}
    # What might be done twice is not asked again.
    assert post.status_code == 502
    assert post.json()["error"] == "Not answering"
    entries = [e for e in logged(stack, began, PAGE) if e["method"] == "GET"]
    assert {e["fallback"] for e in entries} == {"wsgi"}
    with stack.client() as client:
        assert side(client.get(PAGE)) == "asgi"


def test_a_mirror_copies_what_is_safe_and_logs_the_shadow(stack: Stack, routes: Routes):
    routes("move", PAGE, "--to", "wsgi", "--mirror", "on")
    began = time.time()
    with stack.client() as client:
        answer = client.get(f"{PAGE}?token=s3cret-shadow")
        client.post(PAGE)
    assert side(answer) == "wsgi"
    wait_for(lambda: len(logged(stack, began, PAGE)) == 3)
    entries = logged(stack, began, PAGE)
    (shadow,) = [e for e in entries if "shadow" in e]
    (real,) = [e for e in entries if "shadow" not in e and e["method"] == "GET"]
    assert (shadow["method"], shadow["status"], shadow["shadow"]) == ("GET", 200, "asgi")
    assert shadow["upstream"].startswith("asgi@")
    assert (shadow["id"], shadow["route"]) == (real["id"], PAGE)
    assert shadow["client"] == real["client"]
    assert "s3cret" not in stack.logs("nginx", since=began)


def timed(stack: Stack, count: int = 300) -> list[float]:
    """Return the seconds of requests one after the other on one connection, in order of size."""
    found = []
    with stack.client() as client:
        for _ in range(count):
            began = time.perf_counter()
            assert side(client.get(CHEAP)) == "wsgi"
            found.append(time.perf_counter() - began)
            time.sleep(0.005)
    return sorted(found)


def test_a_shadow_that_hangs_or_is_gone_changes_nothing(
    stack: Stack, routes: Routes, record_property
):
    plain = timed(stack)
    routes("move", CHEAP, "--to", "wsgi", "--mirror", "on")
    mirrored = timed(stack)
    for name in ("asgi-1", "asgi-2"):
        stack.run("docker", "pause", stack.container(name))
    try:
        hung = timed(stack)
    finally:
        for name in ("asgi-1", "asgi-2"):
            stack.run("docker", "unpause", stack.container(name))
    stack.compose("stop", "asgi")
    try:
        gone = timed(stack)
    finally:
        stack.compose("start", "asgi")
        for n in (1, 2):
            stack.wait_healthy(f"asgi-{n}")
    named = {"plain": plain, "mirrored": mirrored, "hung": hung, "gone": gone}
    for name, found in named.items():
        record_property(f"p50 and p99 {name}, ms", [round(1000 * found[n]) for n in (150, 296)])
    # A copy that was waited for would take its 5 s, or at least the 1 s of copy.conf.
    assert max(hung + gone) < 0.9
    assert hung[150] < 2 * plain[150] + 0.005
