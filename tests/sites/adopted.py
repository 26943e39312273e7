"""A replica of its own for a site of others."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.stack import ROOT, Stack

RECIPES = Path(__file__).parent / "recipes"
# Prints nothing; the user may be there already.
USER = (
    "from django.contrib.auth import get_user_model as g; u = g();"
    "u.objects.filter(username='visitor').exists() or "
    "u.objects.create_superuser(username='visitor', email='v@example.org', password='visitor')"
)


class AdoptedStack(Stack):
    """The replica that serves the site in ``folder``."""

    what = "site"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def env(self, **settings: str) -> dict[str, str]:
        """Return the environment of the product's commands for this stack."""
        found = super().env(SITE=str(self.folder), NOTIFY_INSTANCES="0", **settings)
        del found["TANDEM_RELEASE"]  # the site's own
        return found

    def manage(self, code: str) -> str:
        """Run Python code in the site and return what it printed."""
        run = "/srv/tandem/current/deploy/run.sh"
        return self.compose("exec", "-T", "wsgi", run, "manage", "shell", "-c", code)

    def login(self, client: httpx.Client, path: str) -> httpx.Response:
        """Fill in the form at ``path`` as a user who may everything; return the answer."""
        self.manage(USER)
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get(path).text)
        assert found, f"{path} has no form"
        return client.post(
            path,
            data={"username": "visitor", "password": "visitor", "csrfmiddlewaretoken": found[1]},
            headers={"Referer": f"{self.origin}{path}", "Origin": self.origin},
        )


@dataclass(frozen=True)
class Recipe:
    """How a site comes into being, and where its parts are."""

    name: str
    start: tuple[str, ...] = ()  # what writes a new site into the folder that is its last word
    login: str = ""  # a form; empty: the site has none that Django made
    inside: str = ""  # for those who are logged in
    socket: str = ""
    process: str = ""  # one that it keeps beside its servers, in YAML
    check: str = ""  # how that says that it works
    built: str = ""  # what its front end makes, and git has not


UV = (str(ROOT / ".venv/bin/python"), str(ROOT / "docker/uv.py"))
SITES = [
    Recipe(
        "wagtail",
        start=(*UV, "tool", "run", "--quiet", "wagtail", "start", "shop"),
        login="/admin/login/",
        inside="/admin/pages/",
        # Publishes what is due, for ever.
        process="clock: sh -c 'while :; do python manage.py publish_scheduled; sleep 300; done'",
        check="clock: test -r manage.py",
        built="/static/js/front.js",
    ),
    Recipe("codex", socket="/api/v4/ws"),
    Recipe("netbox", login="/login/", inside="/dcim/sites/"),
]


def prepare(recipe: Recipe, folder: Path) -> Path:
    """Make the site's folder, with its tandem.yml."""
    if not recipe.start:
        shutil.copytree(RECIPES / recipe.name, folder)
        return folder
    folder.mkdir()
    subprocess.run([*recipe.start, str(folder)], check=True, capture_output=True, cwd=ROOT)
    shutil.copytree(RECIPES / recipe.name, folder, dirs_exist_ok=True)
    # tests/sites/test_asked.py asks: a second image would cost a minute.
    tandem = [str(ROOT / ".venv/bin/python"), "-m", "tandem"]
    subprocess.run(
        [*tandem, "adopt", "--files-only", str(folder)], check=True, capture_output=True, cwd=ROOT
    )
    # SQLite is for those who begin; whoever has servers wants the database for servers.
    file = folder / "tandem.yml"
    text = file.read_text().replace("database: sqlite", "database: postgresql")
    if recipe.process:
        text += f"\nprocesses:\n  {recipe.process}\nchecks:\n  {recipe.check}\n"
    file.write_text(text)
    return folder
