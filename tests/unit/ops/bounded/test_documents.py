"""YAML, JSON, TOML and files of strangers: data or one sentence, whatever they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.ops.adopt.document import SiteError
from tandem.ops.adopt.model import loads
from tandem.ops.bounded.documents import DocumentError, json_data, toml_data, yaml_data
from tandem.ops.bounded.files import RefusedError, read_text, write_text
from tandem.ops.bounded.work import TooMuchError, call, cpu
from tandem.ops.compare import rules
from tandem.ops.routes.model import RoutesError, parse

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)
)
MERGE = "a: &a {x: 1}\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} {{<<: [{', '.join([f'*{chr(97 + n)}'] * 9)}]}}\n"
    for n in range(20)
)
HOSTILE = [
    "[" * 100_000, "{a: " * 50_000, "- " * 100_000, "? " * 50_000, BOMB, MERGE, "&a [*a]",
    "&a {b: *a}", "!!int ''", "!!float ''", "!!bool x", "!!timestamp x", "2001-99-99",
    '"\\UFFFFFFFF"', '"\\ud800"', "9" * 5000, "!!binary '!'", "{[a]: b}", "a: *b", "%YAML 9.9\n---",
    "--- a\n--- b", "\0", "!!python/object:os.system x", "'" + "x" * 500_000, "? [[[[]]]]\n: x",
    "=", "<<: a", "!<%FF> a", "a: !!set [b]", "!!omap [a]",
]  # fmt: skip
# Text that looks like YAML more often than any text does.
YAMLISH = st.text(st.sampled_from("[]{}:,-?&*!|>'\"\\#%@`<= \n\tab0~.é\ud800")) | st.text()
SITE_KEYS = ("name", "settings", "include", "environment", "static", "processes", "source")


def any_yaml(text: str) -> None:
    """Have every reader of YAML read ``text``."""
    for key in ("", *(f"{key}: " for key in SITE_KEYS)):
        try:
            loads(key + text, Path("tandem.yml"))
        except SiteError as error:
            assert str(error)
    for route in (text, f"- {text}", f"- path: {text}", f"- {{path: /, upstream: {text}}}"):
        try:
            parse(route, "routes.yml")
        except RoutesError as error:
            assert str(error)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_yaml_is_data_or_a_sentence(text: str, tmp_path: Path):
    try:
        yaml_data(text)
    except DocumentError as error:
        assert str(error)
        assert "\n" not in str(error)
    any_yaml(text)
    (tmp_path / "compare.yml").write_bytes(text.encode(errors="surrogatepass"))
    try:
        rules.load(tmp_path / "compare.yml", rules.Rules())
    except rules.RulesError as error:
        assert str(error)


@pytest.mark.parametrize("text", [BOMB, MERGE, "&a [*a]", "[" * 41], ids=range(4))
def test_aliases_and_depth_have_a_limit(text: str):
    with pytest.raises(DocumentError, match=r"aliases written out|within itself|nested deeper"):
        yaml_data(text)


@settings(deadline=None)
@given(YAMLISH)
def test_any_text_is_read_or_refused(text: str):
    any_yaml(text)
    for read in (yaml_data, json_data, toml_data):
        try:
            read(text)
        except DocumentError as error:
            assert str(error)


@pytest.mark.parametrize("text", ["[" * 100_000, "NaN", "9" * 5000, '{"a": Infinity}', "\0", ""])
def test_hostile_json_is_a_sentence(text: str):
    with pytest.raises(DocumentError, match="not JSON"):
        json_data(text)


@pytest.mark.parametrize("text", ["a = " + "[" * 20_000, "a = " + "9" * 5000, "a = 2001-99-99"])
def test_hostile_toml_is_a_sentence(text: str):
    with pytest.raises(DocumentError, match="not TOML"):
        toml_data(text)


def test_only_regular_files_of_the_folder_are_read(tmp_path: Path):
    folder = tmp_path / "site"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (tmp_path / "secret").write_text("x")
    (folder / "secret").symlink_to("../secret")
    (folder / "zero").symlink_to("/dev/zero")
    (folder / "round").symlink_to("round")
    (folder / "large").write_text("x" * 11)
    (folder / "binary").write_bytes(b"\xff")
    for name, why in {
        "pipe": "no regular file", "secret": "leads out of", "zero": "leads out of",
        "round": "leads nowhere", "large": "is larger than 10 bytes", "binary": "not UTF-8",
        "a\0b": "leads nowhere", ".": "no regular file",
    }.items():  # fmt: skip
        with pytest.raises(RefusedError, match=why):
            read_text(folder / name, folder, 10)
    with pytest.raises(RefusedError, match="no regular file"):
        read_text(folder / "zero", limit=10)
    with pytest.raises(FileNotFoundError):
        read_text(folder / "nowhere", folder)


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path):
    (tmp_path / "theirs").write_text("kept")
    (tmp_path / "tandem.yml").symlink_to("theirs")
    write_text(tmp_path / "tandem.yml", "new")
    assert (tmp_path / "theirs").read_text() == "kept"
    assert not (tmp_path / "tandem.yml").is_symlink()
    (tmp_path / "tandem.yml").chmod(0o640)
    write_text(tmp_path / "tandem.yml", "newer")
    assert (tmp_path / "tandem.yml").stat().st_mode & 0o777 == 0o640
    with pytest.raises(RefusedError):
        write_text(tmp_path / "tandem.yml", "\ud800")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["tandem.yml", "theirs"]
    assert (tmp_path / "tandem.yml").read_text() == "newer"


def endless() -> None:
    while True:
        pass


def broken() -> None:
    raise KeyError("x\ny")


def test_work_that_does_not_end_is_ended():
    with pytest.raises(TooMuchError, match="more than 1 s of the processor"):
        call(endless, seconds=1)
    with pytest.raises(TooMuchError, match="MiB of memory"):
        call(list, range(10**9), memory=1 << 28)
    with pytest.raises(TooMuchError, match=r"cannot be understood \(KeyError"):
        call(broken)
    with pytest.raises(TooMuchError, match=r"more than 0\.2 s"), cpu(0.2):
        endless()
    assert call(sorted, [2, 1]) == [1, 2]
