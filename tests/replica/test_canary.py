"""Which clients a share moves, that they stay where they are, and who may choose."""

from __future__ import annotations

import asyncio
import re
import time

import httpx

from tests.machine import HANG_SECONDS
from tests.replica.routes import CHEAP, PAGE, Routes, logged, once, side
from tests.stack import Stack, wait_for

CLIENTS = 3_000
SOME = 1_000  # of them, asked again
AT_ONCE = 16


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
            client = httpx.AsyncClient(
                base_url=stack.origin, verify=stack.tls, timeout=HANG_SECONDS
            )
            group.create_task(ask(client))
    return found


async def test_a_canary_is_its_share_of_the_clients_and_they_stay(
    stack: Stack, routes: Routes, record_property
):
    routes("move", CHEAP, "--to", "asgi", "--share", "10")
    agents = [{"User-Agent": f"client {n}"} for n in range(CLIENTS)]
    first = await sides(stack, CHEAP, agents)
    share = 100 * first.count("asgi") / CLIENTS
    record_property(f"share of asgi at 10 %, of {CLIENTS} clients, %", round(share, 2))
    assert 7 <= share <= 13  # five standard deviations
    assert await sides(stack, CHEAP, agents[:SOME]) == first[:SOME]
    # More of them only ever go to asgi, never back.
    routes("move", CHEAP, "--share", "50")
    more = await sides(stack, CHEAP, agents[:SOME])
    assert all(now == "asgi" for now, before in zip(more, first, strict=False) if before == "asgi")
    assert 0.4 < more.count("asgi") / SOME < 0.6


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
