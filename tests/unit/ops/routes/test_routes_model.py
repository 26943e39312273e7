"""What the schema, the matching and the warnings say of routes."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import jsonschema
import pytest

from tandem.facts import KINDS
from tandem.ops.routes.lint import warnings
from tandem.ops.routes.match import match
from tandem.ops.routes.model import (
    KEYS,
    MODES,
    OWNED,
    Route,
    RoutesError,
    complaint,
    parse,
)
from tests.stack import ROOT

SCHEMA = json.loads((ROOT / "tandem/ops/routes/schema.json").read_text())
ABSENT = object()
VALUES: dict[str, tuple[Any, ...]] = {
    "upstream": (*KINDS, "daphne", None, ABSENT),
    "mode": (*MODES, "sse2", None, ABSENT),
    "share": (0, 1, 37, 100, 101, -1, 1.5, True, "10", None, ABSENT),
    "mirror": (True, False, "all", "safe", 1, 0, None, ABSENT),
    "fallback": (True, False, 1, "on", None, ABSENT),
}
PATHS = (
    "/", "/a", "/a/", "/a/b.c/", "/~a/", "/a//b/", "//", "/./", "/../", "/a/..", "/a/.", "/..a/",
    "/.well-known/x/", "a/", "", "/a;b", "/a b", "/ä/", None, 1, *OWNED, "/static/x/",
    "/health/",
)  # fmt: skip


def accepted(document: object) -> bool:
    """Tell what the schema says."""
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_the_schema_accepts_what_tandem_accepts_and_nothing_else():
    checked = 0
    validator = jsonschema.Draft202012Validator({**SCHEMA["items"], "$schema": SCHEMA["$schema"]})
    for values in itertools.product(*VALUES.values()):
        entry = {"path": "/a/", **dict(zip(VALUES, values, strict=True))}
        entry = {key: value for key, value in entry.items() if value is not ABSENT}
        assert validator.is_valid(entry) == (complaint(entry) is None), entry
        checked += 1
    assert checked > 10_000


@pytest.mark.parametrize("path", PATHS)
def test_the_schema_accepts_the_same_paths(path: object):
    entry = {"path": path, "upstream": "asgi"}
    document = [{"path": "/", "upstream": "wsgi"}, entry] if path != "/" else [entry]
    assert accepted(document) == (complaint(entry) is None)


@pytest.mark.parametrize(
    "document", [[], {}, "a", [1], [{"path": "/a/", "upstream": "asgi"}], [{}]]
)
def test_the_schema_refuses_what_is_no_list_of_routes_with_a_root(document: object):
    with pytest.raises(RoutesError):
        parse(json.dumps(document), "routes.yml")
    assert not accepted(document)


def test_the_schema_describes_every_key():
    assert tuple(SCHEMA["items"]["properties"]) == KEYS
    assert all("description" in about for about in SCHEMA["items"]["properties"].values())


def test_the_shipped_routes_name_the_schema():
    first = (ROOT / "deploy/routes.yml").read_text().splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found
    assert json.loads((ROOT / "deploy" / found[1]).read_text()) == SCHEMA


def test_the_locations_that_nginx_owns_are_all_known():
    """Each prefix or exact location of the site's snippets is refused as a route."""
    site = (ROOT / "deploy/nginx/site.conf").read_text()
    names = [*re.findall(r"include /etc/nginx/tandem/snippets/(\S+);", site), "static.conf"]
    text = "".join((ROOT / "deploy/nginx/snippets" / name).read_text() for name in names)
    found = set(re.findall(r"(?m)^location (?:= |\^~ )?(/\S+) {", text))
    assert found == set(OWNED)


ROUTES = [
    Route("/", "wsgi"),
    Route("/api/", "asgi"),
    Route("/api/old/", "wsgi"),
    Route("/b", "asgi"),
]


@pytest.mark.parametrize(
    ("path", "served_by"),
    [
        ("/", "/"),
        ("/ap", "/"),
        ("/api", "/"),  # without its slash it is its neighbour's
        ("/api/", "/api/"),
        ("/api/older/", "/api/"),
        ("/api/old/x", "/api/old/"),
        ("/API/", "/"),
        ("/bc", "/b"),
    ],
)
def test_the_longest_prefix_serves_wherever_it_stands(path: str, served_by: str):
    for order in itertools.permutations(ROUTES):
        assert match(list(order), path).path == served_by


ROOT_LINES = "- {path: /, upstream: wsgi}\n"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("- {path: /a/, upstream: asgi}\n", []),
        ("- {path: /a/, upstream: wsgi}\n", ["r:2: /a/ changes nothing: / (line 1) says the same"]),
        (
            "- {path: /a, upstream: asgi}\n",
            ["r:2: /a is a prefix, so /ax goes there too; end it with /"],
        ),
        (
            "- {path: /a, upstream: asgi}\n- {path: /a/, upstream: asgi, share: 5}\n",
            [
                "r:2: /a is a prefix, so /ax goes there too;"
                " below /a/ the route of line 3 wins; end it with /"
            ],
        ),
        (
            "- {path: /static/app/, upstream: asgi}\n",
            [
                "r:2: /static/app/ takes these addresses away from /static/,"
                " which nginx serves itself"
            ],
        ),
        (
            "- {path: /health/, upstream: asgi}\n",
            ["r:2: /health/ gets /health/live/ and /health/ready/, by which the site is watched"],
        ),
    ],
)
def test_what_is_hardly_meant_is_told_with_its_line(text: str, sentences: list[str]):
    assert warnings(parse(ROOT_LINES + text, "r"), "r") == sentences
