"""docs/generate.py: what stands beside a variable is about that variable."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import pytest

from tests.checkout import ROOT

SPEC = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
assert SPEC
assert SPEC.loader
generate = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generate)


@pytest.mark.parametrize("name", sorted(generate.PAGES))
def test_a_page_is_what_the_files_say(name: str):
    assert (ROOT / "docs" / name).read_text() == generate.PAGES[name]()


@pytest.mark.parametrize("name", ["configuration.md", "inventory.md"])
def test_no_two_variables_share_a_description(name: str):
    rows = [
        line.split("|") for line in generate.PAGES[name]().splitlines() if line.startswith("| `")
    ]
    assert len(rows) > 10
    shared = Counter(row[-2].strip() for row in rows)
    assert {text for text, times in shared.items() if times > 1 or not text} == set()


def test_a_comment_belongs_to_the_variable_right_below_it_alone(tmp_path: Path):
    file = tmp_path / "main.yml"
    file.write_text(
        "# Of the file.\n\n# Of one, in\n# two lines.\none: 1\n# Of more.\nmore:\n  - x\n"
    )
    assert generate.described(file, r"(\w+):\s*(.*)") == [
        ("one", "1", "Of one, in two lines."),
        ("more", "- x", "Of more."),
    ]


@pytest.mark.parametrize(
    "text", ["# Of one.\none: 1\ntwo: 2\n", "# Of the file.\n\none: 1\n", "one: 1\n"]
)
def test_a_variable_without_a_comment_of_its_own_is_refused(tmp_path: Path, text: str):
    file = tmp_path / "main.yml"
    file.write_text(text)
    with pytest.raises(generate.UndescribedError, match=r"main.yml:\d: (one|two) needs a comment"):
        generate.described(file, r"(\w+):\s*(.*)")
