"""Small sites that are asked as in their image, in a process of this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.ops.adopt.answer import Answer, parse
from tandem.ops.adopt.conversation import Conversation
from tandem.ops.adopt.inspection import inspect
from tandem.ops.adopt.model import Site, loads
from tandem.ops.adopt.write import render
from tandem.ops.asking.container import CODE, RELEASE, environment, root
from tests.checkout import ROOT
from tests.unit.ops.adopt.conftest import entry, write  # noqa: F401 - a fixture

SETTINGS = """\
import os
INSTALLED_APPS = []
ROOT_URLCONF = "shop.urls"
"""


class Talk:
    """A site that was asked until it loaded: what was found, and what was said meanwhile."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder = folder
        self.findings = inspect(folder, settings)
        self.said: list[str] = []
        self.rounds = 0
        self.answer = Conversation(self.findings, self.ask, self.said.append).hold()
        self.text = render(self.findings)
        self.site: Site = loads(self.text, folder / "tandem.yml")
        self.undecided = [f"{key}: {sentence}" for key, sentence in self.findings.undecided]

    def ask(self, site: Site) -> Answer:
        """Ask once."""
        self.rounds += 1
        return here(self.folder, site)


def here(folder: Path, site: Site) -> Answer:
    """Ask a site as its image would, in a process of this machine."""
    places = {CODE: str(folder), f"{RELEASE}/site": str(ROOT)}
    given = {"TMPDIR": str(folder)}
    for name, value in environment(site).items():
        for there, place in places.items():
            value = value.replace(there, place)
        given[name] = value
    given["HOME"] = str(folder / "home")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tandem.adopted.ask"], check=False, capture_output=True,
        cwd=root(site).replace(CODE, str(folder)), env=given,
    )  # fmt: skip
    return parse(done.stdout)


@pytest.fixture
def talk(write) -> Callable[..., Talk]:  # noqa: F811 - the fixture
    """Give a function that asks a site with more in its settings."""

    def hold(settings: str = "", chosen: str = "", **files: str) -> Talk:
        base = {
            "manage.py": entry("shop.settings", "manage"),
            "requirements.txt": "django\n",
            "shop/__init__.py": "",
            "shop/urls.py": "urlpatterns = []\n",
            "shop/settings.py": SETTINGS + settings,
        }
        more = {name.replace("__", "/") + ".py": text for name, text in files.items()}
        return Talk(write(base | more), chosen)

    return hold
