"""Small sites of our own writing, asked in real containers: whatever they do, it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tandem.facts import NEWEST_DEBIAN
from tandem.ops.adopt.answer import Answer
from tandem.ops.adopt.conversation import Conversation
from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.inspection import inspect
from tandem.ops.adopt.model import Site, load, loads
from tandem.ops.adopt.write import render
from tandem.ops.asking.container import Image
from tandem.ops.checkout.programs import Programs
from tests.checkout import ROOT
from tests.machine import HANG_SECONDS
from tests.stack import wait_for

pytestmark = pytest.mark.timeout(4 * HANG_SECONDS)
# One lock and one virtual environment for all of them.
REQUIREMENTS = "django\ndjango-environ\ndjango-split-settings\n"
BASE = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
    "from django.core.management import execute_from_command_line\nimport sys\n"
    "execute_from_command_line(sys.argv)\n",
    "requirements.txt": REQUIREMENTS,
    "shop/__init__.py": "",
    "shop/urls.py": "from django.http import HttpResponse\nfrom django.urls import path\n"
    "urlpatterns = [path('', lambda request: HttpResponse('The shop'))]\n",
}
PLAIN = """\
import os
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["django.contrib.staticfiles"]
STATIC_URL = "/static/"
SECRET_KEY = os.environ["SHOP_KEY" + "_SECRET"[:0]]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""


class Asked:
    """What became of a site that was asked."""

    def __init__(self, image: Image, folder: Path) -> None:
        self.image = image
        image.source = folder
        self.findings: Findings = inspect(folder, "", "asked")
        self.said: list[str] = []
        began = time.monotonic()
        self.answer = Conversation(self.findings, self.ask, self.said.append).hold()
        self.seconds = time.monotonic() - began
        self.site = loads(render(self.findings), folder / "tandem.yml")
        self.undecided = [f"{key}: {sentence}" for key, sentence in self.findings.undecided]

    def ask(self, site: Site) -> Answer:
        """Ask once."""
        return self.image(site)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in (BASE | files).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def asked(home: Path, tmp_path: Path) -> Iterator[Callable[..., Asked]]:
    """Give a function that asks a site of these files."""
    with Image(tmp_path, home, NEWEST_DEBIAN, Programs.here()) as image:

        def ask(settings: str, seconds: float = 60, **files: str) -> Asked:
            image.seconds = seconds
            return Asked(image, write(tmp_path / "shop", {"shop/settings.py": settings, **files}))

        yield ask


def test_plain_settings(asked):
    found = asked(PLAIN)
    assert found.answer.loads, found.undecided
    assert found.site.environment["SHOP_KEY"] == "stand-in"
    assert found.site.database == "sqlite"
    assert found.answer.settings["STATIC_URL"] == "/static/"


def test_settings_of_django_environ(asked):
    found = asked("""\
import environ
env = environ.Env(DEBUG=(bool, True))
ROOT_URLCONF = "shop.urls"
DEBUG = env("DEBUG")
SECRET_KEY = env("SECRET_KEY")
DATABASES = {"default": env.db("SHOP_" + "DATABASE_URL", default="sqlite:///db.sqlite3")}
LIMIT = env.int("ORDER_LIMIT")
HUE = env("HUE", default="red")
""")
    assert found.answer.loads, found.undecided
    assert found.site.database == "postgresql"
    assert not found.answer.debug()
    assert found.site.environment["ORDER_LIMIT"] == "1"
    assert found.site.environment["SHOP_DATABASE_URL"].startswith("postgres://")
    assert found.site.secrets == ("SECRET_KEY",)
    assert found.answer.reads["HUE"].default == "'red'"


def test_settings_in_parts(asked):
    found = asked(
        "from split_settings.tools import include, optional\n"
        "include('parts/*.py', optional('local_settings.py'))\n",
        **{
            "shop/parts/base.py": "ROOT_URLCONF = 'shop.urls'\nINSTALLED_APPS = []\n",
            "shop/parts/db.py": "import os\nDATABASES = {'default': {'ENGINE': "
            "'django.db.backends.postgresql', 'NAME': os.environ['DB_NAME']}}\n",
        },
    )
    assert found.answer.loads, found.undecided
    assert found.site.database == "postgresql"
    assert found.site.environment["DB_NAME"] == "tandem"
    assert found.answer.reads["DB_NAME"].place == "shop/parts/db.py:2"


HOSTILE = {
    "prints": ("while True: print('x' * 1_000_000)", "it prints more than 16 MB"),
    "answers": ("import os\nfor fd in range(3, 20):\n    try:\n"
                "        while True: os.write(fd, b'x' * 65536)\n    except OSError: pass",
                "it prints more than 4 MB"),
    "grows": ("a = []\nwhile True: a.append(bytearray(10_000_000))", "it needs more than 1 GiB"),
    "forks": ("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError: pass",
              "it does not end within"),  # by its own clock, or by the container's
    "asks the network": ("import socket\nsocket.create_connection(('192.0.2.1', 80), 5)",
                         "asks a server as it is loaded"),
    "writes": ("open('/srv/tandem/releases/replica/site/x', 'w')", "writes as it is loaded"),
    "exits": ("import os\nos._exit(3)", "its process ended with 3"),
    "reads": ("print(open('/etc/tandem/credentials/secret_key').read())", "FileNotFoundError"),
}  # fmt: skip


@pytest.mark.parametrize("does", HOSTILE)
def test_a_hostile_site_ends_in_a_sentence(asked, does: str):
    code, sentence = HOSTILE[does]
    found = asked(f"ROOT_URLCONF = 'shop.urls'\n{code}\n", seconds=10)
    assert not found.answer.loads
    assert any(sentence in one for one in found.undecided), found.undecided
    wait_for(lambda: not left())


def left() -> list[str]:
    """Return the containers that are still there."""
    form = ("--format", "{{.Names}}", "--filter", "name=^asked-")
    listed = subprocess.run(["docker", "ps", "-a", *form], capture_output=True, text=True)
    return listed.stdout.split()


def test_the_command_writes_the_file_and_explains(home: Path, tmp_path: Path):
    folder = write(tmp_path / "shop", {"shop/settings.py": PLAIN})
    (lock,) = home.glob("tandem-*.lock")
    (folder / lock.name).write_bytes(lock.read_bytes())

    def tandem(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tandem", "adopt", str(folder), *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    done = tandem()
    assert done.returncode == 0, done.stderr
    assert "asked the running code" in (folder / "tandem.yml").read_text()
    assert load(folder / "tandem.yml", files=True).environment == {"SHOP_KEY": "stand-in"}
    done = tandem("--explain")
    assert done.returncode == 0, done.stderr
    assert "  DEBUG: pages of errors would show the settings" in done.stdout
    assert "  DATABASES: Tandem's database" in done.stdout
