"""Small sites, written as their makers would, and what is found in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.inspection import inspect
from tandem.ops.adopt.model import Site, loads
from tandem.ops.adopt.write import render

# The least that settings say; a real site has more of the same.
SETTINGS = """\
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.staticfiles"]
ALLOWED_HOSTS = ["*"]
DEBUG = False
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""
SOCKET = {"HOST": "/run/postgresql", "NAME": "tandem", "USER": "tandem", "PASSWORD": ""}


def entry(settings: str, kind: str = "wsgi") -> str:
    """Return manage.py, wsgi.py or asgi.py."""
    text = f'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{settings}")\n'
    if kind == "manage":
        return text + "from django.core.management import execute_from_command_line\n"
    return text + f"application = get_{kind}_application()\n"


class Made:
    """A site's folder with what was found in it."""

    def __init__(self, folder: Path, settings: str = "") -> None:
        self.folder = folder
        self.findings: Findings = inspect(folder, settings)
        self.text = render(self.findings)
        self.site: Site = loads(self.text, folder / "tandem.yml")
        self.undecided = [f"{key}: {sentence}" for key, sentence in self.findings.undecided]

    def why(self, key: str) -> str:
        """Return what explains ``key``."""
        finding = self.findings.keys[key]
        return "\n".join([*finding.why, *finding.entries.values()])


BASE = {
    "manage.py": entry("shop.settings", "manage"),
    "shop/__init__.py": "",
    "shop/settings.py": SETTINGS,
    "shop/wsgi.py": entry("shop.settings"),
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Give a function that writes files into a folder and returns that."""

    def make(files: dict[str, str]) -> Path:
        folder = tmp_path / "shop"
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text))
        return folder

    return make


@pytest.fixture
def adopt(write) -> Callable[..., Made]:
    """Give a function that inspects a site of the given files."""

    def make(files: dict[str, str], settings: str = "") -> Made:
        return Made(write(files), settings)

    return make


@pytest.fixture
def project(adopt) -> Callable[..., Made]:
    """Give a function that inspects a startproject site with more in its settings."""

    def make(settings: str = "", requirements: str = "django\n", **files: str) -> Made:
        base = {
            "manage.py": entry("shop.settings", "manage"),
            "shop/__init__.py": "",
            "shop/settings.py": SETTINGS + dedent(settings),
            "shop/wsgi.py": entry("shop.settings"),
            "requirements.txt": requirements,
        }
        return adopt(base | {name.replace("__", "/") + ".py": text for name, text in files.items()})

    return make
