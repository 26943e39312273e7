"""What a site lacks is asked, proposed, and asked again; what it does decides."""

from __future__ import annotations

from tandem.ops.adopt.conversation import MOST_ROUNDS

POSTGRES = '{"ENGINE": "django.db.backends.postgresql"}'
SQLITE = '{"ENGINE": "django.db.backends.sqlite3"}'


def test_a_site_without_questions_is_asked_once(talk):
    found = talk('SECRET_KEY = os.environ.get("SECRET_KEY", "x")\nHUE = os.getenv("HUE", "red")\n')
    assert found.rounds == 1
    assert found.undecided == []
    assert "`tandem adopt`, which asked the running code" in found.text
    assert "# also read, with a default: HUE" in found.text
    assert found.site.database == "own"
    assert found.site.setup == ()
    assert found.site.secrets == ("SECRET_KEY",)


def test_a_variable_without_a_value_gets_a_stand_in_that_its_owner_must_decide(talk):
    # The names are made of others: nothing of the files could tell them.
    found = talk("A, B = (os.environ['SHOP_' + word] for word in ('GREETING', 'API_URL'))\n")
    assert found.answer.loads
    assert found.site.environment["SHOP_API_URL"] == "https://localhost"
    assert found.site.environment["SHOP_GREETING"] == "stand-in"
    assert "decide: a stand-in, so that the site loads; give its value (read at" in found.text
    assert any(one.startswith("environment: SHOP_GREETING: a stand-in") for one in found.undecided)
    assert found.said[0].startswith("the site does not load yet: KeyError: 'SHOP_GREETING'")


def test_a_stand_in_that_will_not_do_is_followed_by_the_next(talk):
    found = talk("import json\nA = int(os.environ['ORDERS'])\nB = json.loads(os.environ['HUES'])\n")
    assert found.answer.loads
    assert found.site.environment["ORDERS"] == "1"
    assert found.site.environment["HUES"] == "1"


def test_a_key_that_anything_will_do_for_is_a_secret(talk):
    found = talk("SECRET_KEY = os.environ['_'.join(('SHOP', 'SECRET', 'KEY'))]\n")
    assert found.answer.loads
    assert found.site.secrets == ("SHOP_SECRET_KEY",)


def test_a_key_by_another_name_is_not_said_to_be_in_the_code(talk):
    found = talk("SECRET_KEY = os.environ['SHOP_SECRET']\n")
    assert found.site.secrets == ("SHOP_SECRET",)
    assert found.undecided == []


def test_somebody_elses_key_is_a_stand_in_and_said_to_be_a_secret(talk):
    found = talk("A = os.environ['STRIPE' + '_API_KEY']\n")
    assert found.site.environment["STRIPE_API_KEY"] == "stand-in"
    assert any("a secret of somebody else's" in one for one in found.undecided)


def test_what_no_value_cures_is_left_to_a_person(talk):
    found = talk("if os.environ['HUE'] != 'red': raise ValueError(f'HUE is not red')\n")
    assert not found.answer.loads
    assert found.rounds <= MOST_ROUNDS
    sentence = "the site does not load: ValueError: HUE is not red (shop/settings.py:4)"
    assert f"settings: {sentence}" in found.undecided


def test_the_rounds_are_bounded(talk):
    found = talk("A = [os.environ[f'VALUE_{i}'] for i in range(100)]\n")
    assert not found.answer.loads
    assert found.rounds == MOST_ROUNDS


def test_a_module_that_nothing_brings_is_named(talk):
    found = talk("import shop_theme_of_ours\n")
    assert any("imports shop_theme_of_ours, and nothing brings that" in o for o in found.undecided)


def test_a_file_of_the_site_that_is_missing_is_said_to_be(talk):
    found = talk("from .local_settings import *\n")
    assert any("imports shop.local_settings (shop/settings.py:4)" in o for o in found.undecided)


def test_a_module_of_a_known_package_is_proposed(talk):
    found = talk("import debug_toolbar\n")
    assert found.site.packages == ("django-debug-toolbar",)
    assert found.rounds == 2, "it is not there in the second round either"


def test_the_database_is_what_the_variables_lead_to(talk):
    found = talk(f"""\
def chosen():
    yield "default", {POSTGRES} if "SHOP_DB_" + "HOST" in os.environ else {SQLITE}
DATABASES = dict(chosen())
""")
    assert found.site.database == "postgresql"
    assert found.site.environment == {"SHOP_DB_HOST": "/run/postgresql"}


def test_a_variable_that_leads_nowhere_is_taken_back(talk):
    found = talk(f"DATABASES = {{'default': {SQLITE}}}\nA = os.environ.get('OLD_' + 'DB_HOST')\n")
    assert found.site.database == "sqlite"
    assert "OLD_DB_HOST" not in found.site.environment


def test_debug_is_turned_off_by_what_does_it(talk):
    found = talk("DEBUG = {'1': True, 'False': False}[os.environ.get('SHOP_' + 'DEBUG', '1')]\n")
    assert found.site.environment["SHOP_DEBUG"] == "False"
    assert not found.answer.debug()


def test_the_running_code_wins_over_the_files(talk):
    """The files would think of PostgreSQL, of a variable to give, and of an unknown address."""
    found = talk(
        "from shop import own\n",
        shop__own="import sys\nsettings = sys.modules['shop.settings']\n"
        f"setattr(settings, 'DATABASES', {{'default': {SQLITE}}})\n"
        "setattr(settings, 'INSTALLED_APPS', ['django.contrib.staticfiles'])\n",
    )
    assert found.site.database == "sqlite"
    assert found.site.static


def test_sockets_are_those_of_the_application_that_runs(talk):
    found = talk(
        "ASGI_APPLICATION = 'shop.asgi.application'\n",
        shop__asgi="""\
from channels.generic.websocket import WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path, re_path
http, consumer = get_asgi_application(), WebsocketConsumer.as_asgi()
inner = URLRouter([path("<int:n>/", consumer), re_path("^far/$", consumer)])
made = [("live/", inner), ("ws/chat/", consumer)]
def around(app):
    async def wrapped(scope, receive, send):
        return await app(scope, receive, send)
    return wrapped
routes = [path(*one) for one in made]
application = ProtocolTypeRouter({"http": http, "websocket": around(URLRouter(routes))})
""",
    )
    assert found.answer.failures == []
    assert found.site.websocket_paths == ("/live/", "/ws/")
    assert found.site.asgi == "shop.asgi:application"


def test_a_path_made_for_it_tells_its_health(talk):
    found = talk(
        shop__urls="""\
from django.http import HttpResponse
from django.urls import include, path
pages = [path(name, lambda request: HttpResponse()) for name in ("", "healthz/", "<int:n>/ping/")]
urlpatterns = [path("api/", include(pages))]
"""
    )
    assert found.site.health == "/api/healthz/"


def test_a_part_that_asks_a_server_is_said_and_the_rest_is_known(talk):
    found = talk(shop__urls="import socket\nsocket.create_connection(('127.0.0.1', 9))\n")
    assert found.answer.loads
    assert any("the URLconf asks a server as it is loaded" in one for one in found.undecided)


def test_a_variable_that_fails_where_it_is_used_gets_a_stand_in(talk):
    found = talk("HUES = os.getenv('SHOP_' + 'HUES')\nA = 1\nHUES = HUES.split(',')\n")
    assert found.answer.loads
    assert found.site.environment == {"SHOP_HUES": "stand-in"}


def test_a_key_that_must_be_one_is_found(talk):
    found = talk("import base64\nKEY = os.environ['FIELD' + '_KEY']\nA = 1\n"
                 "assert len(base64.urlsafe_b64decode(KEY)) == 32\n")  # fmt: skip
    assert found.answer.loads


def test_settings_that_are_a_class_are_asked_for_that_of_servers(talk):
    """As django-configurations: its importer looks for the class that a variable names."""
    found = talk("""\
name = os.environ.get("DJANGO_CONFIGURATION")
if not name:
    raise ValueError("django-configurations settings importer wasn't correctly installed")
class Prod:
    HUE = "red"
globals()[name].HUE
""")
    assert found.answer.loads
    assert found.site.environment == {"DJANGO_CONFIGURATION": "Prod"}
