"""Changing routes.yml leaves everything else of it as it is."""

from __future__ import annotations

import difflib

import pytest

from tandem.ops.routes.edit import change
from tandem.ops.routes.model import Route, RoutesError, parse
from tests.stack import ROOT

TEXT = """\
# Ours.
- path: /   # the rest
  upstream: wsgi

# Moving since May.
- path: /feed/
  upstream: asgi # by Kim
  share: 10      # since Monday
  # never more

- {path: /flow/, upstream: asgi}
- upstream: asgi
  mode: sse
  path: /last/"""


def changed(text: str, path: str, **values: str | int | bool | None) -> list[str]:
    """Return the lines that a change takes out and puts in."""
    after = change(text, "r", path, values)
    diff = difflib.ndiff(text.splitlines(), after.splitlines())
    return [line for line in diff if line[0] in "+-"]


def test_a_value_is_replaced_and_its_comment_stays():
    assert changed(TEXT, "/feed/", share=50) == [
        "-   share: 10      # since Monday",
        "+   share: 50      # since Monday",
    ]


def test_a_key_is_put_behind_the_last_one():
    assert changed(TEXT, "/feed/", mirror=True) == ["+   mirror: true"]
    assert changed(TEXT, "/", mirror="all") == ["+   mirror: all"]
    assert changed(TEXT, "/last/", mode="websocket") == ["-   mode: sse", "+   mode: websocket"]


def test_a_key_is_taken_out_with_its_line():
    assert changed(TEXT, "/feed/", share=None) == ["-   share: 10      # since Monday"]
    assert changed(TEXT, "/feed/", fallback=None) == []


def test_the_key_behind_the_dash_can_go_too():
    text = "- path: /\n  upstream: wsgi\n- share: 10\n  path: /a/\n  upstream: asgi\n"
    assert change(text, "r", "/a/", {"share": None}).endswith("- path: /a/\n  upstream: asgi\n")


def test_a_route_in_braces_is_changed_in_its_braces():
    assert changed(TEXT, "/flow/", share=1, upstream="asgi") == [
        "- - {path: /flow/, upstream: asgi}",
        "+ - {path: /flow/, upstream: asgi, share: 1}",
    ]


def test_several_changes_at_once():
    after = change(TEXT, "r", "/feed/", {"upstream": "wsgi", "share": None, "mirror": True})
    assert parse(after, "r")[1] == Route("/feed/", "wsgi", mirror=True)
    assert "upstream: wsgi # by Kim" in after


def test_a_text_without_a_last_line_break_is_continued():
    text = "- path: /\n  upstream: wsgi"
    assert change(text, "r", "/", {"mirror": True}) == text + "\n  mirror: true\n"


def test_a_path_without_a_route_gets_one_at_the_end():
    assert changed(TEXT, "/new/", upstream="asgi", share=10, mode=None) == [
        "+ ", "+ - path: /new/", "+   upstream: asgi", "+   share: 10",
    ]  # fmt: skip


def test_the_shipped_file_keeps_all_its_comments():
    text = (ROOT / "deploy/routes.yml").read_text()
    after = change(text, "r", "/api/feed/", {"upstream": "asgi", "share": 10})
    assert after.startswith(text)
    assert change(after, "r", "/api/feed/", {"share": None}) == after.replace("  share: 10\n", "")


@pytest.mark.parametrize(
    ("path", "values", "complaint"),
    [
        ("/feed/", {"share": 101}, "r:8: share must be"),
        ("/", {"share": 5}, "r:4: share is for routes of mode http to asgi"),
        ("/a;b/", {"upstream": "asgi"}, "r:16: path must begin"),
        ("/feed/", {"upstream": "wsgi"}, "r:8: share is for routes"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_line(path: str, values: dict, complaint: str):
    with pytest.raises(RoutesError) as caught:
        change(TEXT, "r", path, values)
    assert complaint in str(caught.value)


def test_what_is_written_too_cleverly_is_left_to_a_person():
    text = "- path: /\n  upstream: &u wsgi\n- path: /b/\n  upstream: *u\n"
    with pytest.raises(RoutesError):
        change(text, "r", "/", {"upstream": "asgi"})
