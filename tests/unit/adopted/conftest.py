"""Small sites, each in a process of its own: Django has one set of settings in each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.stack import ROOT

SETTINGS = """\
INSTALLED_APPS = []
ROOT_URLCONF = "shop.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "own.sqlite3"}}
"""
WSGI = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"


class Shop:
    """A site's folder, and what is run in it as deploy/run.sh would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("shop/__init__.py", "")
        self.write("shop/urls.py", "urlpatterns = []\n")
        self.write("shop/settings.py", SETTINGS)
        self.write("cred/secret_key", "made here")

    def write(self, name: str, text: str) -> None:
        """Write a file of the site."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))

    def python(self, *arguments: str, **environment: str) -> str:
        """Return what Python printed; its complaint is the failure of the test."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder, check=False, capture_output=True, text=True,
            env=self.environment() | environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def environment(self) -> dict[str, str]:
        """Return what the site's processes are given."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{self.folder}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "tandem.adopted.settings",
            "SITE_SETTINGS": "shop.settings",
            "SITE_WSGI": "made",
            "SITE_ASGI": "made",
            "SITE_DATABASE": "sqlite",
            "DATA_ROOT": str(self.folder / "data"),
            "CREDENTIALS_DIRECTORY": str(self.folder / "cred"),
            "SERVER_NAMES": "example.org",
        }

    def asked(self, expression: str, **environment: str) -> str:
        """Return what an expression is worth in a process that serves the site by WSGI."""
        code = (
            "import os; from tandem.adopted.wsgi import application;"
            f"from django.conf import settings; print({expression})"
        )
        return self.python("-c", code, **environment)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Give a site that has nothing of its own yet."""
    return Shop(tmp_path / "site")
