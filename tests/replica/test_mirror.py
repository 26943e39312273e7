"""Copies of requests for the other upstream, which the real answer never waits for."""

from __future__ import annotations

import time

import pytest

from tests.replica.routes import CHEAP, PAGE, Routes, logged, side
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.timeout(600)


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
    assert max(hung[150], gone[150]) < 0.9
