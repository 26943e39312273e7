"""What ``tandem compare`` makes equal, and what it leaves as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.ops.compare import rules
from tandem.ops.compare.client import Answer
from tandem.ops.compare.normalise import normalise
from tandem.ops.compare.rules import Rules, RulesError
from tests.stack import ROOT


def answer(body: str = "", kind: str = "text/html", **headers: str) -> Answer:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Answer(200, (("content-type", kind), *named), body.encode())


def alike(one: Answer, other: Answer, by: Rules | None = None, sent: tuple[str, ...] = ()) -> bool:
    return normalise(one, by or Rules(), sent) == normalise(other, by or Rules(), sent)


A, B = "aB3" * 20, "Zx9" * 20  # two tokens


@pytest.mark.parametrize(
    "form",
    [
        '<input type="hidden" name="csrfmiddlewaretoken" value="{}">',
        "<input value='{}' type=hidden name='csrfmiddlewaretoken'>",
        "<input type=hidden value={} name=csrfmiddlewaretoken>",
        '<meta name="csrf-token" content="{}">',
        '<meta content="{}" name="csrf-token">',
        '<script nonce="{}">go()</script>',
        "<script>window.csrfToken = '{}'</script>",
        '<body hx-headers=\'{{"X-CSRFToken": "{}"}}\'>',
    ],
)
def test_tokens_and_nonces_are_alike(form: str):
    assert alike(answer(form.format(A)), answer(form.format(B)))
    assert normalise(answer(form.format(A)), Rules()).masked


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('<input name="amount" value="1">', '<input name="amount" value="2">'),
        ('<input name="csrfmiddlewaretoken" value="x">', '<input name="csrfmiddlewaretoken">'),
        ('<meta name="description" content="a">', '<meta name="description" content="b">'),
        ("<p>a  b</p>", "<p>a b</p>"),
        ("<p>a</p>\n\n<p>b</p>", "<p>a</p>\n<p>b</p>"),
    ],
)
def test_what_a_page_says_is_not_made_alike(one: str, other: str):
    assert not alike(answer(one), answer(other))


def test_a_value_that_only_this_answer_has_is_found_wherever_the_page_repeats_it():
    def page(token: str, number: str, nonce: str) -> Answer:
        return answer(
            f"<div data-token={token}>request {number}</div><style nonce={nonce}>",
            set_cookie=f"token={token}; Path=/",
            x_request_id=number,
            content_security_policy=f"script-src 'nonce-{nonce}' 'self'",
        )

    assert alike(page(A, "1" * 32, "n1n1n1n1"), page(B, "2" * 32, "n2n2n2n2"))


def test_a_cookie_that_was_sent_is_found_in_the_page():
    first = normalise(answer(f"session {A}"), Rules(), [A])
    assert first.lines == ("session *",)


def test_a_short_value_is_not_looked_for_in_the_page():
    assert normalise(answer("<p>en garde", set_cookie="lang=en"), Rules()).lines == ("<p>en garde",)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("set_cookie", f"sessionid={A}; Path=/; HttpOnly", f"sessionid={B}; HttpOnly; path=/"),
        ("set_cookie", "a=1; expires=Tue, 24 Nov 2026", "a=2; Expires=Wed, 25 Nov 2026"),
        ("vary", "Cookie, Accept-Language", "accept-language,cookie"),
        ("content_security_policy", "img-src a b; default-src 'self'",
         "default-src 'self'; img-src b a"),
        ("cache_control", "no-cache, private", "private,no-cache"),
        ("date", "now", "then"),
        ("server", "gunicorn", "uvicorn"),
        ("transfer_encoding", "chunked", "identity"),
    ],
)  # fmt: skip
def test_headers_that_differ_by_nature_or_in_order_are_alike(name: str, one: str, other: str):
    assert alike(answer(**{name: one}), answer(**{name: other}))


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("set_cookie", "sessionid=a1; HttpOnly", "sessionid=a1"),
        ("set_cookie", "sessionid=a1; Path=/", "sessionid=a1; Path=/app"),
        ("set_cookie", "sessionid=a1", 'sessionid=""'),
        ("set_cookie", "a=1; Max-Age=10", "a=1; Max-Age=20"),
        ("content_security_policy", "img-src a", "img-src b"),
        ("location", "/a/", "/b/"),
        ("etag", '"1"', '"2"'),
    ],
)
def test_headers_that_say_something_else_differ(name: str, one: str, other: str):
    assert not alike(answer(**{name: one}), answer(**{name: other}))


def test_the_charsets_spelling_is_no_difference():
    assert alike(answer(kind="text/html; charset=utf-8"), answer(kind='text/html;charset="UTF-8"'))


def test_json_is_compared_by_value():
    one = answer('{"a": [1, 2], "b": {}}', "application/json")
    assert alike(one, answer('{"b":{},"a":[1,2]}', "application/json"))
    assert not alike(one, answer('{"b":{},"a":[2,1]}', "application/json"))
    assert not alike(one, answer("{broken", "application/problem+json"))


def test_an_unknown_charset_is_no_reason_to_stop():
    assert normalise(answer("é", "text/html; charset=none"), Rules()).lines == ("é",)


def test_your_patterns_and_headers_are_overlooked(tmp_path: Path):
    file = tmp_path / "rules.yml"
    file.write_text(
        "ignore-headers: [X-Took]\nignore-patterns:\n  - took \\d+ ms\ncompare-headers: [Server]\n"
    )
    yours = rules.load(file, Rules())
    assert alike(answer("took 1 ms", x_took="1"), answer("took 22 ms", x_took="2"), yours)
    assert not alike(answer(server="a"), answer(server="b"), yours)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ignore: [a]", "rules.yml:1: unknown key 'ignore'; known are ignore-headers"),
        ("- a", "rules.yml:1: must be a mapping"),
        ("ignore-headers: a", "rules.yml:1: ignore-headers must be a list"),
        ("ignore-headers: [{a: b}]", "rules.yml:1: ignore-headers must be a list of texts"),
        ("ignore-patterns:\n- a\n- '['", "rules.yml:3: '[' is no regular expression"),
        ("a: [", "rules.yml:1: not YAML"),
    ],
)
def test_a_wrong_rule_is_named_by_its_line(tmp_path: Path, text: str, complaint: str):
    (tmp_path / "rules.yml").write_text(text)
    with pytest.raises(RulesError) as error:
        rules.load(tmp_path / "rules.yml", Rules())
    assert complaint in str(error.value)


def test_the_shipped_rules_know_the_example_sites_foot():
    shipped = rules.load(ROOT / "deploy/compare.yml", Rules())
    foot = '<footer data-upstream="{0}">\n served by {0} · worker {1} · release {2}\n</footer>'
    assert alike(
        answer(foot.format("wsgi@1", 7, "r1")), answer(foot.format("asgi@2", 80, "r1")), shipped
    )
