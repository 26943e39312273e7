"""Where things are: each usual layout of a site is understood."""

from __future__ import annotations

import pytest

from tandem.ops.adopt.findings import AdoptError
from tandem.ops.adopt.inspection import inspect
from tandem.ops.adopt.model import MADE
from tests.unit.ops.adopt.conftest import SETTINGS, entry


def test_startproject(adopt):
    made = adopt(
        {
            "manage.py": entry("shop.settings", "manage"),
            "shop/__init__.py": "",
            "shop/settings.py": SETTINGS
            + 'SECRET_KEY = "django-insecure-abc"\nWSGI_APPLICATION = "shop.wsgi.application"\n'
            + "from pathlib import Path\nBASE_DIR = Path(__file__).resolve().parent.parent\n"
            + 'DATABASES["default"]["NAME"] = BASE_DIR / "db.sqlite3"\n',
            "shop/wsgi.py": entry("shop.settings"),
            "shop/asgi.py": entry("shop.settings", "asgi"),
            "requirements.txt": "Django>=5.2\n",
        }
    )
    site = made.site
    assert (site.name, site.root, site.settings) == ("shop", ".", "shop.settings")
    assert (site.wsgi, site.asgi) == ("shop.wsgi:application", "shop.asgi:application")
    assert (site.database, site.redis, site.websocket_paths) == ("sqlite", False, ())
    assert site.secrets == ("SECRET_KEY",)
    assert made.undecided == []
    assert "shop.settings is named in shop/wsgi.py:2" in made.why("settings")
    assert "shop/settings.py:6" in made.why("wsgi")


def test_without_asgi_py_an_application_is_made(project):
    made = project()
    assert made.site.asgi == MADE
    assert made.site.websocket_paths == ()
    assert "HTTP only" in made.why("asgi")


def test_manage_py_in_a_folder_below(adopt):
    made = adopt(
        {
            "backend/manage.py": entry("shop.settings", "manage"),
            "backend/shop/__init__.py": "",
            "backend/shop/settings.py": SETTINGS,
            "backend/shop/wsgi.py": entry("shop.settings"),
            "backend/requirements.txt": "django\n",
            "frontend/package.json": "{}",
        }
    )
    assert (made.site.source, made.site.root) == (".", "backend")
    assert made.site.python_path == ("backend",)
    assert made.site.requirements == ("backend/requirements.txt",)


def test_src_layout(adopt):
    made = adopt(
        {
            "manage.py": entry("shop.settings", "manage"),
            "src/shop/__init__.py": "",
            "src/shop/settings.py": SETTINGS,
            "src/shop/wsgi.py": entry("shop.settings"),
            "pyproject.toml": '[project]\nname = "the-shop"\ndependencies = ["django"]\n'
            'requires-python = ">=3.12"\n',
        }
    )
    assert made.site.name == "the-shop"
    assert made.site.python_path == (".", "src")
    assert made.site.settings == "shop.settings"
    assert made.site.wsgi == "shop.wsgi:application"
    assert made.site.python == "3.13"
    assert made.site.requirements == ("pyproject.toml",)


def test_wagtail_start_prefers_production_and_says_so(adopt):
    made = adopt(
        {
            "manage.py": entry("shop.settings.dev", "manage"),
            "shop/__init__.py": "",
            "shop/settings/__init__.py": "",
            "shop/settings/base.py": 'INSTALLED_APPS = ["wagtail"]\n'
            'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}\n',
            "shop/settings/dev.py": 'from .base import *\nDEBUG = True\nSECRET_KEY = "dev"\n',
            "shop/settings/production.py": "from .base import *\nDEBUG = False\n"
            "try:\n    from .local import *\nexcept ImportError:\n    pass\n",
            "shop/wsgi.py": entry("shop.settings.dev"),
            "requirements.txt": "Django>=5.2,<5.3\nwagtail>=8\n",
            "Dockerfile": "# a comment\nFROM python:3.13-slim-bookworm AS builder\n",
        }
    )
    assert made.site.settings == "shop.settings.production"
    assert "shop/settings/production.py beside it is the one for servers" in made.why("settings")
    assert made.site.python == "3.13"
    assert "Dockerfile:2" in made.why("python")
    assert "perhaps shop.settings.local would (shop/settings/production.py:4)" in made.why(
        "secrets"
    )


def test_cookiecutter_django(adopt):
    made = adopt(
        {
            "manage.py": entry("config.settings.local", "manage")
            + "from pathlib import Path\nimport sys\n"
            + 'sys.path.append(str(Path(__file__).parent / "shop"))\n',
            "config/__init__.py": "from .celery_app import app as celery_app\n",
            "config/celery_app.py": 'from celery import Celery\napp = Celery("shop")\n',
            "config/settings/__init__.py": "",
            "config/settings/base.py": """\
                import environ
                env = environ.Env()
                DEBUG = env.bool("DJANGO_DEBUG", False)
                DATABASES = {"default": env.db("DATABASE_URL", default="postgres:///shop")}
                INSTALLED_APPS = ["django.contrib.auth", "django.contrib.staticfiles"]
                INSTALLED_APPS += ["django_celery_beat"]
                REDIS_URL = env("REDIS_URL", default="redis://redis:6379/0")
                CELERY_BROKER_URL = REDIS_URL
                """,
            "config/settings/local.py": 'from .base import *\nSECRET_KEY = env("X", default="l")\n',
            "config/settings/production.py": """\
                from .base import *
                from .base import env
                SECRET_KEY = env("DJANGO_SECRET_KEY")
                ALLOWED_HOSTS = env.list("DJANGO_ALLOWED_HOSTS", default=["example.com"])
                ADMIN_URL = env("DJANGO_ADMIN_URL")
                CACHES = {"default": {"BACKEND": "x", "LOCATION": REDIS_URL}}
                ANYMAIL = {"MAILGUN_API_KEY": env("MAILGUN_API_KEY")}
                """,
            "config/wsgi.py": entry("config.settings.production"),
            "shop/__init__.py": "",
            "requirements/base.txt": "django\ncelery\nredis\n",
            "requirements/production.txt": "-r base.txt\npsycopg[c]==3.2\n",
            "requirements/local.txt": "-r production.txt\npytest\n",
        }
    )
    site = made.site
    assert site.settings == "config.settings.production"
    assert site.python_path == (".", "shop")
    assert site.requirements == ("requirements/production.txt",)
    assert site.secrets == ("DJANGO_SECRET_KEY",)
    assert site.environment["DATABASE_URL"] == "postgres://tandem@/tandem?host=/run/postgresql"
    assert site.database == "postgresql"
    assert site.packages == ()
    assert site.system_packages == ("libpq5",)
    assert "libpq-dev" in site.build_packages
    assert site.processes == {
        "worker": "celery -A config.celery_app worker --loglevel info",
        "beat": "celery -A config.celery_app beat --loglevel info --schedule /tmp/beat"
        " --scheduler django",
    }
    assert any("DJANGO_ADMIN_URL: read without a default" in one for one in made.undecided)
    assert any("MAILGUN_API_KEY: a secret that ANYMAIL needs" in one for one in made.undecided)
    assert "# decide: a secret that ANYMAIL needs (config/settings/production.py:7)" in made.text
    assert "  # - MAILGUN_API_KEY" in made.text


def test_several_projects_are_refused_by_name(write):
    folder = write(
        {
            "one/manage.py": entry("one.settings", "manage"),
            "two/manage.py": entry("two.settings", "manage"),
        }
    )
    with pytest.raises(AdoptError, match=r"several Django projects \(one, two\); name the folder"):
        inspect(folder)


def test_an_example_beside_the_site_is_not_the_site(adopt):
    made = adopt(
        {
            "backend/manage.py": entry("shop.settings", "manage"),
            "backend/shop/settings.py": SETTINGS,
            "example/manage.py": entry("example.settings", "manage"),
        }
    )
    assert made.site.root == "backend"


def test_a_folder_without_django_is_refused(write):
    with pytest.raises(AdoptError, match=r"is no Django site: it has no manage\.py"):
        inspect(write({"main.py": "print()\n"}))


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(AdoptError, match="gone is no folder"):
        inspect(tmp_path / "gone")


def test_settings_that_are_given_win_and_must_be_there(adopt, write):
    files = {
        "manage.py": entry("shop.settings", "manage"),
        "shop/settings.py": SETTINGS,
        "shop/special.py": SETTINGS,
    }
    assert adopt(files, "shop.special").site.settings == "shop.special"
    with pytest.raises(AdoptError, match=r"no settings module shop\.gone"):
        inspect(write(files), "shop.gone")


def test_no_code_of_the_site_is_run(adopt, tmp_path):
    mark = tmp_path / "ran"
    run = f'open({str(mark)!r}, "w").write("x")\n'
    made = adopt(
        {
            "manage.py": run + entry("shop.settings", "manage"),
            "shop/__init__.py": run,
            "shop/settings.py": run + SETTINGS + "import no_such_library\n",
            "shop/wsgi.py": run + entry("shop.settings"),
            "setup.py": run + 'setup(install_requires=["django"])\n',
        }
    )
    assert made.site.packages == ("django",)
    assert not mark.exists()


NAMED = {
    "Dockerfile": "FROM python:3.13\nENV DJANGO_SETTINGS_MODULE=shop.settings.special\n",
    "uwsgi.ini": "[uwsgi]\nenv = DJANGO_SETTINGS_MODULE=shop.settings.special\n",
    ".platform/deploy.yaml": "env:\n  - key: DJANGO_SETTINGS_MODULE\n    scope: RUN\n"
    '    value: "shop.settings.special"\n',
}


@pytest.mark.parametrize("name", NAMED)
def test_settings_are_looked_for_where_servers_are_described(adopt, name: str):
    made = adopt(
        {
            "manage.py": "from django.core.management import execute_from_command_line\n",
            "shop/__init__.py": "",
            "shop/wsgi.py": "application = get_wsgi_application()\n",
            "shop/settings/__init__.py": "",
            "shop/settings/base.py": SETTINGS,
            "shop/settings/dev.py": SETTINGS,
            "shop/settings/special.py": SETTINGS,
            "a.sh": "DJANGO_SETTINGS_MODULE=shop.settings.dev python manage.py runserver\n",
            name: NAMED[name],
        }
    )
    assert made.site.settings == "shop.settings.special"
    assert f"is named in {name}:2" in made.why("settings")


def test_settings_that_others_are_built_on_are_better_than_none(adopt):
    made = adopt(
        {
            "manage.py": "from django.core.management import execute_from_command_line\n",
            "shop/settings/base.py": SETTINGS,
            "shop/settings/dev.py": SETTINGS,
        }
    )
    assert made.site.settings == "shop.settings.base"


def test_a_package_that_prefers_the_settings_of_developers_is_not_asked(adopt):
    made = adopt(
        {
            "manage.py": entry("shop.settings", "manage"),
            "shop/settings/__init__.py": "try:\n    from .dev import *\n"
            "except ImportError:\n    from .prod import *\n",
            "shop/settings/dev.py": SETTINGS,
            "shop/settings/prod.py": SETTINGS,
        }
    )
    assert made.site.settings == "shop.settings.prod"


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("from .local import *\n", True),
        ('import_module("shop.local")\n', True),
        ("try:\n    # here\n    from .local import *\nexcept ImportError:\n    pass\n", False),
        ('if os.path.exists("local.py"):\n    from .local import *\n', False),
        ("# local\n", False),
    ],
)
def test_a_module_of_which_there_is_only_an_example_is_asked_for(project, line: str, asked: bool):
    made = project(f"import os\n{line}", shop__local_example="KEY = 1\n")
    sentence = "settings: local.py is missing; shop/local_example.py shows what is in it"
    assert (sentence in made.undecided) is asked


def test_the_entry_point_of_another_project_is_not_the_sites(project):
    made = project(worker__asgi=entry("worker.settings", "asgi"))
    assert made.site.asgi == MADE
