"""Which database a site gets, and how its settings come to it."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tandem.ops.adopt.database import ENGINE, PSYCOPG, URL
from tests.unit.ops.adopt.conftest import entry


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
    assert made.site.packages == (PSYCOPG,)


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


def test_settings_that_cannot_be_read_at_all_go_by_the_driver(adopt):
    files = {
        "manage.py": entry("shop.settings", "manage"),
        "shop/settings.py": "from elsewhere import load\nload(globals())\n",
        "requirements.txt": "django\npsycopg2-binary\n",
    }
    made = adopt(files)
    assert made.site.database == "postgresql"
    assert "psycopg2-binary is required" in made.why("database")
