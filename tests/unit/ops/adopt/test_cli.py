"""``tandem adopt`` as it is called: what it prints, writes and leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.ops.adopt.cli import main
from tandem.ops.adopt.model import load
from tandem.ops.adopt.write import scalar
from tests.unit.ops.adopt.conftest import SETTINGS, entry


@pytest.fixture
def folder(write) -> Path:
    """Give the folder of a small site."""
    return write(
        {
            "manage.py": entry("shop.settings", "manage"),
            "shop/settings.py": SETTINGS + 'import os\nGREETING = os.environ["GREETING"]\n',
            "requirements.txt": "django\n",
        }
    )


def test_it_writes_the_file_and_says_why(folder: Path, capsys):
    assert main([str(folder)]) == 0
    out, err = capsys.readouterr()
    assert load(folder / "tandem.yml", files=True).settings == "shop.settings"
    assert f"{folder}/tandem.yml is written." in out
    assert "settings        shop.settings  ← shop.settings is named in manage.py:2" in out
    assert "tandem: decide: environment: GREETING: read without a default" in err


def test_a_dry_run_writes_nothing(folder: Path, capsys):
    assert main([str(folder), "--dry-run"]) == 0
    assert "settings: shop.settings" in capsys.readouterr().out
    assert not (folder / "tandem.yml").exists()


def test_a_file_that_is_there_is_never_overwritten_unasked(folder: Path, capsys):
    file = folder / "tandem.yml"
    file.write_text("name: mine\nsettings: shop.settings\n")
    assert main([str(folder)]) == 1
    out, err = capsys.readouterr()
    assert file.read_text() == "name: mine\nsettings: shop.settings\n"
    assert "-name: mine" in out
    assert "+name: shop" in out
    assert "--force overwrites it" in err
    assert main([str(folder), "--force"]) == 0
    assert load(file).name == "shop"


def test_a_second_run_changes_nothing(folder: Path, capsys):
    assert main([str(folder)]) == 0
    before = (folder / "tandem.yml").read_text()
    assert main([str(folder)]) == 0
    assert "is as it should be" in capsys.readouterr().out
    assert (folder / "tandem.yml").read_text() == before


@pytest.mark.parametrize("name", ["gone", "empty"])
def test_what_is_no_site_ends_in_one_sentence(tmp_path: Path, capsys, name: str):
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tandem: ")
    assert err.count("\n") == 1


def test_a_packaged_site_is_described_without_being_looked_into(tmp_path: Path, capsys):
    call = [str(tmp_path), "--package", "codex==1.9", "--settings", "codex.settings"]
    assert main([*call, "--asgi", "codex.asgi:application"]) == 0
    site = load(tmp_path / "tandem.yml", files=True)
    assert (site.name, site.packages, site.requirements) == ("codex", ("codex==1.9",), ())
    assert (site.asgi, site.wsgi) == ("codex.asgi:application", "made")
    assert "decide: websocket_paths" in capsys.readouterr().err


def test_a_packaged_site_needs_its_settings_named(tmp_path: Path, capsys):
    assert main([str(tmp_path), "--package", "codex"]) == 2
    assert "name its settings with --settings" in capsys.readouterr().err


def test_a_wrong_option_is_named_in_a_sentence(tmp_path: Path, capsys):
    call = [str(tmp_path), "--package", "--x", "--settings", "codex.settings"]
    with pytest.raises(SystemExit):
        main(call)
    assert main([str(tmp_path), "--package", "codex", "--settings", "codex-settings"]) == 2
    assert "settings must be a module" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["*", "off", "3.13", "a: b", "", "x #y", "- a", "postgres://t@/t?h=/r"]
)
def test_what_is_written_is_read_back(text: str, tmp_path: Path):
    file = tmp_path / "tandem.yml"
    file.write_text(f"name: a\nsettings: a\nenvironment:\n  A: {scalar(text)}\n")
    assert load(file).environment == {"A": text}
