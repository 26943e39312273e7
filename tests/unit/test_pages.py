"""What the pages name is there: tasks, commands, options, playbooks, files, links, messages."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tandem.ops.commands import COMMANDS
from tests.checkout import ROOT
from tests.links import anchors, broken
from tests.pages import FENCED, MARKDOWN, PAGES, blocks, commands, text

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
# Folders of this checkout: what begins so names a file of it.
FOLDERS = r"(?:app|tandem|deploy|docker|ansible|tests|docs)"
FILE = re.compile(rf"{FOLDERS}/[\w./@-]*\w")
# Where a task's variables are read: by the Makefile, by scripts, by settings.
READERS = ("Makefile", ".env", "docker", "tests", "deploy", "tandem")


def inline(page: str) -> list[str]:
    """Return the code in a page's sentences."""
    return re.findall(r"`([^`]+)`", re.sub(r"\s+", " ", FENCED.sub("", text(page))))


def typed(page: str) -> Iterator[list[str]]:
    """Give the words of each command of a page, one for each part of a chain."""
    lines = [line for block in blocks(page) for line in commands(block)]
    lines += [line.removeprefix("$ ") for block in blocks(page, "console") for line in
              commands(block)]  # fmt: skip
    for line in lines + inline(page):
        for part in re.split(r"&&|\|\||[;|]", line.replace("\\|", " ")):
            try:
                words = shlex.split(part.replace('"$(', "").replace(')"', ""))
            except ValueError:
                continue  # no command: a quotation mark of a sentence
            words = words[1:] if words[:1] in (["eval"], ["export"]) else words
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words:
                yield [words[0].rpartition("/")[2], *words[1:]]


@cache
def read() -> str:
    """Return all that may read a task's variables."""
    listed = subprocess.run(
        ["git", "grep", "-hIE", "[A-Z]{1,}", "--", *READERS],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return listed.stdout


@cache
def help_of(*words: str) -> str:
    """Return what a command of ``tandem`` says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "tandem", *words, "--help"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_each_task_and_variable_that_a_page_gives_to_make_is_there(page: str):
    for name, *words in typed(page):
        if name != "make":
            continue
        for word in words:
            if variable := re.match(r"([A-Z_]+)=", word):
                assert re.search(rf"\b{variable[1]}\b", read()), (page, words)
            elif re.fullmatch(r"[a-z][a-z-]*", word):
                assert word in TARGETS, (page, words)


@pytest.mark.parametrize("page", PAGES)
def test_each_command_and_option_of_tandem_that_a_page_names_is_there(page: str):
    for name, *words in typed(page):
        if name != "tandem" or not words or not re.fullmatch("[a-z]+", words[0]):
            continue
        assert words[0] in COMMANDS, (page, words)
        path = words[:1]
        if words[0] == "routes" and words[1:] and re.fullmatch("[a-z]+", words[1]):
            assert words[1] in help_of("routes"), (page, words)
            path = words[:2]
        for word in words:
            if option := re.match(r"--[a-z-]+", word):
                assert re.search(rf"{option[0]}\b", help_of(*path)), (page, words)


@pytest.mark.parametrize("page", PAGES)
def test_each_playbook_that_a_page_runs_is_there(page: str):
    for name, *words in typed(page):
        if name == "ansible-playbook":
            given = words[words.index("-i") + 1] if "-i" in words else ""
            books = [word for word in words if word.endswith(".yml") and word != given]
            assert books, (page, words)
            for book in books:
                if not book.startswith("../ops/"):  # a team's own: docs/upgrading.md
                    assert (ROOT / "ansible" / book).exists(), (page, book)


@pytest.mark.parametrize("page", PAGES)
def test_each_file_that_a_page_names_is_there(page: str):
    for code in inline(page):
        if FILE.fullmatch(code) and not re.search("AREA|NAME", code):
            assert (ROOT / code).exists(), (page, code)


@pytest.mark.parametrize("page", MARKDOWN)
def test_each_link_of_a_page_leads_to_a_file_and_its_heading(page: str):
    assert list(broken(ROOT / page)) == []


# GitHub's rule: lower case, of other signs only - and _ stay, and each space becomes a hyphen.
@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("## Debian 12 → 13", "debian-12--13"),
        ("## `tandem.W001` A view that blocks", "tandemw001-a-view-that-blocks"),
        ("# How do I run the tests, and what?", "how-do-i-run-the-tests-and-what"),
        ("## [Unreleased]", "unreleased"),
        ("## [0.1.0](https://example.org) - 2026-11-25", "010---2026-11-25"),
        ("## *How* the **edge** _is_ `snake_case` made", "how-the-edge-is-snake_case-made"),
        ("## nginx' `error_page` for 4xx/5xx ##", "nginx-error_page-for-4xx5xx"),
        ("### Größe & Maß", "größe--maß"),
    ],
)
def test_an_anchor_is_the_one_that_github_gives(heading: str, anchor: str):
    assert anchors(heading) == {anchor}


def test_headings_of_the_same_text_are_numbered_and_those_in_code_are_none():
    page = "# Add\n```sh\n# in code\n```\n## Add\n## Add 1\n<!-- # no -->\n## Add\n"
    # The third is taken by a heading of that very text.
    assert anchors(page) == {"add", "add-1", "add-1-1", "add-2"}


def test_a_link_that_leads_nowhere_is_named(tmp_path: Path):
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# Here\n")
    (tmp_path / "file.yml").write_text("a: 1\n")
    page.write_text(
        "# Top\n[a](other.md#here) [b](#top) [c](https://example.org/#x) [d](file.yml)\n"
        "`[e](gone.md)`\n```\n[f](gone.md)\n```\n[g](gone.md) [h](other.md#gone)\n"
        '[i](#gone) ![j](gone.svg "A picture") [k](file.yml#x) [l][m]\n\n[m]: gone/\n'
    )
    found = [sentence.split(" ")[1] for sentence in broken(page, tmp_path)]
    assert found == ["gone.md", "other.md#gone", "#gone", "gone.svg", "file.yml#x", "gone/"]


def quoted() -> list[str]:
    """Return the messages that docs/replica.md quotes: the first column of "it says"."""
    table = text("docs/replica.md").split("| it says | do |\n", 1)[1].partition("\n\n")[0]
    rows = (line.split("|")[1] for line in table.splitlines())
    return [message for row in rows for message in re.findall(r"`([^`]+)`", row)]


def pattern(message: str) -> str:
    """Return what finds a message in a source.

    What it is about there (a file's line, a name, a number) may be anything.
    """
    words = re.sub(r"^\S+:\d+: ", "", message).replace("…", " … ").split()
    anything = re.compile(r"[A-Z_]{2,}|\d+|tandem")
    made = [r"\S+" if anything.fullmatch(word) else re.escape(word) for word in words]
    # A sentence may be put together of lines.
    return r"[\s\"\\]+".join(made).replace("…", ".*").strip(".*")


def test_what_a_page_quotes_of_messages_is_found_with_its_words_alone():
    assert len(quoted()) > 10
    assert re.search(pattern("port 8443 is taken"), "die port $port is taken by")
    assert not re.search(pattern("port 8443 is taken"), "port $port is free")


# A line of deploy/routes.yml is followed by whatever is wrong there.
@pytest.mark.parametrize("message", [one for one in quoted() if pattern(one)])
def test_a_message_that_a_page_explains_is_one_that_is_said(message: str):
    sources = [
        path.read_text()
        for folder in ("docker", "tandem", "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".sh", ".py")
    ]
    assert any(re.search(pattern(message), source) for source in sources), message
