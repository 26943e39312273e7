"""Sites that are asked what they are, each in a process of its own."""

from __future__ import annotations

import json
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
        found["read"] = {one["name"]: one for one in found["reads"]["reads"]}
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


def test_the_default_that_is_given_to_a_package_is_known(shop: Shop, asked):
    """As django-environ, decouple and environs have it: they ask the environment themselves."""
    shop.write(
        "shop/../lib/env.py",
        "import os\nOWN = os.environ.get('OWN_BUSINESS')\n"
        "def env(name, cast=str, default=...):\n"
        "    try:\n        return cast(os.environ[name])\n"
        "    except KeyError as error:\n"
        "        if default is not ...:\n            return default\n"
        "        raise ValueError(f'Set the {name} environment variable') from error\n",
    )
    shop.write("shop/settings.py", SETTINGS + "from env import env\nA = env('A', default='tea')\n"
               "N = env('NEEDED')\n")  # fmt: skip
    # A package is not below the site's folders.
    from tests.stack import ROOT

    path = f"{ROOT}:{shop.folder}"
    (shop.folder / "lib").rename(shop.folder.parent / "lib")
    shop.write("shop/lib.pth", "")
    import sys

    del path, sys
    shop.write(
        "shop/__init__.py", f"import sys; sys.path.append({str(shop.folder.parent / 'lib')!r})\n"
    )
    found = asked()
    assert found["read"]["A"]["default"] == "'tea'"
    (failed,) = found["failed"]
    assert failed["variables"][0] == "NEEDED"
    assert failed["place"].startswith("shop/settings.py:")
    assert "OWN_BUSINESS" not in found["read"]
