"""The front ends that a site builds, and the Node that they are built by."""

from __future__ import annotations

import json

import pytest

from tandem.ops.adopt.node import within
from tests.unit.ops.adopt.conftest import BASE

BUILT = {"scripts": {"build": "vite build"}}
PACKAGE = json.dumps(BUILT)


def test_each_folder_with_a_build_is_built_but_for_those_that_are_not_the_sites(adopt):
    where = ("front/", "theme/static_src/", "docs/", "shop/static/vendor/bulma/")
    made = adopt(BASE | {f"{name}package.json": PACKAGE for name in where})
    assert made.site.front_ends == {"front": "npm run build", "theme/static_src": "npm run build"}
    assert "front/package.json has it: vite build" in made.why("front_ends")
    assert not any("front_ends" in one for one in made.undecided)


def test_the_root_of_a_workspace_builds_all_of_it(adopt):
    made = adopt(BASE | {"package.json": PACKAGE, "packages/one/package.json": PACKAGE})
    assert made.site.front_ends == {".": "npm run build"}


OTHER = json.dumps({"scripts": {"production": "webpack"}})
SERVED = BASE["shop/settings.py"] + 'INSTALLED_APPS += ["webpack_loader"]\n'


@pytest.mark.parametrize(
    ("settings", "front_ends"),
    [(BASE["shop/settings.py"], {}), (SERVED, {".": "npm run production"})],
)
def test_another_script_counts_where_an_app_serves_what_it_makes(adopt, settings, front_ends):
    made = adopt(BASE | {"package.json": OTHER, "shop/settings.py": settings})
    assert made.site.front_ends == front_ends


def test_who_serves_what_nobody_makes_is_asked(adopt):
    made = adopt(BASE | {"shop/settings.py": SERVED})
    assert any("front_ends: webpack_loader serves" in one for one in made.undecided)


def test_a_folder_of_an_odd_name_is_left_to_its_owner(adopt):
    made = adopt(BASE | {"the front/package.json": PACKAGE})
    assert made.site.front_ends == {}
    assert any("front_ends: the front: give it a plain name" in one for one in made.undecided)


@pytest.mark.parametrize("package", ["", "{", "[]", '{"scripts": []}', '{"scripts": "build"}'])
def test_what_is_no_package_json_is_passed_over(adopt, package: str):
    assert adopt(BASE | {"package.json": package}).site.front_ends == {}


@pytest.mark.parametrize(
    ("files", "node"),
    [
        ({}, "24"),
        ({".nvmrc": "v20.11.1\n"}, "20.11.1"),
        ({".nvmrc": "lts/*\n"}, "24"),
        ({".nvmrc": "0.10\n"}, "24"),
        ({".nvmrc": f"{'9' * 5000}\n"}, "24"),
        ({"front/.node-version": "22\n", ".nvmrc": "18\n"}, "22"),
        ({".tool-versions": "python 3.13.1\nnodejs 22.12.0\n"}, "22.12.0"),
        ({"Dockerfile": "FROM --platform=linux/amd64 node:18-alpine AS front\n"}, "18"),
        ({"front/package.json": json.dumps(BUILT | {"engines": {"node": "^20.9"}})}, "20"),
        ({"front/package.json": json.dumps(BUILT | {"volta": {"node": "18.20.8"}})}, "18.20.8"),
        ({"front/package.json": json.dumps(BUILT | {"engines": "none"})}, "24"),
    ],
)
def test_the_node_is_the_one_that_the_site_names(adopt, files: dict[str, str], node: str):
    assert adopt(BASE | {"front/package.json": PACKAGE} | files).site.node == node


@pytest.mark.parametrize(
    ("asked", "node"),
    [
        (">=18", "24"),
        (">= 18.0.0 < 21", "18.0.0"),
        (">=26", "26"),
        ("20.x", "20"),
        ("^20.19.0 || >=22.12.0", "24"),
        ("^18 || ^20", "20"),
        ("22 - 24", "24"),
        ("*", ""),
        (f">={'9' * 5000}", ""),
        ("<21", ""),
    ],
)
def test_a_range_is_the_usual_node_if_that_is_in_it(asked: str, node: str):
    assert within(asked) == node
