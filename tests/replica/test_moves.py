"""Moving a path to the other upstream and back, while users are at it."""

from __future__ import annotations

import threading
import time

import pytest

from tests.load.run import during, nobody_noticed
from tests.replica.routes import PAGE, Routes, logged, side
from tests.replica.traffic import site
from tests.stack import Stack, wait_for

ENOUGH = 50  # answers


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
    """Assert that the front page comes from ``wanted`` only when asked after ``event``.

    Return how long after the start of ``event`` the last other answer came, in s.
    """
    if wanted is None:
        event()
        return 0.0
    found: list[tuple[float, float, str]] = []  # when it was asked, when answered, by whom
    stop = threading.Event()

    def look() -> None:
        with stack.client() as client:
            while not stop.is_set():
                asked = time.monotonic()
                answer = client.get("/", headers={"Connection": "close"})
                found.append((asked, time.monotonic(), side(answer)))

    looker = threading.Thread(target=look)
    looker.start()
    began = time.monotonic()
    try:
        event()
        done = time.monotonic()
        wait_for(lambda: sum(asked > done for asked, _, _ in found) >= ENOUGH)
    finally:
        stop.set()
        looker.join()
    assert {name for asked, _, name in found if asked > done} <= wanted
    others = [answered for _, answered, name in found if name not in wanted]
    return max(others, default=began) - began


@pytest.mark.order
def test_a_move_is_in_force_when_the_command_ends(stack: Stack, routes: Routes, record_property):
    """And the way back is; an answer that is under way then may be of the old side."""
    seconds = [
        seen_after(stack, lambda: routes("move", "/", "--to", "asgi"), {"asgi"}),
        seen_after(stack, lambda: routes("rollback"), {"wsgi"}),
    ]
    record_property("from the command to the last answer of the old side, s", seconds)


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
