"""Links between the Markdown files lead to files, and to headings by GitHub's anchors.

``python -m tests.links`` prints each one that does not, and then exits with 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.checkout import ROOT
from tests.pages import FENCED, MARKDOWN

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
CODE = re.compile(r"(`+)(?!`)(.*?)(?<!`)\1(?!`)", re.DOTALL)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$", re.MULTILINE)
LINK = re.compile(r"\]\(\s*<?([^\s<>)]+)>?(?:\s+[\"'][^)]*)?\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)", re.MULTILINE)
OWN = re.compile(r"<\w+\s[^>]*\b(?:id|name)=[\"']([^\"']+)[\"']")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def shown(heading: str) -> str:
    """Return the text of a heading, without the marks of code, links, stress and HTML."""
    code: list[str] = []

    def keep(found: re.Match[str]) -> str:
        code.append(found[2])
        return f"\0{len(code) - 1}\0"

    text = CODE.sub(keep, heading)
    text = re.sub(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"</?\w[^>]*>", "", text)
    text = re.sub(r"\*+|(?<!\w)_+(?=\S)|(?<=\S)_+(?!\w)", "", text)
    return re.sub("\0(\\d+)\0", lambda found: code[int(found[1])], text)


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading, the first of that text."""
    return re.sub(r"[^\w\- ]", "", shown(heading).strip().lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return the anchors of a page: of its headings, and those that it gives by HTML."""
    text = COMMENT.sub("", FENCED.sub("", text))
    found: dict[str, int] = {}
    for heading in HEADING.findall(text):
        first = made = slug(heading)
        while made in found:  # the second is "first-1", unless there is one already
            found[first] += 1
            made = f"{first}-{found[first]}"
        found[made] = 0
    return {*found, *OWN.findall(CODE.sub("", text))}


def links(text: str) -> list[str]:
    """Return where a page leads within the repository: ``docs/deploy.md#measured``, ``#here``."""
    prose = CODE.sub("", COMMENT.sub("", FENCED.sub("", text)))
    found = [*LINK.findall(prose), *DEFINITION.findall(prose)]
    return [target for target in found if not ELSEWHERE.match(target)]


@cache
def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a file."""
    return anchors(page.read_text())


def broken(page: Path, root: Path = ROOT) -> Iterator[str]:
    """Give a sentence for each link of ``page`` that leads nowhere."""
    for target in links(page.read_text()):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        where = f"{page.relative_to(root)}: {target}"
        if not file.is_relative_to(root) or not file.exists():
            yield f"{where} leads to no file of the repository"
        elif anchor and (file.suffix != ".md" or anchor not in anchors_of(file)):
            yield f"{where} leads to no heading of {file.relative_to(root)}"


def main() -> int:
    """Check all pages; return the exit status."""
    found = [sentence for page in MARKDOWN for sentence in broken(ROOT / page)]
    sys.stdout.write("".join(f"{sentence}.\n" for sentence in found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
