"""A site's own files, which were not written for Tandem's settings, meet them."""

from __future__ import annotations

from tests.unit.adopted.conftest import SETTINGS, WSGI, Shop

NAME = "settings.DATABASES['default']['NAME']"
OWN = {"SITE_WSGI": "shop.wsgi:application"}
MANAGE = """\
    import os, sys
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
    """


def test_a_wsgi_file_that_assigns_its_settings_gets_ours(shop: Shop):
    assign = 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"\n'
    shop.write("shop/wsgi.py", assign + WSGI)
    assert shop.asked(NAME, **OWN) == str(shop.folder / "data/db.sqlite3")
    assert shop.asked("os.environ['DJANGO_SETTINGS_MODULE']", **OWN) == "tandem.adopted.settings"


def test_a_manage_file_that_assigns_its_settings_gets_ours(shop: Shop):
    shop.write("manage.py", MANAGE)
    code = f"from django.conf import settings; print({NAME})"
    told = shop.python("-m", "tandem.adopted.run", "manage.py", "shell", "-v0", "-c", code)
    assert told == str(shop.folder / "data/db.sqlite3")


def test_a_wsgi_file_prepares_what_the_settings_read(shop: Shop):
    shop.write("shop/wsgi.py", 'import os\nos.environ["GREETING"] = "hello"\n' + WSGI)
    shop.write("shop/settings.py", SETTINGS + 'import os\nGREETING = os.environ["GREETING"]\n')
    assert shop.asked("settings.GREETING", **OWN) == "hello"


def test_what_it_prepares_is_there_for_an_asgi_application_that_is_made(shop: Shop):
    shop.write("shop/wsgi.py", 'import os\nos.environ["GREETING"] = "hello"\n' + WSGI)
    shop.write("shop/settings.py", SETTINGS + 'import os\nGREETING = os.environ["GREETING"]\n')
    code = "import tandem.adopted.asgi; from django.conf import settings; print(settings.GREETING)"
    assert shop.python("-c", code, **OWN) == "hello"


def test_a_file_that_uses_models_before_django_is_set_up_is_served_nonetheless(shop: Shop):
    """Under ``runserver`` it always was."""
    users = "from django.contrib.auth import get_user_model\nget_user_model()\n"
    apps = 'INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes"]\n'
    shop.write("shop/settings.py", SETTINGS + apps)
    shop.write("shop/wsgi.py", users + WSGI)
    assert shop.asked("application is not None", **OWN) == "True"


def test_an_error_in_the_sites_file_is_told_as_it_is(shop: Shop):
    shop.write("shop/wsgi.py", "import os\nos.no_such_thing\n")
    code = (
        "try:\n import tandem.adopted.wsgi\n"
        "except Exception as error:\n print(type(error).__name__, error)"
    )
    assert "no_such_thing" in shop.python("-c", code, **OWN)
    shop.write("shop/wsgi.py", WSGI.replace("application =", "app ="))
    assert "has no 'application'; correct wsgi" in shop.python("-c", code, **OWN)


def test_code_that_imports_the_sites_settings_sees_what_was_laid_over(shop: Shop):
    shop.write("shop/settings.py", SETTINGS + "DEBUG = True\n")
    assert shop.asked("__import__('shop.settings').settings.DEBUG") == "False"


def test_settings_may_import_what_asks_for_a_setting(shop: Shop):
    shop.write("shop/tools.py", "from django.conf import settings\nGREETING = settings.GREETING\n")
    shop.write(
        "shop/settings.py",
        SETTINGS + 'GREETING = "hello"\nfrom shop.tools import GREETING as AGAIN\n',
    )
    assert shop.asked("settings.AGAIN") == "hello"


def test_a_site_under_a_prefix_is_asked_for_the_same_path_on_both_sides(shop: Shop):
    shop.write(
        "shop/urls.py",
        """\
        from django.http import HttpResponse
        from django.urls import path

        def tell(request):
            return HttpResponse(f"{request.path} {request.path_info}")

        urlpatterns = [path("", tell), path("basket/", tell)]
        """,
    )
    shop.write("shop/settings.py", SETTINGS + 'FORCE_SCRIPT_NAME = "/shop"\nSECRET_KEY = "x"\n')
    code = """
import asyncio, sys
from asgiref.testing import ApplicationCommunicator
from tandem.adopted.asgi import application as asgi
from tandem.adopted.wsgi import application as wsgi

async def ask(path):
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [
        (b"host", b"example.org")]}
    asked = ApplicationCommunicator(asgi, scope)
    await asked.send_input({"type": "http.request", "body": b""})
    await asked.receive_output()
    return (await asked.receive_output())["body"]

for path in ("/shop/basket/", "/shop/"):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "example.org",
        "SERVER_PORT": "443", "wsgi.input": sys.stdin.buffer, "wsgi.url_scheme": "https"}
    by_wsgi = b"".join(wsgi(environ, lambda *_: None)).decode()
    assert by_wsgi == asyncio.run(ask(path)).decode()
    print(by_wsgi)
"""
    told = shop.python("-c", code).splitlines()
    assert told == ["/shop/basket/ /basket/", "/shop/ /"]


def test_a_site_without_a_database_is_ready(shop: Shop):
    shop.write("shop/settings.py", 'INSTALLED_APPS = []\nROOT_URLCONF = "shop.urls"\n')
    code = "import tandem.adopted.wsgi; from tandem.health.checks import ready; print(ready())"
    assert shop.python("-c", code, SITE_DATABASE="own").startswith("(200, ")


def test_settings_that_fail_halfway_are_not_in_force(shop: Shop):
    """Django keeps what somebody asked for meanwhile: the site's own, with nothing over them."""
    shop.write("shop/tools.py", "from django.conf import settings\nsettings.DEBUG\n")
    broken = "import shop.tools\nraise LookupError\n"
    shop.write("shop/settings.py", "DEBUG = True\n" + SETTINGS + broken)
    code = (
        "from django.conf import settings\n"
        "try:\n import tandem.adopted.wsgi\n"
        "except LookupError:\n print(settings.configured)"
    )
    assert shop.python("-c", code) == "False"


def test_settings_of_the_sites_own_making_are_laid_over_too(shop: Shop):
    """As Dynaconf, which is then django.conf for all that is imported later."""
    replaced = """
import sys, types
from django import conf
class Own(types.SimpleNamespace):
    def __getattr__(self, name):
        return getattr(conf.global_settings, name)
own = Own(**{name: value for name, value in globals().items() if name.isupper()})
class Replaced:
    settings = own
    def __getattr__(self, name):
        return getattr(conf, name)
sys.modules["django.conf"] = Replaced()
"""
    shop.write("shop/settings.py", f"{SETTINGS}DEBUG = True\nGREETING = 'own'\n{replaced}")
    assert shop.asked(f"{NAME}, settings.DEBUG, settings.GREETING") == (
        f"{shop.folder}/data/db.sqlite3 False own"
    )


CONFIGURATIONS = '''\
    """As much of django-configurations as meets Tandem: settings made of a class on import."""
    import importlib.util, os, sys
    from importlib.machinery import ModuleSpec, PathFinder

    class Importer:
        def find_spec(self, name, path=None, target=None):
            if name == os.environ["DJANGO_SETTINGS_MODULE"]:
                self.spec = PathFinder.find_spec(name, path)
                return ModuleSpec(name, self)
        def load_module(self, name):
            module = sys.modules[name] = importlib.util.module_from_spec(self.spec)
            spec = self.spec
            spec.loader.exec_module(module)
            made = getattr(module, os.environ["DJANGO_CONFIGURATION"])
            made.pre_setup(), made.setup(), made.post_setup()
            vars(module).update({k: getattr(made(), k) for k in dir(made) if k.isupper()})
            return module

    def install():
        if not any(isinstance(one, Importer) for one in sys.meta_path):
            sys.meta_path.insert(0, Importer())
    '''


def test_settings_that_are_a_class_of_django_configurations(shop: Shop):
    shop.write("configurations/__init__.py", "")
    shop.write("configurations/importer.py", CONFIGURATIONS)
    body = "".join(f"    {line}\n" for line in SETTINGS.splitlines())
    setup = "    @classmethod\n    def setup(cls): pass\n    pre_setup = post_setup = setup\n"
    shop.write("shop/settings.py", "class Live:\n" + body + setup)
    data = str(shop.folder / "data/db.sqlite3")
    assert shop.asked(NAME, DJANGO_CONFIGURATION="Live") == data
    # wsgi.py names the class, and calls the importer before Django reads anything.
    own = 'import os\nos.environ.setdefault("DJANGO_CONFIGURATION", "Live")\n'
    install = "from configurations import importer\nimporter.install()\n"
    shop.write("shop/wsgi.py", own + install + WSGI)
    assert shop.asked(NAME, **OWN) == data
    # A process of the site's own, which no code of Tandem begins.
    worker = f"{own}{install}from django.conf import settings\nprint({NAME})"
    assert shop.python("-c", worker) == data
