"""Copies of requests for the other upstream, which the real answer never waits for."""

from __future__ import annotations

import time

import pytest

from tests.replica.routes import CHEAP, PAGE, Routes, logged, side
from tests.stack import Stack, wait_for

REQUESTS = 100


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


def timed(stack: Stack) -> list[float]:
    """Return the seconds of requests one after the other on one connection, in order of size."""
    found = []
    with stack.client() as client:
        for _ in range(REQUESTS):
            began = time.perf_counter()
            assert side(client.get(CHEAP)) == "wsgi"
            found.append(time.perf_counter() - began)
    return sorted(found)


@pytest.mark.pace
def test_a_shadow_that_hangs_or_is_gone_changes_nothing(
    stack: Stack, routes: Routes, record_property
):
    found = {"plain": timed(stack)}
    routes("move", CHEAP, "--to", "wsgi", "--mirror", "on")
    found["mirrored"] = timed(stack)
    for name in ("asgi-1", "asgi-2"):
        stack.run("docker", "pause", stack.container(name))
    try:
        found["hung"] = timed(stack)
    finally:
        for name in ("asgi-1", "asgi-2"):
            stack.run("docker", "unpause", stack.container(name))
    stack.compose("stop", "asgi")
    try:
        found["gone"] = timed(stack)
    finally:
        stack.compose("start", "asgi")
        for n in (1, 2):
            stack.wait_healthy(f"asgi-{n}")
    p50 = {name: seconds[REQUESTS // 2] for name, seconds in found.items()}
    record_property("p50, ms", {name: round(1000 * s, 1) for name, s in p50.items()})
    # A copy that was waited for would take the 1 s of copy.conf: some hundred times as much.
    assert max(p50["hung"], p50["gone"]) < 30 * p50["plain"], p50
