"""The Python that a site gets: the one it names, or one that it allows and that there is."""

from __future__ import annotations

import pytest

from tandem.ops.adopt.python import allows
from tests.unit.ops.adopt.conftest import BASE

PROJECT = '[project]\nname = "shop"\nrequires-python = "{}"\n'


def ranged(text: str) -> dict[str, str]:
    """Return the pyproject.toml of a site that asks for a range."""
    return {"pyproject.toml": PROJECT.format(text)}


@pytest.mark.parametrize(
    ("files", "python"),
    [
        ({}, ""),
        ({".python-version": "3.11\n"}, "3.11"),
        ({".python-version": "3.11.9\n"} | ranged(">=3.10"), "3.11"),
        (ranged(">=3.10"), "3.13"),
        (ranged(">=3.10,<3.13"), "3.11"),
        ({"Dockerfile": "FROM python:3.12-slim\n"}, "3.13"),
        ({"Dockerfile": "FROM python:3.12-slim\n"} | ranged(">=3.10,<3.13"), "3.11"),
        ({"Dockerfile": "FROM python:3.14\n"} | ranged(">=3.14"), "3.14"),
        (ranged(">=3.12,<3.13"), "3.12"),
    ],
)
def test_the_python_is_one_that_there_is_if_the_site_allows_it(adopt, files, python: str):
    made = adopt(BASE | files)
    assert made.site.python == python
    there = python in ("", "3.11", "3.13")
    assert there is not any("python: no Debian has" in one for one in made.undecided)


def test_a_python_in_place_of_the_one_that_is_named_is_explained(adopt):
    why = adopt(BASE | {"Dockerfile": "FROM python:3.12-slim\n"}).why("python")
    assert why == (
        "Debian 13's, the newest that the site allows; no Debian has 3.12 (Dockerfile:1)"
    )


@pytest.mark.parametrize(
    ("asked", "those"),
    [
        (">=3.10", {"3.10", "3.11", "3.12", "3.13"}),
        (">=3.11,<3.13", {"3.11", "3.12"}),
        (">=3.12.4", {"3.12", "3.13"}),
        ("<=3.12", {"3.10", "3.11", "3.12"}),
        ("^3.11", {"3.11", "3.12", "3.13"}),
        ("~3.11", {"3.11"}),
        ("~=3.11", {"3.11", "3.12", "3.13"}),
        ("==3.11.*", {"3.11"}),
        ("3.12.4", {"3.12"}),
        ("==3.12.4", {"3.12"}),
        ("~3.10 || ~3.12", {"3.10", "3.12"}),
        (">=3.10, !=3.11.*, <3.13", {"3.10", "3.12"}),
        ("some 3.12 thing", {"3.10", "3.11", "3.12", "3.13"}),
    ],
)
def test_a_range_is_read_as_those_do_who_write_it(asked: str, those: set[str]):
    assert {one for one in ("3.10", "3.11", "3.12", "3.13") if allows(asked, one)} == those
