"""Every realtime style through nginx, and what becomes of clients that misbehave."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.machine import HANG_SECONDS
from tests.replica.styles import STYLES, Style, open_style, token
from tests.stack import Stack, wait_for, worker

ORIGINS = {
    "missing": None,
    "null": "null",
    "suffix": "https://localhost:{port}.evil.test",
    "prefix": "https://evil-localhost:{port}",
    "other port": "https://localhost:1",
    "no port": "https://localhost",
    "other scheme": "http://localhost:{port}",
    "upper case": "HTTPS://LOCALHOST:{port}",
    "userinfo": "https://localhost:{port}@evil.test",
    "IDN": "https://xn--lcalhost-43a:{port}",
    "unicode": "https://l\u043ecalhost:{port}",
    "trailing slash": "https://localhost:{port}/",
    "two": "https://localhost:{port}, https://evil.test",
    "another name": "https://evil.test",
}
IDS = [style.path for style in STYLES]
STAY_OPEN = [s for s in STYLES if s.path not in ("/ws/hello/", "/legacy/echo-once/")]


@pytest.mark.parametrize("style", STYLES, ids=IDS)
async def test_each_style_works(stack: Stack, style: Style):
    socket, _ = await open_style(stack, style, stack.cookie("demo"))
    assert worker(socket).split("@")[0] == ("notify" if style.token else "asgi")
    await socket.close()


@pytest.mark.parametrize("origin", ORIGINS.values(), ids=ORIGINS)
async def test_hostile_origins_are_refused_at_the_edge_for_every_socket(stack: Stack, origin):
    cookie = stack.cookie("demo")
    value = origin and origin.format(port=stack.https_port)
    for style in STYLES:
        options = {"origin": None}
        if value:
            headers = {"Cookie": cookie, "Origin": value.encode().decode("latin1")}
            options["additional_headers"] = headers
        with pytest.raises(InvalidStatus) as refused:
            await stack.socket(style.path, cookie, **options)
        assert refused.value.response.status_code == 403, style.path
        assert refused.value.response.headers["X-Upstream"] == "edge"


@pytest.mark.parametrize("style", STYLES, ids=IDS)
@pytest.mark.parametrize("change", ["version", "key", "no key"])
async def test_a_malformed_handshake_is_a_4xx(stack: Stack, style: Style, change: str):
    from tests.replica.test_routing import HANDSHAKE, raw_request

    lines = [line for line in HANDSHAKE if not line.startswith("Origin")]
    if change == "version":
        lines = [line.replace("Version: 13", "Version: 99") for line in lines]
    elif change == "key":
        lines = [line.replace("dGhlIHNhbXBsZSBub25jZQ==", "short") for line in lines]
    else:
        lines = [line for line in lines if "Key" not in line]
    request = [f"GET {style.path} HTTP/1.1", f"Host: localhost:{stack.https_port}",
               f"Origin: {stack.origin}", *lines]  # fmt: skip
    if not any(line.startswith("Upgrade") for line in lines):
        request.append("Upgrade: websocket")
    answer = await asyncio.to_thread(raw_request, stack, request)
    assert answer.split(" ")[1] in ("400", "403", "426"), answer[:300]


@pytest.mark.parametrize("style", STAY_OPEN, ids=[style.path for style in STAY_OPEN])
async def test_a_message_that_is_too_large_closes_with_1009(stack: Stack, style: Style):
    socket, _ = await open_style(stack, style, stack.cookie("demo"))
    with suppress(ConnectionClosed):
        await socket.send("x" * 70_000)
        async with asyncio.timeout(HANG_SECONDS):
            while True:
                await socket.recv()
    assert socket.close_code == 1009


async def all_answer(stack: Stack, cookie: str) -> float:
    """Return how long all styles took to answer a client each, in s."""
    began = time.monotonic()
    for style in STYLES:
        socket, _ = await open_style(stack, style, cookie)
        await socket.close()
    return time.monotonic() - began


@pytest.mark.pace
async def test_clients_that_never_read_delay_nobody(stack: Stack, record_property):
    cookie = stack.cookie("demo")
    token(stack)  # is fetched once, and then known
    before = await all_answer(stack, cookie)
    deaf = [
        await stack.socket(p, cookie, max_queue=1) for p in ("/ws/echo/", "/legacy/lower-case/")
    ]
    flood = [asyncio.create_task(_flood(socket)) for socket in deaf]
    try:
        meanwhile = await all_answer(stack, cookie)
    finally:
        for task in flood:
            task.cancel()
        for socket in deaf:
            socket.transport.abort()
    record_property("all styles, before and meanwhile, s", [before, meanwhile])
    # Whoever waited for such a client would wait for the 60 s that nginx gives it.
    assert meanwhile < 20 * before


async def _flood(socket) -> None:
    with suppress(ConnectionClosed):
        while True:  # until the answers fill all there is on the way
            await socket.send("x" * 30_000)


def footprint(stack: Stack) -> dict[str, int]:
    """Return what the processes and Redis hold."""
    found = {}
    for name in ("asgi-1", "asgi-2", "notify-1", "notify-2"):
        shell = "echo $(ls /proc/1/fd | wc -l) $(ls /proc/1/task | wc -l)"
        out = stack.run("docker", "exec", stack.container(name), "sh", "-c", shell).stdout.split()
        found[f"{name} descriptors"], found[f"{name} threads"] = map(int, out)
    found["keys"] = len(stack.redis("keys", "*").split())
    found["channels"] = len(stack.redis("pubsub", "channels").split())
    return found


async def come_and_go(stack: Stack, count: int) -> None:
    """Open ``count`` sockets of all styles and end each in one of three ways."""
    cookie = stack.cookie("demo")
    cheap = [style for style in STYLES if not style.token]
    gate = asyncio.Semaphore(10)

    async def one(n: int) -> None:
        async with gate:
            style = cheap[n % len(cheap)]
            socket = await stack.socket(style.path, cookie if style.login else "")
            if n % 3 == 0:
                socket.transport.abort()  # vanishes
                return
            if n % 3 == 1 and style.says:
                with suppress(ConnectionClosed):
                    await socket.send(style.says)
            await socket.close()

    await asyncio.gather(*(one(n) for n in range(count)))
    good = token(stack)
    for n in range(count // 10):
        socket = await stack.socket("/ws/notifications/")
        if n % 2:
            await socket.send(good)
        socket.transport.abort() if n % 4 else await socket.close()


async def test_a_thousand_sockets_leave_nothing_behind(stack: Stack, record_testsuite_property):
    await come_and_go(stack, 300)  # threads and connections that are made once and kept
    looks = [footprint(stack)]

    def still() -> bool:
        looks.append(footprint(stack))
        return looks[-1] == looks[-2]

    await asyncio.to_thread(wait_for, still, every=1)
    before = looks[-1]
    delays: list[float] = []
    bystander = asyncio.create_task(_watch(stack, delays))
    await come_and_go(stack, 1000)
    bystander.cancel()
    record_testsuite_property("bystander's slowest echo, ms", round(max(delays) * 1000))

    def settled() -> bool:
        after = footprint(stack)
        return all(after[name] <= before[name] + 4 for name in before)

    try:
        wait_for(settled, every=1)
    except AssertionError:
        raise AssertionError((before, footprint(stack))) from None


async def _watch(stack: Stack, delays: list[float]) -> None:
    async with stack.socket("/ws/echo/") as socket:
        while True:
            began = time.monotonic()
            await socket.send("still there?")
            await socket.recv()
            delays.append(time.monotonic() - began)
            await asyncio.sleep(0.05)


# --- scores: one writes, many watch ---


async def test_a_score_reaches_every_watcher_on_both_workers(stack: Stack):
    style = next(s for s in STYLES if "scores" in s.path)
    watchers = [(await open_style(stack, style, ""))[0] for _ in range(6)]
    assert {worker(socket) for socket in watchers} == {"asgi@1", "asgi@2"}

    def write() -> int:
        with stack.client("demo") as client:
            client.get("/scores/demo/")
            return client.post(
                "/scores/demo/",
                data={"runs": 97, "wickets": 3, "overs": "17.2", "note": "Six!",
                      "csrfmiddlewaretoken": client.cookies["csrftoken"]},
                headers={"Referer": stack.origin},
            ).status_code  # fmt: skip

    assert await asyncio.to_thread(write) == 302
    for socket in watchers:
        async with asyncio.timeout(HANG_SECONDS):
            score = json.loads(await socket.recv())
        assert (score["runs"], score["note"]) == (97, "Six!")
        await socket.close()
    with stack.client() as client:
        assert client.get("/scores/demo/state/").json()["runs"] == 97
    with stack.client("guest") as client:
        client.get("/accounts/login/")
        data = {"runs": 1, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        refused = client.post("/scores/demo/", data=data, headers={"Referer": stack.origin})
    assert refused.status_code == 403


# --- event streams ---


@pytest.mark.parametrize("path", ["/events/ticker/", "/events/notifications/"])
def test_event_streams_arrive_at_once_and_unbuffered(stack: Stack, path: str):
    with stack.client("demo") as client, client.stream("GET", path) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["X-Upstream"].startswith("asgi@")
        assert next(answer.iter_text()).startswith("retry:")


def test_an_event_stream_resumes_after_the_last_id(stack: Stack):
    headers = {"Last-Event-ID": "41"}
    with stack.client() as client, client.stream("GET", "/events/ticker/", headers=headers) as got:
        text = ""
        for part in got.iter_text():
            text += part
            if "data:" in text:
                break
    assert "id: 42\n" in text


def test_the_stream_of_changes_wants_a_login(stack: Stack):
    with stack.client() as client:
        assert client.get("/events/notifications/").status_code == 401
