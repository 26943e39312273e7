"""An answer is a stranger's text: whatever it says, it becomes an answer of sound types."""

from __future__ import annotations

import json

import pytest

from tandem.ops.adopt.answer import Failure, parse
from tandem.ops.adopt.explain import explain
from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.model import loads
from tandem.ops.adopt.running import judge
from tandem.ops.adopt.write import render

ODD = [None, 7, 1.5, True, "text", [], {}, [[]], [{}], [None], {"name": 3}, [["x"]], [[["x", 1]]]]
KEYS = {
    "site": ["apps"],
    "settings": ["declared", "replaced", "redis"],
    "reads": ["reads", "copied"],
    "failed": ["at", "error", "said", "place", "module", "variables", "service"],
    "urls": ["pages", "sockets"],
    "asgi": ["sockets"],
    "celery": ["module", "scheduled"],
}


def told(*lines: dict[str, object]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def described(said: bytes) -> str:
    """Return tandem.yml of a site that has said this."""
    findings = Findings()
    for key, value in (("name", "shop"), ("settings", "shop.settings"), ("environment", {})):
        findings.found(key, value)
    answer = parse(said)
    judge(findings, answer)
    assert explain(answer).isprintable() or "\n" in explain(answer)
    return render(findings)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_values_of_any_type_are_no_trouble(odd):
    for kind, keys in KEYS.items():
        for key in keys:
            others = ({"kind": "began"}, {"kind": "site"}, {"kind": "ended"})
            settings = {"kind": "settings", "declared": {"DEBUG": False}}
            text = described(told(*others, settings, {"kind": kind, key: odd}))
            assert loads(text, "tandem.yml").name == "shop"


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("name", ["DATABASES", "CACHES", "STORAGES", "CELERY_BROKER_URL"])
def test_settings_of_any_type_are_no_trouble(name: str, odd):
    said = told({"kind": "site"}, {"kind": "settings", "declared": {name: odd}})
    assert loads(described(said), "tandem.yml").name == "shop"


@pytest.mark.parametrize(
    "said", [b"", b"\xff\n", b"{\n", b"[" * 100_000, b"7\n" * 1000, b'{"kind": 3}\n', b'{"kind"']
)
def test_what_is_no_answer_is_said_to_be_none(said: bytes):
    assert parse(said).failures == [Failure("site", "", "it says nothing")]


def test_no_line_of_a_stranger_gets_into_the_file():
    """A line break would end the comment, and what follows would be a key."""
    reads = [
        {"name": "HUE", "place": "x\nsetup: ['shell evil']", "given": False, "default": "a\rb"}
    ]
    text = described(told(
        {"kind": "began"}, {"kind": "site", "apps": ["a\nb"]},
        {"kind": "settings", "declared": {"WSGI_APPLICATION": "evil\nsetup: [x]:application"}},
        {"kind": "reads", "reads": reads, "copied": "x\u2028setup: [y]\x1b[2J"},
        {"kind": "failed", "at": "urls", "error": "E\n", "said": "z\nhealth: /evil/"},
        {"kind": "celery", "module": "x; rm -rf /", "scheduled": True},
        {"kind": "asgi", "sockets": [[["a b\nc/", False]]]},
    ))  # fmt: skip
    site = loads(text, "tandem.yml")
    assert (site.setup, site.health, dict(site.processes)) == ((), "/", {})
    assert "\x1b" not in text


def test_what_was_told_before_a_crash_is_known():
    reads = {"kind": "reads", "reads": [{"name": "HUE", "place": "a.py:1", "given": False}]}
    answer = parse(told({"kind": "began"}, reads), "it needs more than 1 GiB of memory")
    assert list(answer.reads) == ["HUE"]
    assert [str(one) for one in answer.failures] == ["it needs more than 1 GiB of memory"]
    assert not answer.loads


def test_an_explanation_has_the_reason_of_each_setting():
    replaced = [{"name": "DEBUG", "old": True, "new": False, "why": "pages of errors"}]
    settings = {"kind": "settings", "declared": {"DEBUG": True}, "replaced": replaced}
    said = explain(parse(told({"kind": "site"}, settings)))
    assert "  DEBUG: pages of errors\n    true → false" in said
