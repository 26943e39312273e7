"""Requirements, Debian packages, sockets, processes, static files, health."""

from __future__ import annotations

import json

import pytest

from tests.sites.walk import Code, steps
from tests.unit.ops.adopt.conftest import BASE, entry

POETRY = '[tool.poetry]\nname = "s"\n[tool.poetry.dependencies]\npython = "^3.11"\n'


@pytest.mark.parametrize(
    ("files", "requirements"),
    [
        ({"requirements.txt": "mysqlclient\n"}, ("requirements.txt",)),
        ({"requirements/prod.txt": "-r ../base.txt\n", "base.txt": "mysqlclient==2 # x\n"},
         ("requirements/prod.txt",)),
        ({"requirements.in": "x", "requirements.txt": "mysqlclient==2.2 \\\n    --hash=sha256:0\n"},
         ("requirements.txt",)),
        ({"pyproject.toml": '[project]\nname = "s"\ndependencies = ["MySQLclient>=2"]\n'},
         ("pyproject.toml",)),
        ({"pyproject.toml": POETRY + 'mysqlclient = "^2"\n'}, ("pyproject.toml",)),
        ({"pyproject.toml": POETRY, "poetry.lock": '[[package]]\nname = "mysqlclient"\n'},
         ("poetry.lock",)),
        ({"pyproject.toml": '[project]\nname = "s"\n', "requirements.txt": "old\n",
          "uv.lock": '[[package]]\nname = "mysqlclient"\n'}, ("uv.lock",)),
        ({"Pipfile.lock": json.dumps({"default": {"mysqlclient": {}}})}, ("Pipfile.lock",)),
        ({"setup.cfg": "[options]\ninstall_requires =\n    mysqlclient\n"}, ()),
        ({"setup.py": 'from setuptools import setup\nsetup(install_requires=["mysqlclient"])\n'},
         ()),
    ],
    ids=["pip", "pip-split", "pip-tools", "pep621", "poetry", "poetry-lock", "uv", "pipenv", "cfg",
         "setup"],
)  # fmt: skip
def test_requirements_are_read_in_every_form(adopt, files, requirements):
    site = adopt(BASE | files).site
    assert site.requirements == requirements
    assert site.system_packages == ("libmariadb3",)
    assert "libmariadb-dev" in site.build_packages
    if not requirements:
        assert site.packages == ("mysqlclient",)


def test_groups_of_a_project_that_names_no_dependencies_are_packages(adopt):
    groups = '[dependency-groups]\nmain = ["django==5.2", "psycopg"]\ndev = ["pytest"]\n'
    made = adopt(BASE | {"pyproject.toml": groups})
    assert made.site.requirements == ()
    assert made.site.packages == ("django==5.2", "psycopg")
    assert "the groups main of pyproject.toml" in made.why("packages")


def test_extras_that_are_left_out_are_named(adopt):
    project = '[project]\nname = "s"\ndependencies = ["django"]\n'
    extras = '[project.optional-dependencies]\nprod = ["sentry-sdk"]\ntest = ["pytest"]\n'
    made = adopt(BASE | {"pyproject.toml": project + extras})
    assert "without the extras prod, test" in made.why("requirements")


def test_without_requirements_the_owner_is_asked(adopt):
    made = adopt(BASE)
    assert made.site.requirements == ()
    assert any("no requirements were found" in one for one in made.undecided)


@pytest.mark.parametrize(
    ("requirement", "packages"),
    [
        ("psycopg2", ("libpq5",)),
        ("psycopg2-binary", ()),
        ("psycopg[binary]", ()),
        ("psycopg", ("libpq5",)),
        ("psycopg-c", ("libpq5",)),
        ("ocrmypdf", ("ghostscript", "tesseract-ocr")),
        ("Pillow", ()),
        ("lxml", ()),
        ("weasyprint", ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0")),
        ("python_magic", ("libmagic1",)),
    ],
)
def test_debian_packages_follow_from_the_requirements(project, requirement: str, packages):
    made = project(requirements=f"django\n{requirement}\n")
    assert made.site.system_packages == packages
    if packages:
        assert "requirements.txt:2" in made.why("system_packages")


def test_geodjango_needs_gdal(project):
    assert project('INSTALLED_APPS += ["django.contrib.gis"]').site.system_packages == ("gdal-bin",)


ROUTING = """\
from django.urls import path, re_path
websocket_urlpatterns = [{}]
"""
ASGI = """\
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.auth import AuthMiddlewareStack
from shop.routing import websocket_urlpatterns
application = ProtocolTypeRouter({
    "http": get_asgi_application(),
    "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)),
})
"""


@pytest.mark.parametrize(
    ("patterns", "prefixes"),
    [
        ('path("ws/chat/<room>/", c), path("ws/echo/", c)', ("/ws/",)),
        ('re_path(r"^ws/chat/(?P<room>\\w+)/$", c)', ("/ws/",)),
        ('path("chat/stream/", c)', ("/chat/stream/",)),
        (
            're_path(r"^api/v4/ws$", c), path("api/v4/live/<int:n>", c)',
            ("/api/v4/live/", "/api/v4/ws"),
        ),
        ('path("live/", URLRouter([path("a/", c), path("b/<x>/", c)]))', ("/live/a/", "/live/b/")),
        ('re_path(r"notify/?$", c)', ("/notify",)),
    ],
)
def test_sockets_are_found_wherever_they_are(project, patterns: str, prefixes):
    made = project(
        'ASGI_APPLICATION = "shop.asgi.application"',
        "django\nchannels\n",
        shop__asgi=ASGI,
        shop__routing=ROUTING.format(patterns).replace(
            "from django", "from channels.routing import URLRouter\nfrom django", 1
        ),
    )
    assert made.site.websocket_paths == prefixes
    assert made.site.asgi == "shop.asgi:application"
    assert made.site.redis


def test_routes_of_several_apps_are_put_together(project):
    made = project(
        "",
        "django\nchannels\n",
        shop__asgi=ASGI.replace(
            "from shop.routing import", "import chat.routing, shop.routing #"
        ).replace(
            "URLRouter(websocket_urlpatterns)",
            "URLRouter(chat.routing.websocket_urlpatterns + shop.routing.websocket_urlpatterns)",
        ),
        shop__routing=ROUTING.format('path("a/", c)'),
        chat____init__="",
        chat__routing=ROUTING.format('path("b/", c)'),
    )
    assert made.site.websocket_paths == ("/a/", "/b/")


def test_sockets_among_the_pages_are_found_as_the_walk_from_wsgi_to_asgi_has_them(project):
    """With the files of docs/migrate.md, one in an include, and none without what serves them."""
    asgi, urls = (step for step in steps() if isinstance(step, Code))
    more = 'include([path("b/", v), websocket("live/<slug:x>/", v)])'
    routes = f'from django.urls import include, path\nurlpatterns = [path("a/", {more})]\n'
    routes = f"from tandem.websocket import websocket\n{routes}"
    made = project(
        'ROOT_URLCONF = "shop.urls"', shop__asgi=asgi.text, shop__urls=routes + urls.text
    )
    assert made.site.websocket_paths == ("/a/live/", "/ws/")
    assert made.site.asgi == "shop.asgi:application"
    plain = asgi.text.replace("application = WebSocketMiddleware(application)", "")
    plain = plain.replace("from tandem.websocket import WebSocketMiddleware", "")
    made = project('ROOT_URLCONF = "shop.urls"', shop__asgi=plain, shop__urls=routes + urls.text)
    assert made.site.websocket_paths == ()


def test_a_socket_under_any_path_is_asked_about(project):
    made = project("", shop__asgi=ASGI, shop__routing=ROUTING.format('path("<room>/", c)'))
    assert made.site.websocket_paths == ()
    assert any("a socket may have any path (shop/routing.py:2)" in one for one in made.undecided)


def test_an_application_that_does_sockets_by_hand_is_asked_about(project):
    made = project(
        "",
        shop__asgi="async def application(scope, receive, send):\n"
        '    if scope["type"] == "websocket":\n        pass\n',
    )
    assert made.site.asgi == "shop.asgi:application"
    assert any("shop/asgi.py takes WebSockets, but under which" in one for one in made.undecided)


def test_static_files(project):
    made = project('STATIC_URL = "/assets/"\n')
    assert made.site.static
    assert "STATIC_URL /assets/ (shop/settings.py:5) becomes /static/" in made.why("static")
    assert not project('INSTALLED_APPS = ["shop"]').site.static


def test_whitenoise_may_stay(project):
    made = project('MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]')
    assert made.site.static
    assert "WhiteNoise may stay" in made.why("static")


@pytest.mark.parametrize(
    ("patterns", "health"),
    [
        ('path("healthz", v)', "/healthz"),
        ('path("api/", include([path("health/", v)]))', "/api/health/"),
        ('path("ht/", include("health_check.urls")), path("", v)', "/ht/"),
        ('path("about/", v)', "/"),
        ('path("wealth/", v)', "/"),
    ],
)
def test_a_path_made_for_health_is_preferred(project, patterns: str, health: str):
    made = project(
        'ROOT_URLCONF = "shop.urls"',
        shop__urls=f"from django.urls import include, path\nurlpatterns = [{patterns}]\n",
    )
    assert made.site.health == health


def test_a_cache_in_the_database_gets_its_table(project):
    cache = "django.core.cache.backends.db.DatabaseCache"
    made = project(f'CACHES = {{"default": {{"BACKEND": "{cache}", "LOCATION": "c"}}}}')
    assert made.site.setup == ("migrate --noinput", "createcachetable")


def test_what_the_compressor_needs_offline_is_made_when_a_release_is_built(project):
    settings = 'INSTALLED_APPS += ["compressor"]\nCOMPRESS_OFFLINE = {}'
    assert project(settings.format("True")).site.build == ("compress",)
    assert project(settings.format("False")).site.build == ()


def test_translations_are_compiled_where_they_are_not_in_the_repository(adopt):
    texts = {f"shop/locale/{code}/LC_MESSAGES/django.po": "" for code in ("de", "fr")}
    made = adopt(BASE | texts)
    assert made.site.build == ("compilemessages",)
    assert made.site.build_packages == ("gettext",)
    compiled = {"shop/locale/de/LC_MESSAGES/django.mo": ""}
    assert adopt(BASE | texts | compiled).site.build == ()


def test_a_site_without_a_database_is_not_migrated(adopt):
    settings = "INSTALLED_APPS = []\nALLOWED_HOSTS = []\n"
    made = adopt({"manage.py": entry("shop.settings", "manage"), "shop/settings.py": settings})
    assert made.site.database == "own"
    assert made.site.setup == ()


def test_an_address_of_redis_beside_the_site_is_no_question(project):
    made = project('CACHES = {"default": {"LOCATION": "redis://redis:6379/1"}}', "django\nredis\n")
    assert made.undecided == []
    assert made.site.redis


def test_a_fixed_address_of_another_redis_is_asked_about(project):
    made = project('CACHES = {"default": {"LOCATION": "redis://r.example.org/1"}}', "redis\n")
    assert any("CACHES fixes an address (shop/settings.py:5)" in one for one in made.undecided)


@pytest.mark.parametrize(
    "apps",
    [
        'INSTALLED_APPS = ("django.contrib.staticfiles", "django_rq")',
        'INSTALLED_APPS = INSTALLED_APPS + ["django_rq"]\n'
        "INSTALLED_APPS = list(reversed(list(dict.fromkeys(reversed(INSTALLED_APPS)))))",
    ],
)
def test_apps_are_read_in_any_kind_of_list(project, apps: str):
    made = project(apps)
    assert made.site.static
    assert "rq" in made.site.processes
    assert made.undecided == []
