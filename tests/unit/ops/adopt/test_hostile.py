"""``tandem adopt`` on folders that were made to break it: it ends, with a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tandem.ops.adopt import cli
from tests.unit.ops.adopt.conftest import SETTINGS, entry
from tests.unit.ops.bounded.test_documents import BOMB, MERGE

BASE = {"manage.py": entry("shop.settings", "manage"), "shop/settings.py": SETTINGS}
FILES = {
    "aliases": ("compose.yaml", f"x-a:\n  {BOMB.replace(chr(10), chr(10) + '  ')}\nservices: *b\n"),
    "merges": ("docker-compose.yml", MERGE),
    "deep yaml": ("compose.yml", "[" * 100_000),
    "deep python": ("shop/settings.py", SETTINGS + "A = " + "(" * 5000 + ")" * 5000),
    "many operators": ("shop/settings.py", SETTINGS + "A = " + "-" * 50_000 + "1"),
    "deep toml": ("pyproject.toml", "a = " + "[" * 50_000),
    "odd toml": ("pyproject.toml", "project = 1\ntool = 2\ndependency-groups = 3\n"),
    "odd lock": ("uv.lock", 'package = "x"\n'),
    "odd pipfile": ("Pipfile.lock", '{"default": 3}'),
    "deep pipfile": ("Pipfile.lock", "[" * 100_000),
    "upwards": ("wsgi.py", "import sys\nsys.path.insert(0, '../../../..')\n"),
    "binary": ("Procfile", "\0\x01\x02web: x\nworker: \x1b[31m\n"),
    "odd supervisor": ("supervisord.conf", "[program:\nx"),
    "endless names": ("setup.cfg", "[options]\ninstall_requires =\n" + " x\n" * 20_000),
}


@pytest.fixture(autouse=True)
def little(monkeypatch):
    """Give up sooner than a user would want."""
    called = cli.call
    monkeypatch.setattr(cli, "call", lambda *a, **k: called(*a, **k, seconds=10))


def adopted(folder: Path, capsys) -> tuple[int, str]:
    """Return the exit status, and what was printed on stderr."""
    status = cli.main([str(folder), "--dry-run"])
    return status, capsys.readouterr().err


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_breaks_parsers_ends_in_an_answer_or_a_sentence(name, write, capsys):
    file, text = FILES[name]
    folder = write({**BASE, file: text})
    status, told = adopted(folder, capsys)
    assert status in (0, 2)
    assert "Traceback" not in told
    assert status == 0 or told.startswith("tandem: ")


def test_settings_that_never_end_are_given_up(write, capsys, monkeypatch):
    monkeypatch.setattr(cli, "inspect", lambda *_: [0 for _ in iter(int, 1)])
    status, told = adopted(write(BASE), capsys)
    assert status == 2
    assert "was given up: it" in told


@pytest.mark.parametrize(
    "name", [".python-version", "Procfile", "requirements.txt", "uv.lock", "compose.yaml"]
)
@pytest.mark.parametrize("kind", ["pipe", "device", "outside", "large"])
def test_what_is_no_regular_file_of_the_site_is_not_read_and_told(name, kind, write, capsys):
    folder = write(BASE)
    if kind == "pipe":
        os.mkfifo(folder / name)
    elif kind == "large":
        with (folder / name).open("w") as file:
            file.truncate(1 << 40)
    else:
        (folder.parent / "secret").write_text("worker: a-secret\nsecret==1\n")
        (folder / name).symlink_to("/dev/zero" if kind == "device" else "../secret")
    status, told = adopted(folder, capsys)
    assert status == 0
    assert "secret==1" not in told
    assert "a-secret" not in told
    if kind in ("pipe", "device") and name in ("requirements.txt", "uv.lock"):
        return  # no file, so it is not looked for
    assert f"{name} " in told
    assert "it was not read" in told


def test_a_description_that_is_a_link_is_replaced_and_not_written_through(write, capsys):
    folder = write(BASE)
    (folder.parent / "theirs").write_text("kept\n")
    (folder / "tandem.yml").symlink_to("../theirs")
    assert cli.main([str(folder)]) == 2
    assert "leads out of" in capsys.readouterr().err
    (folder / "tandem.yml").unlink()
    (folder / "tandem.yml").symlink_to("nowhere")
    assert cli.main([str(folder), "--force"]) in (0, 2)
    assert (folder.parent / "theirs").read_text() == "kept\n"
    assert not (folder / "nowhere").exists()


@pytest.mark.parametrize("url", ["https://h/..", "https://h/.git", "https://h/...git"])
def test_an_address_without_a_name_writes_nowhere(url, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "fetch", lambda *_: (tmp_path, "a" * 40))
    monkeypatch.setattr(cli, "bounded", lambda *_: cli.Findings())
    assert cli.main([url]) == 2
    assert "no name that a folder could have" in capsys.readouterr().err
