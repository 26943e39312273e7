"""The Debian that a site is built for is the one that has its Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.facts import DEBIANS, NEWEST_DEBIAN
from tandem.ops.adopt.model import Site
from tandem.ops.checkout import python, site
from tandem.ops.checkout.programs import Failed, Programs


def shop(version: str) -> Site:
    """Return a site that asks for a Python."""
    return Site("shop", "shop.settings", python=version)


@pytest.mark.parametrize(("name", "debian"), DEBIANS.items())
def test_a_site_gets_the_debian_with_its_python(name: str, debian):
    assert python.debian(shop(debian.python)) == name
    assert python.debian(shop(debian.python), name) == name
    assert python.debian(shop(""), name) == name


def test_a_site_that_asks_for_none_gets_the_newest():
    assert python.debian(shop("")) == NEWEST_DEBIAN


def test_a_debian_that_has_another_python_is_refused_with_both_cures():
    with pytest.raises(Failed, match=r"3\.11, which trixie has not, and bookworm has.*be 3\.13"):
        python.debian(shop("3.11"), "trixie")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    text = 'name: shop\nsettings: shop.settings\nrequirements: []\npython: "3.12"\n'
    (tmp_path / "tandem.yml").write_text(text)
    (tmp_path / "out").symlink_to("/etc")  # so that it could not be built either
    return tmp_path


def test_a_python_that_cannot_be_had_is_told_before_anything_is_built(folder: Path):
    with pytest.raises(Failed, match=r"no Debian .* has; there are 3\.11 .bookworm., 3\.13 "):
        site.prepare(folder, "trixie", Programs({}))
    with pytest.raises(Failed, match="no Debian"):
        site.debian(folder)


def test_a_stack_of_such_a_site_can_still_be_stopped(folder: Path):
    assert "DEBIAN_RELEASE" not in site.environment_of(folder, {})


@pytest.mark.parametrize("given", [{}, {"DEBIAN_RELEASE": "trixie"}])
def test_the_replica_is_of_the_debian_with_the_sites_python_unless_told(folder: Path, given):
    file = folder / "tandem.yml"
    file.write_text(file.read_text().replace("3.12", "3.11"))
    found = site.environment_of(folder, given)
    assert found["DEBIAN_RELEASE"] == given.get("DEBIAN_RELEASE", "bookworm")
