"""What settings read from the environment, and what is given to them."""

from __future__ import annotations

import pytest

from tandem.ops.adopt.database import ENGINE
from tests.unit.ops.adopt.conftest import SOCKET, entry

READERS = {
    "os.environ": ("import os\n", 'os.environ["{}"]'),
    "environ imported": ("from os import environ\n", 'environ["{}"]'),
    "django-environ": ("import environ\nenv = environ.Env()\n", 'env("{}")'),
    "environs": ("from environs import Env\nenv = Env()\n", 'env.str("{}")'),
    "decouple": ("from decouple import config\n", 'config("{}")'),
    "a function of the site": (
        "import os\ndef need(name):\n    try:\n        return os.environ[name]\n"
        "    except KeyError:\n        raise RuntimeError(name)\n",
        'need("{}")',
    ),
}


@pytest.fixture(params=READERS, ids=list(READERS))
def reader(request) -> tuple[str, str]:
    """Give each way of reading a variable."""
    return READERS[request.param]


def test_a_database_read_part_by_part_gets_tandems(project, reader):
    imports, call = reader
    parts = ", ".join(f'"{key}": {call.format("DB_" + key)}' for key in SOCKET)
    made = project(
        f"{imports}DATABASES = {{'default': {{'ENGINE': '{ENGINE}', {parts}}}}}",
        "django\npsycopg2-binary\n",
    )
    assert made.site.database == "postgresql"
    assert made.site.environment == {f"DB_{key}": value for key, value in SOCKET.items()}
    assert "DB_PASSWORD" not in made.site.secrets  # peer authentication: there is none


def test_a_secret_key_that_is_read_is_made(project, reader):
    imports, call = reader
    made = project(f"{imports}SECRET_KEY = {call.format('SHOP_KEY')}")
    assert made.site.secrets == ("SHOP_KEY",)
    assert "SECRET_KEY (shop/settings.py:" in made.why("secrets")


def test_a_variable_without_a_default_is_asked_for(project, reader):
    imports, call = reader
    made = project(f"{imports}GREETING = {call.format('GREETING')}")
    assert "GREETING" not in made.site.environment
    assert any("GREETING: read without a default (shop/set" in one for one in made.undecided)
    assert '  # GREETING: ""' in made.text


@pytest.mark.parametrize(
    "line",
    [
        'import os\nX = os.environ.get("X")',
        'import os\nX = os.getenv("X", "a")',
        'import environ\nenv = environ.Env()\nX = env("X", default="a")',
        'import environ\nenv = environ.Env(X=(str, "a"))\nX = env("X")',
        'import environ\nenv = environ.Env()\nX = env.int("X", 3)',
        'from decouple import config\nX = config("X", default=1, cast=int)',
        'from environs import env\nX = env.bool("X", False)',
        'import os\ntry:\n    X = os.environ["X"]\nexcept KeyError:\n    X = 1',
    ],
)
def test_a_variable_with_a_default_is_only_mentioned(project, line: str):
    made = project(line)
    assert "X" not in made.site.environment
    assert not [one for one in made.undecided if one.startswith("environment")]
    assert "also read, with a default: X" in made.text


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('DEBUG = os.environ.get("DEBUG", "1") == "1"', "False"),
        ('DEBUG = bool(int(os.environ.get("DEBUG", 1)))', "0"),
        ('DEBUG = bool(os.environ.get("DEBUG", True))', ""),
        ('DEBUG = os.environ.get("DEBUG", "True").lower() in ("true", "1")', "False"),
        ('DEBUG = os.environ["DEBUG"] == "on"', "False"),
        ('DEBUG = env.bool("DEBUG", default=True)', "False"),
    ],
)
def test_debug_is_turned_off_in_the_words_of_the_settings(project, line: str, value: str):
    made = project(f"import os, environ\nenv = environ.Env()\n{line}")
    assert made.site.environment == {"DEBUG": value}
    assert made.undecided == []


def test_debug_that_is_off_by_default_is_left_alone(project):
    made = project('import os\nDEBUG = os.environ.get("DEBUG") == "1"')
    assert made.site.environment == {}


def test_what_only_debug_reads_is_not_asked_for(project):
    made = project(
        'import os\nDEBUG = os.environ.get("DEBUG", "1") == "1"\n'
        'if DEBUG:\n    TOOLBAR = os.environ["TOOLBAR"]\n'
    )
    assert made.undecided == []


def test_a_key_read_only_where_it_is_there_is_made(project):
    made = project(
        """
        import os, random
        if "DJANGO_SECRET_KEY" in os.environ:
            SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
        else:
            SECRET_KEY = "".join(random.choice("abc") for _ in range(50))
        """
    )
    assert made.site.secrets == ("DJANGO_SECRET_KEY",)
    assert "SECRET_KEY (shop/settings.py:" in made.why("secrets")


def test_a_key_in_the_code_is_warned_of_unless_tandem_replaces_it(project):
    made = project('SECRET_KEY = "hunter2"')
    assert any("SECRET_KEY is in the code (shop/settings.py:5)" in one for one in made.undecided)
    made = project('SECRET_KEY = "django-insecure-x"')
    assert made.undecided == []
    assert made.site.secrets == ("SECRET_KEY",)


def test_modules_that_import_each_other_in_a_long_chain_are_survived(project):
    chain = {f"shop__m{n}": f"from shop.m{n + 1} import *\n" for n in range(300)}
    made = project("from shop.m0 import *\nimport shop.settings", **chain)
    assert made.site.settings == "shop.settings"


def test_a_function_that_returns_its_default_reads_nothing_behind_that(project):
    made = project(
        """
        import os
        def number(name, default=None):
            if name not in os.environ:
                return default
            return int(os.environ[name])
        LIMIT = number("LIMIT", 3)
        """
    )
    assert made.undecided == []


def test_a_function_that_perhaps_returns_goes_on(project):
    made = project(
        """
        import os, socket
        def greeting():
            if socket.gethostname():
                return "hello"
            return os.environ["GREETING"]
        GREETING = greeting()
        """
    )
    assert any("GREETING: read without a default" in one for one in made.undecided)


def test_folders_are_those_that_may_be_written(project):
    made = project(
        """
        import os
        def folder(name, default):
            if name not in os.environ:
                return default
            return os.environ[name]
        MEDIA_ROOT = folder("SHOP_MEDIA", "media")
        DATA = os.environ.get("SHOP_DATA_DIR", "data")
        FIXED = os.environ["SHOP_DATA_DIR"]
        """
    )
    assert made.site.environment == {
        "SHOP_MEDIA": "/srv/tandem/media",
        "SHOP_DATA_DIR": "/srv/tandem/data",
    }
    assert made.undecided == []


def test_a_key_from_code_must_be_the_same_everywhere(project):
    made = project('SECRET_KEY = open("key.txt").read()')
    assert any("secrets: SECRET_KEY comes from code" in one for one in made.undecided)


def test_defaults_that_are_unpacked_into_a_reader_are_known(project):
    made = project(
        """
        import environ
        MORE = {"FLUSH": (int, 1000)}
        env = environ.Env(LIMIT=(int, 3), **MORE)
        LIMIT, FLUSH = env("LIMIT"), env("FLUSH")
        """
    )
    assert made.undecided == []


def test_what_is_behind_a_decided_condition_is_not_read(project):
    made = project(
        """
        import os
        OLD = "OLD" in os.environ and os.environ["OLD"]
        FAST = True or os.environ["FAST"]
        """
    )
    assert made.undecided == []


def test_settings_in_parts_are_put_together(adopt):
    made = adopt(
        {
            "manage.py": entry("shop.settings", "manage"),
            "shop/settings/__init__.py": "from split_settings.tools import include, optional\n"
            'include("parts/*.py", "dist.py", optional("gone.py"))\n',
            "shop/settings/parts/key.py": 'import os\nSECRET_KEY = os.environ["SHOP_KEY"]\n',
            "shop/settings/dist.py": "INSTALLED_APPS = []\n"
            f'DATABASES = {{"default": {{"ENGINE": "{ENGINE}", "NAME": "shop"}}}}\n',
            "requirements.txt": "django\npsycopg2-binary\n",
        }
    )
    assert made.site.secrets == ("SHOP_KEY",)
    assert "NAME shop (shop/settings/dist.py:2)" in made.why("database")
    assert made.undecided == []
