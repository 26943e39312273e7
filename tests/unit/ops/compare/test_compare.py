"""``tandem compare`` against two real servers: what it finds, and how it ends."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from tandem.ops.compare import client
from tests.machine import HANG_SECONDS
from tests.stack import ROOT
from tests.unit.ops.compare.compare_sites import Handler, Pair, Reply, both


def test_the_same_answers_are_the_same(sites: Pair, compare):
    both(sites, "/", "<p>hello")
    status, told = compare("/\n# a comment\n\n/\n/none\n")
    assert status == 0
    assert "2 compared: 2 same" in told
    assert re.search(r"same +404", told)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply("<p>hello", 500), "status: wsgi 200, asgi 500"),
        (Reply("<p>good bye"), "    -<p>hello\n    +<p>good bye\n"),
        (Reply("<p>hello", headers=[("X-Frame-Options", "DENY")]),
         "header x-frame-options\n      wsgi: (none)\n      asgi: DENY"),
        (Reply("<p>hello", headers=[("Set-Cookie", "a=1; Path=/")]), "asgi: a=*; path=/"),
        (Reply("<p>hello", kind="text/plain"), "header content-type"),
        (Reply("<p>hello", headers=[("ETag", '"1"')]), "header etag"),
    ],
)  # fmt: skip
def test_a_difference_is_shown_and_ends_with_1(sites: Pair, compare, reply: Reply, told: str):
    both(sites, "/", "<p>hello")
    sites[1].views["/"] = lambda _: reply
    status, out = compare("/\n")
    assert status == 1
    assert told in out
    assert "1 compared: 1 different" in out


def test_what_varies_on_one_side_by_itself_is_no_difference(sites: Pair, compare):
    count = iter(range(10**6))
    for site in sites:
        site.views["/"] = lambda _: Reply(
            f"<p>hello</p>\n<p>visitor {next(count)}</p>", headers=[("X-Took", str(next(count)))]
        )
    status, told = compare("/\n")
    assert status == 0
    assert "varies by itself, left out: header x-took, lines of the body" in told


def test_a_mistake_on_a_page_that_varies_is_still_found(sites: Pair, compare):
    count = iter(range(10**6))
    sites[0].views["/"] = lambda _: Reply(f"<p>visitor {next(count)}</p>\n<p>fine</p>")
    sites[1].views["/"] = lambda _: Reply(f"<p>visitor {next(count)}</p>\n<p>oops</p>")
    status, told = compare("/\n")
    assert status == 1
    assert "-<p>fine</p>" in told
    assert "visitor" not in told


def test_a_side_that_says_always_what_the_other_never_does_differs(sites: Pair, compare):
    count = iter(range(10**6))
    both(sites, "/", b"\x00", kind="image/png", headers=[("X-Id", "none")])
    sites[0].views["/"] = lambda _: Reply(
        b"\x00%d" % next(count), kind="image/png", headers=[("X-Id", str(next(count)))]
    )
    status, told = compare("/\n")
    assert status == 1
    assert "header x-id" in told
    assert "-sha256" in told


def test_a_side_that_fails_now_and_then_differs(sites: Pair, compare):
    both(sites, "/", "ok")
    count = iter(range(10**6))
    sites[1].views["/"] = lambda _: Reply("ok", 503 if next(count) % 2 else 200)
    status, told = compare("/\n")
    assert status == 1
    assert "status: wsgi 200, asgi 200 503" in told


def said_in_turn(*replies: Reply) -> Callable[[Handler], Reply]:
    """Return a view that gives these in their order, and then the last for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if left[1:] else left[0]


LIST = "<ul><li>tea</li></ul>\n"
MESSAGE = "<ul><li>Welcome!</li></ul>\n"


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("turn", [0, 2])
def test_a_message_that_comes_once_is_no_difference(sites: Pair, compare, side: int, turn: int):
    """Whichever answer it meets: another page of the session may have left it there."""
    both(sites, "/", LIST)
    replies = [Reply(LIST)] * 4
    replies[turn] = Reply(MESSAGE + LIST)
    sites[side].views["/"] = said_in_turn(*replies)
    assert compare("/\n")[0] == 0


@pytest.mark.parametrize("struck", range(6))
def test_a_clock_is_no_difference_whenever_it_strikes(sites: Pair, compare, struck: int):
    asked = iter(range(10**6))
    for site in sites:
        site.views["/"] = lambda _: Reply(f"<p>12:0{int(next(asked) > struck)}</p>\n<p>tea</p>")
    status, told = compare("/\n")
    assert status == 0
    assert "varies by itself, left out: lines of the body" in told or struck == 5


def test_a_status_that_comes_once_is_no_difference(sites: Pair, compare):
    both(sites, "/", "x")
    sites[0].views["/"] = said_in_turn(Reply("welcome", 302), Reply("x"))
    status, told = compare("/\n")
    assert status == 0
    assert "left out: status of the first answer" in told


def test_what_asgi_alone_leaves_out_now_and_then_differs(sites: Pair, compare):
    both(sites, "/", LIST + "<p>your cart</p>")
    count = iter(range(10**6))
    whole = Reply(LIST + "<p>your cart</p>")
    sites[1].views["/"] = lambda _: whole if next(count) % 2 else Reply(LIST)
    status, told = compare("/\n")
    assert status == 1
    assert "-<p>your cart</p>" in told


def test_what_differs_is_asked_for_again_before_it_is_believed(sites: Pair, compare):
    both(sites, "/same/", "x")
    sites[0].say("/", "wsgi")
    sites[1].say("/", "asgi")
    assert compare("/\n/same/\n", "--concurrency", "1")[0] == 1
    assert Counter(path for _, path, _ in sites[1].asked) == {"/": 6, "/same/": 3}


@pytest.mark.parametrize(("body", "status"), [("<p>hello", 1), ("<p nonce={}>hello", 0)])
def test_a_validator_says_something_only_where_nothing_was_overlooked(
    sites: Pair, compare, body: str, status: int
):
    for number, site in enumerate(sites):
        site.say("/", body.format(number), headers=[("ETag", f'"{number}"')])
    assert compare("/\n")[0] == status


def test_both_sides_take_turns_in_being_first(sites: Pair, compare):
    order: list[str] = []
    for name, site in zip(("wsgi", "asgi"), sites, strict=True):
        site.views["/"] = lambda _, name=name: (order.append(name), Reply("x"))[1]
    assert compare("/\n", "--repeat", "4")[0] == 0
    assert order == ["wsgi", "asgi", "asgi", "wsgi"] * 2


def test_times_are_medians_side_by_side(sites: Pair, compare, monkeypatch):
    both(sites, "/", "x")
    now, naps = [0.0], iter([2.0, 0.0, 0.0])  # the first is warm-up
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def slow(_: Handler) -> Reply:
        now[0] += next(naps) + 0.05
        return Reply("x")

    sites[1].views["/"] = slow
    status, told = compare("/\n", "--format", "json")
    [result] = json.loads(told)["results"]
    assert status == 0
    assert result["seconds"] == {"wsgi": 0, "asgi": pytest.approx(0.05)}


@pytest.fixture
def compared() -> Iterator[threading.Event]:
    """Give what is set only after the comparison: a view that waits for it is not waited for."""
    event = threading.Event()
    yield event
    event.set()


def test_an_answer_that_does_not_come_differs_from_one_that_does(sites: Pair, compare, compared):
    both(sites, "/", "x")
    sites[1].views["/"] = lambda _: (compared.wait(HANG_SECONDS), Reply("x"))[1]
    # The limit holds for the other side too, whose answer is there at once.
    status, told = compare("/\n", "--timeout", "3", "--repeat", "1")
    assert status == 1
    assert "asgi: no answer within 3 s" in told


def test_a_body_that_trickles_for_ever_ends_with_the_timeout(sites: Pair, compare, compared):
    def trickle(handler: Handler) -> Reply:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            while not compared.wait(0.1):
                handler.wfile.write(b".")
        return Reply()

    for site in sites:
        site.views["/"] = trickle
    status, told = compare("/\n", "--timeout", "1")
    assert status == 2
    assert "undecided" in told


def test_an_event_stream_is_compared_by_its_head(sites: Pair, compare, compared):
    def stream(handler: Handler) -> Reply:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        compared.wait(HANG_SECONDS)
        return Reply()

    for site in sites:
        site.views["/events/"] = stream
    assert compare("/events/\n", "--repeat", "1")[0] == 0


def test_of_a_long_body_only_the_beginning_is_read(sites: Pair, compare):
    sites[0].say("/", b"x" * 300_000 + b"a", kind="application/zip")
    sites[1].say("/", b"x" * 300_000 + b"b", kind="application/zip")
    assert compare("/\n")[0] == 1
    assert compare("/\n", "--body-limit", "300000")[0] == 0


def test_a_closed_connection_is_opened_again(sites: Pair, compare):
    def close(handler: Handler) -> Reply:
        handler.close_connection = True  # without saying so
        return Reply("x")

    for site in sites:
        site.views["/"] = close
    assert compare("/\n", "--repeat", "5")[0] == 0
    assert len(sites[0].asked) == 5


def test_a_difference_that_many_pages_share_is_shown_once(sites: Pair, compare):
    for n in range(4):
        sites[0].say(f"/{n}", f"<h1>{n}</h1>\n<p>a</p>")
        sites[1].say(f"/{n}", f"<h1>{n}</h1>\n<p>b</p>")
    status, told = compare("".join(f"/{n}\n" for n in range(4)), "--concurrency", "1")
    assert status == 1
    assert told.count("+<p>b</p>") == 1
    assert told.count("as at /0") == 3
    assert "4 compared: 4 different in 1 way" in told


def test_a_long_difference_is_cut_and_cannot_speak_to_the_terminal(sites: Pair, compare):
    sites[0].say("/", "\n".join("a\x1b[2J" for _ in range(300)))
    sites[1].say("/", "\n".join("b" * 5000 for _ in range(300)))
    status, told = compare("/\n", "--diff-lines", "20")
    assert status == 1
    assert "\x1b" not in told
    assert "more lines" in told
    assert len(told.splitlines()) < 30
    assert max(map(len, told.splitlines())) <= 160


def test_nothing_to_compare_is_not_the_same(compare):
    status, told = compare("# nothing\n")
    assert status == 2
    assert "nothing was compared" in told


def test_the_keys_of_the_json_are_those_that_the_documentation_lists(sites: Pair, compare):
    both(sites, "/", "a")
    sites[1].say("/", "b", headers=[("X-A", "1")])
    _, told = compare("/\n", "--format", "json")

    def keys(value: Any, at: str = "") -> set[str]:
        if isinstance(value, dict):
            return {p for key, one in value.items() for p in keys(one, f"{at}.{key}".lstrip("."))}
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return {path for one in value for path in keys(one, f"{at}[]")}
        return {at}

    text = (ROOT / "docs/compare.md").read_text()
    assert keys(json.loads(told)) == set(re.findall(r"^\| `([\w.\[\]]+)` \|", text, re.MULTILINE))
