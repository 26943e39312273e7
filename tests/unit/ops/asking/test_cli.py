"""``tandem adopt`` where somebody can ask the site, and where nobody can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tandem.ops.adopt.cli import main
from tandem.ops.adopt.conversation import NotAskedError
from tandem.ops.adopt.model import load
from tandem.ops.asking import cli
from tandem.ops.checkout.programs import Failed, Programs
from tests.unit.ops.adopt.conftest import entry
from tests.unit.ops.asking.conftest import SETTINGS, here


@pytest.fixture
def folder(write) -> Path:
    """Give the folder of a site that needs a variable whose name no file has."""
    return write({
        "manage.py": entry("shop.settings", "manage"),
        "requirements.txt": "django\n",
        "shop/__init__.py": "",
        "shop/urls.py": "urlpatterns = []\n",
        "shop/settings.py": f"{SETTINGS}HUE = os.environ['SHOP_' + 'HUE']\n",
    })  # fmt: skip


class Asker:
    """Asks on this machine, and knows where it was told to write."""

    def __init__(self, *failures: str) -> None:
        self.homes: list[Path | None] = []
        self.failures = list(failures)

    @contextmanager
    def __call__(self, source: Path, home: Path | None) -> Iterator:
        """Give what asks."""
        self.homes.append(home)

        def ask(site):
            if self.failures:
                raise NotAskedError(self.failures.pop(0))
            return here(source, site)

        yield ask


def test_it_writes_what_the_running_code_says(folder: Path, capsys):
    asker = Asker()
    assert main([str(folder)], asker) == 0
    assert asker.homes == [folder]
    assert load(folder / "tandem.yml").environment == {"SHOP_HUE": "stand-in"}
    err = capsys.readouterr().err
    assert "does not load yet: KeyError: 'SHOP_HUE' (shop/settings.py:4); asking again." in err
    assert "tandem: decide: environment: SHOP_HUE: a stand-in, so that the site loads" in err


def test_files_only_asks_nobody(folder: Path):
    asker = Asker()
    assert main([str(folder), "--files-only"], asker) == 0
    assert asker.homes == []
    assert "read the code and ran none of it" in (folder / "tandem.yml").read_text()


@pytest.mark.parametrize("option", ["--dry-run", "--explain"])
def test_nothing_is_written_where_nothing_is_to_be(folder: Path, capsys, option: str):
    asker = Asker()
    assert main([str(folder), option], asker) == 0
    assert asker.homes == [None]
    assert not (folder / "tandem.yml").exists()


def test_the_explanation_is_of_the_file_that_is_there(folder: Path, capsys):
    assert main([str(folder), "--files-only"]) == 0
    asker = Asker()
    assert main([str(folder), "--explain"], asker) == 1, "it has no value yet"
    assert "the site does not load: KeyError: 'SHOP_HUE'" in capsys.readouterr().err
    file = folder / "tandem.yml"
    file.write_text(file.read_text().replace("environment: {}", "environment: {SHOP_HUE: red}"))
    assert main([str(folder), "--explain"], asker) == 0
    out = capsys.readouterr().out
    assert "  DEBUG: pages of errors would show the settings" in out
    assert "  SHOP_HUE (shop/settings.py:4, given)" in out


def test_nobody_can_explain_by_files_alone(folder: Path, capsys):
    assert main([str(folder), "--explain", "--files-only"], Asker()) == 2
    assert "only the running code tells what is replaced" in capsys.readouterr().err


def test_an_image_that_cannot_be_built_leaves_what_the_files_say(folder: Path, capsys):
    assert main([str(folder)], Asker("xmlsec could not be built: it is too old.")) == 0
    err = capsys.readouterr().err
    assert "the site could not be asked: xmlsec could not be built: it is too old. What" in err
    assert "read the code and ran none of it" in (folder / "tandem.yml").read_text()


def test_what_an_image_lacks_is_added_where_it_is_known(folder: Path, capsys):
    sentence = "xmlsec could not be built; add build_packages: [pkg-config, gcc] to tandem.yml."
    assert main([str(folder)], Asker(sentence)) == 0
    assert load(folder / "tandem.yml").build_packages == ("pkg-config", "gcc")
    assert "It is built again with that." in capsys.readouterr().err


def test_without_an_engine_the_files_alone_are_read(folder: Path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(folder))
    assert cli.main([str(folder)]) == 0
    said = "no engine answers: the site's files alone are read, and the running code is not asked."
    assert capsys.readouterr().err.startswith(f"tandem: {said}\n")
    assert (folder / "tandem.yml").exists()


@pytest.mark.parametrize("failures", [0, 1])
def test_a_site_is_adopted_before_it_is_first_brought_up(
    folder: Path, monkeypatch, capsys, failures: int
):
    class Engine(cli.Engine):
        @contextmanager
        def __call__(self, source: Path, home: Path | None) -> Iterator:
            """Ask on this machine; or be unable to."""

            def ask(site):
                if failures:
                    raise NotAskedError("the disk is full")
                self.answer = here(source, site)
                return self.answer

            yield ask

    monkeypatch.setattr(cli, "Engine", Engine)
    monkeypatch.setattr(cli.engine, "ensure", lambda programs: None)
    first = partial(cli.first, {"SITE": str(folder)})
    if failures:
        with pytest.raises(Failed, match="is written, but the site does not load yet"):
            first()
    else:
        first()
    assert f"{folder} has no tandem.yml: it is adopted first." in capsys.readouterr().err
    assert (folder / "tandem.yml").exists()
    monkeypatch.setattr(cli, "adopt", None)  # what is there is not looked at again
    first()


def test_a_site_that_none_is_named_is_none_to_adopt():
    cli.first(Programs.here().environment | {"SITE": ""})
