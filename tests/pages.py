"""README.md, CONTRIBUTING.md and docs/, as a reader takes commands from them."""

from __future__ import annotations

import re

from tests.checkout import ROOT

PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")),
]
# What a changelog names was there then, and need not be there now; its links must lead somewhere.
MARKDOWN = [*PAGES, "CHANGELOG.md"]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("sh", "bash")


def text(page: str) -> str:
    """Return a page: ``docs/migrate.md``."""
    return (ROOT / page).read_text()


def blocks(page: str, *languages: str) -> list[str]:
    """Return the text of the fenced blocks in one of the languages (``sh`` and ``bash``)."""
    return [block for name, block in FENCED.findall(text(page)) if name in (languages or SHELL)]


def commands(block: str) -> list[str]:
    """Return the commands of a block, each on one line and without its comment."""
    lines = (re.sub(r"(^|\s+)#\s.*$", "", line) for line in block.splitlines())
    return [line.strip() for line in lines if line.strip()]
