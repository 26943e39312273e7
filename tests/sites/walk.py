"""The commands of docs/migrate.md, in its order, and a small shop that walks them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.checkout import ROOT
from tests.pages import FENCED, SHELL, commands, text

PAGE = "docs/migrate.md"
# What needs servers, or hours: which test walks it instead, and why.
ELSEWHERE = {
    "make release": (
        "tests/servers/test_adopted.py::test_one_run_makes_a_blank_server_serve_it",
        "an archive for servers, which nothing here would install",
    ),
    "make provision INVENTORY=…": (
        "tests/servers/test_adopted.py::test_one_run_makes_a_blank_server_serve_it",
        "needs a booted server",
    ),
    "make verify INVENTORY=…": (
        "tests/servers/test_adopted.py::test_one_run_makes_a_blank_server_serve_it",
        "needs a booted server",
    ),
    "tandem routes move /feed/ --to asgi --auto 1,10,50,100": (
        "tests/unit/ops/routes/test_rollout.py",
        "holds each step for ten minutes",
    ),
}
# Beginnings of what is a command where it stands in a sentence.
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:make|tandem) \S.*")


@dataclass(frozen=True)
class Code:
    """A file that the page shows, to be written (or, "at its end", appended) as it stands."""

    file: str
    text: str
    appended: bool


def steps() -> list[str | Code]:
    """Return what the page has its reader do: commands of the shell, and files."""
    found: list[str | Code] = []
    for language, block in FENCED.findall(text(PAGE)):
        if language in SHELL:
            found += commands(block)
        elif language == "python":
            name, _, code = block.partition("\n")
            file, _, how = name.removeprefix("# ").partition(", ")
            found.append(Code(file, f"{code}", how == "at its end"))
    return found


def inline() -> set[str]:
    """Return the commands in the page's sentences."""
    prose = re.sub(r"\s+", " ", FENCED.sub("", text(PAGE)))
    return {code for code in re.findall(r"`([^`]+)`", prose) if COMMAND.fullmatch(code)}


URLS = """\
from django.http import HttpResponse
from django.urls import path


def front(request):
    return HttpResponse("<h1>The shop</h1>")


def feed(request):
    return HttpResponse("<ol><li>first</li></ol>")


async def left(article):
    return len(article)


urlpatterns = [path("", front), path("feed/", feed)]
"""


def shop(folder: Path) -> Path:
    """Make the site that the page begins with: Django's own template, two pages, no sockets."""
    folder.mkdir()
    start = [ROOT / ".venv/bin/django-admin", "startproject", "shop", folder]
    subprocess.run(start, check=True, capture_output=True)
    (folder / "shop/urls.py").write_text(URLS)
    (folder / "requirements.txt").write_text("django\n")
    return folder
