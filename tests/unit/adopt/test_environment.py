"""What settings read from the environment, and what is given to them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tandem.adopt.database import ENGINE, URL
from tests.unit.adopt.conftest import entry

SOCKET = {"HOST": "/run/postgresql", "NAME": "tandem", "USER": "tandem", "PASSWORD": ""}
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
    "settings",
    [
        'import environ\nenv = environ.Env()\nDATABASES = {"default": env.db()}',
        "import environ\nenv = environ.Env()\n"
        'DATABASES = {"default": env.db("DATABASE_URL", default="sqlite:///db.sqlite3")}',
        'import dj_database_url\nDATABASES = {"default": dj_database_url.config(conn_max_age=9)}',
        "import os, dj_database_url\n"
        'DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}',
        "import dj_database_url\nfrom decouple import config\n"
        'DATABASES = {"default": config("DATABASE_URL", cast=dj_database_url.parse)}',
        "from environs import Env\nenv = Env()\n"
        'DATABASES = {"default": env.dj_db_url("DATABASE_URL")}',
        'import dj_database_url\nDATABASES["default"].update(dj_database_url.config())',
        'import os, dj_database_url\nDATABASES = {"default": {"ENGINE": "a.sqlite3"}}\n'
        'if "DATABASE_URL" in os.environ:\n    DATABASES["default"] = dj_database_url.config()',
    ],
)
def test_a_database_address_leads_to_tandems(project, settings: str):
    made = project(settings, "django\npsycopg\n")
    assert made.site.database == "postgresql"
    assert made.site.environment == {"DATABASE_URL": URL}


def test_a_database_chosen_by_a_variable_is_postgresql(project):
    made = project(
        """
        import os
        if os.environ.get("DB_HOST"):
            DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql",
                "HOST": os.environ["DB_HOST"], "NAME": os.environ.get("DB_NAME", "shop")}}
        else:
            DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}
        """
    )
    assert made.site.database == "postgresql"
    assert made.site.environment == {"DB_HOST": "/run/postgresql", "DB_NAME": "tandem"}
    # Its requirements have no driver, since SQLite needs none.
    assert made.site.packages == ("psycopg[binary]>=3.1.8",)


def test_a_site_without_a_database_gets_none(adopt):
    files = {"manage.py": entry("s", "manage"), "s.py": "INSTALLED_APPS = []\n"}
    assert adopt(files).site.database == "own"


def test_another_database_is_left_to_the_owner(project):
    made = project('DATABASES = {"default": {"ENGINE": "django.db.backends.mysql", "NAME": "x"}}')
    assert made.site.database == "own"
    assert any("must be there already" in one for one in made.undecided)


def test_a_fixed_address_of_postgresql_is_named(project):
    made = project(
        'DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql",'
        ' "HOST": "db", "NAME": "shop", "USER": "u"}}'
    )
    assert made.site.database == "postgresql"
    assert "Tandem's replaces HOST db, NAME shop (shop/settings.py:5)" in made.why("database")


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


def test_celery_and_caches_reach_redis_in_their_own_words(project):
    made = project(
        """
        import os, environ
        env = environ.Env()
        CELERY_BROKER_URL = os.environ["CELERY_BROKER_URL"]
        CACHES = {"default": env.cache("CACHE_URL")}
        """,
        "django\nredis\n",
    )
    assert made.site.redis
    assert made.site.environment == {
        "CELERY_BROKER_URL": "redis+socket:///run/redis-tandem/redis-server.sock",
        "CACHE_URL": "redis:///run/redis-tandem/redis-server.sock",
    }


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


def test_a_broker_that_has_no_default_is_redis_and_another_kind_stays(project):
    line = 'import os\nCELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL"{})'
    assert "CELERY_BROKER_URL" in project(line.format("")).site.environment
    assert project(line.format(', "amqp://mq"')).site.environment == {}


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


CHOICES = {
    "if": """
        if os.getenv("DB", "sqlite").lower() == "postgres":
            kind = "django.db.backends.postgresql"
        else:
            kind = "django.db.backends.sqlite3"
        """,
    "a dict": """
        kind = {
            "sqlite": "django.db.backends.sqlite3", "postgres": "django.db.backends.postgresql",
        }[os.getenv("DB", "sqlite")]
        """,
    "match": """
        match os.getenv("DB", "sqlite"):
            case "mysql":
                kind = "django.db.backends.mysql"
            case "postgres" | "pg":
                kind = "django.db.backends.postgresql"
            case _:
                kind = "django.db.backends.sqlite3"
        """,
    "where another is there": """
        kind = "django.db.backends.sqlite3"
        if os.getenv("DB_HOST"):
            if os.environ.get("DB") == "postgres":
                kind = "django.db.backends.postgresql"
        """,
    "a list of choices": """
        def one_of(name, words):
            if name not in os.environ:
                return "sqlite"
            if os.environ[name] not in words:
                raise ValueError(name)
            return os.environ[name]
        kind = "django.db.backends.sqlite3"
        if one_of("DB", ["sqlite", "postgres"]) == "postgres":
            kind = "django.db.backends.postgresql"
        """,
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=list(CHOICES))
def test_the_word_that_chooses_postgresql_is_found(project, choice: str):
    databases = """
DATABASES = {"default": {"ENGINE": kind, "NAME": os.getenv("DB_NAME", "shop")}}
"""
    made = project("import os\n" + dedent(choice) + databases, "django\npsycopg[binary]\n")
    assert made.site.database == "postgresql"
    assert made.site.environment["DB"] == "postgres"
    assert made.site.environment["DB_NAME"] == "tandem"
    assert "chooses PostgreSQL (shop/settings.py:" in made.why("environment")
    assert made.undecided == []


def test_a_word_that_chooses_something_else_is_left_alone(project):
    made = project('import os\nFAST = os.getenv("SEARCH", "") == "postgres"')
    assert made.site.database == "sqlite"
    assert made.site.environment == {}


def test_a_database_that_cannot_be_read_goes_by_the_names_and_the_driver(project):
    settings = """
        import os
        from somewhere import parsed
        where = parsed({"type": os.getenv("SHOP_DB_TYPE"), "host": os.getenv("SHOP_DB_HOST")})
        DATABASES = {"default": {"ENGINE": "django.db.backends." + where["type"]}}
        """
    made = project(settings, "django\npsycopg2-binary\n")
    assert made.site.environment == {
        "SHOP_DB_TYPE": "postgresql",
        "SHOP_DB_HOST": "/run/postgresql",
    }
    assert "psycopg2-binary is required (requirements.txt:2)" in made.why("database")
    assert made.undecided == []
    made = project(settings)
    assert any("if not PostgreSQL, own" in one for one in made.undecided)


def test_encryption_that_must_be_said_is_off_on_a_socket(project):
    made = project(
        f"""
        import os
        DATABASES = {{"default": {{"ENGINE": "{ENGINE}", "OPTIONS": {{
            "sslmode": os.environ["DB_SSLMODE"], "sslcert": os.getenv("DB_SSLCERT")}}}}}}
        """,
        "django\npsycopg[binary]\n",
    )
    assert made.site.environment == {"DB_SSLMODE": "disable"}
    assert made.undecided == []


REDIS = "unix:///run/redis-tandem/redis-server.sock"


def test_a_site_that_does_without_redis_is_not_given_it(project):
    settings = """
        import os, environ
        env = environ.Env()
        CACHES = {"default": env.cache(default="locmemcache://")}
        THUMBNAIL_REDIS_URL = env("THUMBNAIL_REDIS_URL", default=None)
        """
    made = project(settings)
    assert made.site.environment == {}
    assert not made.site.redis
    assert project(settings, "django\nredis\n").site.environment == {
        "CACHE_URL": "redis:///run/redis-tandem/redis-server.sock",
        "THUMBNAIL_REDIS_URL": REDIS,
    }


def test_redis_that_a_variable_must_lead_to_is_there(project):
    made = project('import os\nQUEUE = os.environ["QUEUE_REDIS_URL"]')
    assert made.site.environment == {"QUEUE_REDIS_URL": REDIS}
    assert made.site.redis


def test_what_a_function_makes_of_the_address_of_redis_is_followed(project):
    made = project(
        """
        import os
        def both(address):
            if address is None:
                return ("redis://localhost:6379", "redis://localhost:6379")
            if "unix" in address.lower():
                _, path = address.split(":", maxsplit=1)
                return (f"redis+socket:{path}", address)
            return (address, address)
        CELERY_BROKER_URL, LAYERS = both(os.getenv("SHOP_REDIS"))
        USE_REDIS = os.getenv("USE_REDIS")
        """,
        "django\nredis\n",
    )
    assert made.site.environment == {"SHOP_REDIS": REDIS}
    assert made.undecided == []


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


def test_a_number_behind_the_address_of_a_socket_is_not_ignored(project):
    settings = """
        import os
        REDIS_URL = os.environ{}
        if REDIS_URL:
            CACHES = {{"default": {{"BACKEND": "x", "LOCATION": REDIS_URL + "/0"}}}}
        """
    made = project(settings.format('.get("REDIS_URL")'), "django\nredis\n")
    assert not made.site.redis
    assert "the site can do without" in made.why("redis")
    assert made.undecided == []
    made = project(settings.format('["REDIS_URL"]'), "django\nredis\n")
    assert any("give REDIS_URL another address" in one for one in made.undecided)


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


def test_settings_that_cannot_be_read_at_all_go_by_the_driver(adopt):
    files = {
        "manage.py": entry("shop.settings", "manage"),
        "shop/settings.py": "from elsewhere import load\nload(globals())\n",
        "requirements.txt": "django\npsycopg2-binary\n",
    }
    made = adopt(files)
    assert made.site.database == "postgresql"
    assert "psycopg2-binary is required" in made.why("database")
