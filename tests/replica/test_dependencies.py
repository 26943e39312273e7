"""PostgreSQL restarts, Redis hangs: what users notice of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest

from tests.machine import HANG_SECONDS
from tests.stack import Stack, wait_for


@dataclass
class Answer:
    """What one request got, and when it began and ended (Unix time)."""

    side: str
    status: int
    began: float
    ended: float


@contextmanager
def asking(stack: Stack, path: str) -> Iterator[list[Answer]]:
    """Ask both upstreams for a page that needs the database, to the end of the block."""
    answers: list[Answer] = []
    stop = threading.Event()
    read = "cat /etc/tandem/nginx/force.conf"
    tokens = re.findall(r"^(\w+\.\w+) ", stack.compose("exec", "-T", "nginx", *read.split()), re.M)
    assert {token.partition(".")[0] for token in tokens} == {"asgi", "wsgi"}

    def ask(token: str) -> None:
        with stack.client() as client:
            client.timeout = httpx.Timeout(HANG_SECONDS)
            while not stop.is_set():
                began = time.time()
                answer = client.get(path, headers={"X-Tandem-Upstream": token})
                side = answer.headers["X-Upstream"].partition("@")[0]
                answers.append(Answer(side, answer.status_code, began, time.time()))
                time.sleep(0.02)

    threads = [threading.Thread(target=ask, args=[token]) for token in tokens for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def shut_down(stack: Stack, since: float) -> float:
    """Return when PostgreSQL heard that it has to end (Unix time)."""
    logged = stack.run("docker", "logs", "--since", f"{since:.3f}", "--timestamps",
                       stack.container("postgres-1"))  # fmt: skip
    (line,) = [
        line
        for line in (logged.stdout + logged.stderr).splitlines()
        if "received fast shutdown request" in line
    ]
    return datetime.fromisoformat(line.split()[0][:26] + "+00:00").timestamp()


@pytest.mark.order
def test_a_restart_of_postgresql_is_waited_for_on_both_upstreams(stack: Stack):
    """As the nightly security update does it: whoever asks meanwhile waits, and gets no 500.

    But for what is being asked at that very moment.
    """
    with asking(stack, "/scores/demo/state/") as answers:
        wait_for(lambda: len(answers) > 50)
        began = time.time()
        stack.compose("restart", "postgres")
        before = len(answers)
        wait_for(lambda: len(answers) > before + 50)
    end = shut_down(stack, began)
    waited = [answer for answer in answers if not answer.began < end < answer.ended]
    assert {(answer.side, answer.status) for answer in waited} == {("asgi", 200), ("wsgi", 200)}
    assert max(answer.began for answer in answers) > end


@contextmanager
def paused(stack: Stack, service: str) -> Iterator[None]:
    """Let a container hang: it takes connections and never answers."""
    stack.compose("pause", service)
    try:
        yield
    finally:
        stack.compose("unpause", service)


def test_a_redis_that_hangs_holds_up_no_page_and_no_logout(stack: Stack):
    """A tenth of what a client waits for at most: each asks Redis once, and gives up."""
    clients = []
    for _ in range(12):
        with stack.client("guest") as client:
            clients.append(dict(client.cookies))
    patience = httpx.Timeout(20)
    with paused(stack, "redis"):
        for cookies in clients:
            with httpx.Client(
                base_url=stack.origin, verify=stack.tls, cookies=cookies, timeout=patience
            ) as client:
                assert client.get("/").status_code == 200
                answer = client.post(
                    "/accounts/logout/",
                    data={"csrfmiddlewaretoken": cookies["csrftoken"]},
                    headers={"Referer": stack.origin},
                )
                assert answer.status_code == 302
    stack.wait_healthy("asgi-1")


async def test_what_redis_counts_it_counts_by_its_own_clock(stack: Stack):
    """A server whose clock is wrong neither loses its members nor keeps those of others."""
    key = "tandem:sockets:" + stack.sql("select id from auth_user where username = 'demo'")
    async with stack.socket("/ws/chat/clock/", stack.cookie("demo")) as socket:
        await socket.send('{"watch": true}')
        await socket.recv()
        now = float(stack.redis("time").split()[0])
        _, score = stack.redis("zrange", key, "0", "0", "withscores").split()
        assert abs(now - float(score)) < 60
