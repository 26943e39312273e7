"""Sites that are asked what they are, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.unit.adopted.conftest import SETTINGS, Shop


@pytest.fixture
def asked(shop: Shop):
    """Give a function that asks the shop, and returns the lines by their kind."""

    def ask(**environment: str) -> dict[str, Any]:
        folder = f"{shop.folder}/tmp"
        shop.write("tmp/empty", "")
        out = shop.python("-m", "tandem.adopted.ask", HOME=folder, TMPDIR=folder, **environment)
        lines = [json.loads(line) for line in out.splitlines()]
        found = {line["kind"]: line for line in lines}
        found["failed"] = [line for line in lines if line["kind"] == "failed"]
        found["read"] = {one["name"]: one for one in found["reads"]["reads"] if one["place"]}
        return found

    return ask


def test_a_site_tells_its_settings_and_what_becomes_of_them(shop: Shop, asked):
    shop.write("shop/settings.py", SETTINGS + "print('a site may print')\nDEBUG = True\n")
    found = asked()
    assert found["failed"] == []
    declared = found["settings"]["declared"]
    assert declared["DEBUG"] is True
    assert declared["SECRET_KEY"] == ""
    assert declared["DATABASES"]["default"]["ENGINE"] == "django.db.backends.sqlite3"
    replaced = {one["name"]: one for one in found["settings"]["replaced"]}
    assert replaced["DEBUG"]["old"] is True
    assert replaced["DEBUG"]["new"] is False
    assert replaced["SECRET_KEY"]["new"] == "…"
    assert all(one["why"] for one in replaced.values())
    assert "ended" in found


def test_each_variable_is_told_with_its_place_and_default(shop: Shop, asked):
    shop.write("shop/settings.py", SETTINGS + """
import os
A = os.environ.get("A_URL")
B = os.getenv("B_NAME", "tea")
C = os.environ["C_GIVEN"]
D = "D_SWITCH" in os.environ
""")  # fmt: skip
    read = asked(C_GIVEN="1")["read"]
    assert read["A_URL"] == {
        "name": "A_URL", "place": "shop/settings.py:6", "given": False, "default": "None",
    }  # fmt: skip
    assert read["B_NAME"]["default"] == "'tea'"
    assert read["C_GIVEN"]["given"] is True
    assert read["D_SWITCH"]["default"] is None
    assert "PATH" not in read


# As django-environ, decouple and environs do: they ask the environment themselves.
PACKAGE = """\
import os
OWN = os.environ.get("OWN_BUSINESS")
def env(name, default=...):
    try:
        return os.environ[name]
    except KeyError as error:
        if default is not ...:
            return default
        raise ValueError(f"Set the {name} environment variable") from error
"""


@pytest.fixture
def package(shop: Shop) -> Shop:
    """Give a shop whose settings use a package that is none of its own."""
    lib = shop.folder.parent / "lib"
    lib.mkdir()
    (lib / "env.py").write_text(PACKAGE)
    shop.write("shop/__init__.py", f"import sys\nsys.path.append({str(lib)!r})\n")
    return shop


def test_the_default_that_a_package_is_given_is_known(package: Shop, asked):
    package.write(
        "shop/settings.py", SETTINGS + "from env import env\nA = env('A', default='tea')\n"
    )
    found = asked()
    assert found["failed"] == []
    assert found["read"]["A"]["default"] == "'tea'"
    assert found["read"]["A"]["place"] == "shop/settings.py:5"
    assert "OWN_BUSINESS" not in found["read"], "a package's own business is none of the site's"


def test_a_failure_names_the_variable_and_the_place(package: Shop, asked):
    package.write("shop/settings.py", SETTINGS + "from env import env\nA = env('NEEDED')\n")
    (failed,) = asked()["failed"]
    assert failed["variables"] == ["NEEDED"]
    assert failed["place"] == "shop/settings.py:5"
    assert failed["said"] == "Set the NEEDED environment variable"


def test_a_variable_is_known_by_where_it_is_read(shop: Shop, asked):
    shop.write("shop/settings.py", SETTINGS + "import os\nA = int(os.environ.get('ORDERS'))\n")
    found = asked()
    assert found["failed"][0]["variables"] == ["ORDERS"]
    assert "site" not in found
    assert "ended" in found


def test_who_copies_all_variables_is_told(shop: Shop, asked):
    shop.write("shop/settings.py", SETTINGS + "import os\nA = {**os.environ}\n")
    assert asked()["reads"]["copied"] == "shop/settings.py:5"


def test_a_missing_module_is_named(shop: Shop, asked):
    shop.write("shop/urls.py", "from shop import views\nimport no_such_thing\n")
    shop.write("shop/views.py", "")
    found = asked()
    (failed,) = found["failed"]
    assert (failed["at"], failed["module"]) == ("urls", "no_such_thing")
    assert "asgi" in found, "the rest is asked all the same"


def test_who_does_not_end_is_told_where_it_was(shop: Shop):
    shop.write(
        "shop/settings.py", SETTINGS + "import os\nA = os.getenv('HUE')\nwhile True: A = 1\n"
    )
    command = [sys.executable, "-m", "tandem.adopted.ask", "1"]
    done = subprocess.run(command, capture_output=True, text=True, env=shop.environment())
    lines = {line["kind"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert lines["failed"]["place"] == "shop/settings.py:6"
    assert lines["failed"]["said"] == "it does not end within 1 s"
    assert [one["name"] for one in lines["reads"]["reads"] if one["place"]] == ["HUE"]


def test_a_child_that_goes_on_as_if_it_were_the_site_tells_nothing(shop: Shop, asked):
    shop.write("shop/settings.py", SETTINGS + "import os\nif not os.fork(): A = 1\n")
    assert len(asked()["failed"]) == 0


def test_a_child_that_prints_and_one_that_exits_are_no_trouble(shop: Shop, asked):
    shop.write(
        "shop/settings.py", SETTINGS + "import os\nos.system('echo {}')\nraise SystemExit(7)"
    )
    (failed,) = asked()["failed"]
    assert failed["error"] == "SystemExit"


def test_nothing_secret_is_told(shop: Shop, asked):
    shop.write(
        "shop/settings.py",
        SETTINGS + "SECRET_KEY = 'hush-hush'\nBROKER_URL = 'redis://me:hush-hush@elsewhere/0'\n"
        "CACHES = {'default': {'BACKEND': 'x', 'OPTIONS': {'PASSWORD': 'hush-hush'}}}\n",
    )
    found = asked()
    assert "hush" not in json.dumps(found)
    assert found["settings"]["declared"]["SECRET_KEY"] == "set"
