"""Loading a site before anything depends on it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from django.core import management

from tandem.instance import load


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder to import applications from; the checks are only noted."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "good_site.py").write_text("application = print\n")
    (tmp_path / "bad_site.py").write_text("import a_package_that_is_not_there\n")
    for kind in ("WSGI", "ASGI"):
        monkeypatch.setenv(f"{kind}_APPLICATION", "good_site:application")
    monkeypatch.delenv("SITE_SETTINGS", raising=False)
    yield tmp_path
    for name in ("good_site", "bad_site"):
        sys.modules.pop(name, None)


def test_a_site_that_loads_is_checked_as_for_a_deploy(site: Path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        management, "call_command", lambda *a, **options: asked.append((a, options))
    )
    load.main([])
    assert asked == [(("check",), {"deploy": True, "fail_level": "ERROR"})]


@pytest.mark.parametrize("kind", ["WSGI", "ASGI"])
def test_an_application_that_cannot_be_imported_is_an_error(site: Path, monkeypatch, kind: str):
    monkeypatch.setenv(f"{kind}_APPLICATION", "bad_site:application")
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_not_there"):
        load.main([])
    monkeypatch.setenv(f"{kind}_APPLICATION", "good_site:missing")
    with pytest.raises(AttributeError, match="missing"):
        load.main([])


def test_checks_of_a_site_of_others_are_left_to_it(site: Path, monkeypatch):
    monkeypatch.setenv("SITE_SETTINGS", "shop.settings")
    monkeypatch.setattr(management, "call_command", lambda *a, **o: pytest.fail("it was checked"))
    load.main([])


def test_a_server_of_the_sites_own_is_imported_as_well(site: Path, monkeypatch):
    monkeypatch.setenv("SITE_SETTINGS", "shop.settings")
    load.main(["good_site"])
    with pytest.raises(ModuleNotFoundError, match="a_package_that_is_not_there"):
        load.main(["good_site", "bad_site"])
