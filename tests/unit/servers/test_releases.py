"""Releases that the tests of servers make of another."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest

from tests.servers import releases


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a release of two files, as ``docker/pack.sh`` packs it."""
    monkeypatch.setattr(releases, "RELEASES", tmp_path / "releases")
    (tmp_path / "releases").mkdir()
    folder = tmp_path / "packed"
    (folder / "site/app").mkdir(parents=True)
    (folder / "site/app/manage.py").write_text("print('as built')\n")
    (folder / "manifest.json").write_text('{"release": "one", "debian": "trixie"}')
    releases.repack(folder, releases.archive("one"))
    return "one"


def unpacked(name: str, folder: Path) -> Path:
    """Unpack a release into ``folder``; return that."""
    with tarfile.open(releases.archive(name)) as packed:
        packed.extractall(folder, filter="data")
    return folder


def wrong(folder: Path) -> list[str]:
    """Return the files that are not what the release's hashes say."""
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    sums = dict(reversed(line.split("  ./")) for line in lines)
    return [
        name for name, is_ in sums.items()
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != is_
    ]  # fmt: skip


def test_a_derived_release_has_its_own_name_and_hashes_that_fit(source: str, tmp_path: Path):
    def change(folder: Path) -> None:
        (folder / "site/app/more.py").write_text("more = True\n")

    folder = unpacked(releases.derived(source, "two", change), tmp_path / "two")
    assert json.loads((folder / "manifest.json").read_text())["release"] == "two"
    assert wrong(folder) == []
    assert "./site/app/more.py" in (folder / "SHA256SUMS").read_text()


def test_a_damaged_release_has_one_file_that_does_not_fit(source: str, tmp_path: Path):
    folder = unpacked(releases.damaged(source, "bad"), tmp_path / "bad")
    assert wrong(folder) == ["site/app/manage.py"]
