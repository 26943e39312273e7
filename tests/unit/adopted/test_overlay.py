"""What is laid over the settings of an adopted site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from django.utils.functional import SimpleLazyObject, lazy

from tandem.adopted.collected import Finder
from tandem.adopted.overlay import overlay

SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}


@pytest.fixture
def over(tmp_path: Path):
    """Give a function that returns what replaces a site's settings."""
    (tmp_path / "secret_key").write_text("made here\n")

    def lay(site: dict[str, Any], **environment: str) -> dict[str, Any]:
        given = {"SERVER_NAMES": "example.org", "CREDENTIALS_DIRECTORY": str(tmp_path)}
        return overlay(site, given | environment)

    return lay


def test_debug_is_off_whatever_the_site_says(over):
    assert over({"DEBUG": True})["DEBUG"] is False


def test_errors_of_a_site_that_says_nothing_of_logs_are_logged(over):
    assert over({})["LOGGING"]["root"]["handlers"] == ["console"]
    assert "LOGGING" not in over({"LOGGING": {"version": 1}})


def test_a_log_file_that_cannot_be_written_is_the_log(over, tmp_path):
    def site(file: Path) -> dict[str, Any]:
        handler = {"class": "logging.FileHandler", "filename": file, "formatter": "long"}
        return {"LOGGING": {"version": 1, "handlers": {"file": handler, "mail": {"class": "x"}}}}

    found = over(site(tmp_path / "nowhere" / "site.log"))["LOGGING"]
    assert found["handlers"] == {
        "file": {"class": "logging.StreamHandler", "formatter": "long"},
        "mail": {"class": "x"},
    }
    assert "LOGGING" not in over(site(tmp_path / "site.log"))


@pytest.mark.parametrize("key", [None, "", "django-insecure-abc"])
def test_a_key_that_is_none_or_in_the_repository_is_replaced(over, key):
    assert over({"SECRET_KEY": key} if key is not None else {})["SECRET_KEY"] == "made here"


def test_a_key_of_the_sites_own_stays(over):
    assert "SECRET_KEY" not in over({"SECRET_KEY": "own"})


def test_only_the_sites_names_and_their_origins_are_trusted(over):
    found = over({"ALLOWED_HOSTS": ["*"], "CSRF_TRUSTED_ORIGINS": []}, HTTPS_PORT="8443")
    assert found["ALLOWED_HOSTS"] == ["example.org"]
    assert found["CSRF_TRUSTED_ORIGINS"] == ["https://example.org:8443"]
    assert found["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert not found["USE_X_FORWARDED_HOST"]  # nginx passes it as the client wrote it
    assert not found["USE_X_FORWARDED_PORT"]
    assert found["SESSION_COOKIE_SECURE"]
    assert found["CSRF_COOKIE_SECURE"]


def test_sqlite_becomes_postgresql_where_that_is_provided(over):
    found = over({"DATABASES": SQLITE, "INSTALLED_APPS": ["shop"]}, SITE_DATABASE="postgresql")
    assert found["DATABASES"]["default"]["ENGINE"] == "tandem.postgresql"
    assert found["DATABASES"]["default"]["HOST"] == "/run/postgresql"
    assert found["INSTALLED_APPS"] == ["shop", "django.contrib.postgres"]
    apps = ["django.contrib.postgres.apps.PostgresConfig"]
    assert "INSTALLED_APPS" not in over({"INSTALLED_APPS": apps}, SITE_DATABASE="postgresql")


def test_a_backend_that_speaks_postgresql_and_its_transactions_stay(over):
    site = {"ENGINE": "django.contrib.gis.db.backends.postgis", "ATOMIC_REQUESTS": True}
    default = over({"DATABASES": {"default": site}}, SITE_DATABASE="postgresql")["DATABASES"]
    assert default["default"]["ENGINE"] == "django.contrib.gis.db.backends.postgis"
    assert default["default"]["ATOMIC_REQUESTS"] is True


def test_a_database_of_the_sites_own_is_only_told_how_long_connections_live(over):
    own = {"default": {"ENGINE": "django.db.backends.mysql", "HOST": "db", "CONN_MAX_AGE": 300}}
    for upstream, age in {"wsgi@1": 60, "asgi@2": 0}.items():
        found = over({"DATABASES": own}, SITE_DATABASE="own", TANDEM_UPSTREAM=upstream)
        assert found["DATABASES"] == {"default": {**own["default"], "CONN_MAX_AGE": age}}
    assert own["default"]["CONN_MAX_AGE"] == 300


@pytest.mark.parametrize("kind", [str, Path])
def test_sqlite_is_kept_where_data_lasts(over, kind):
    own = {"default": {**SQLITE["default"], "NAME": kind("db.sqlite3")}}
    found = over({"DATABASES": own}, SITE_DATABASE="sqlite", DATA_ROOT="/data")
    assert found["DATABASES"]["default"]["NAME"] == kind("/data/db.sqlite3")


def test_what_is_laid_over_has_the_types_of_the_site(over):
    site = {
        "MEDIA_ROOT": Path("/own/media"),
        "STATIC_ROOT": "/own/static",
        "ALLOWED_HOSTS": ("*",),
        "INSTALLED_APPS": ("shop",),
        "DATABASES": SQLITE,
        "FILE_UPLOAD_HANDLERS": ("django.core.files.uploadhandler.TemporaryFileUploadHandler",),
    }
    found = over(site, SITE_DATABASE="postgresql", SITE_STATIC="on", STATIC_ROOT="/s",
                 MEDIA_ROOT="/m")  # fmt: skip
    assert {name: type(found[name]) for name in site} == {
        name: type(value) if name != "MEDIA_ROOT" else type(Path()) for name, value in site.items()
    }
    assert found["MEDIA_ROOT"] / "small" == Path("/m/small")


def test_queues_and_caches_lead_to_tandems_redis_where_the_site_uses_it(over):
    site = {"CELERY_BROKER_URL": "redis://localhost:6379/0"}
    found = over(site, SITE_REDIS="on")["CELERY_BROKER_URL"]
    assert found == "redis+socket:///run/redis-tandem/redis-server.sock"
    assert "CELERY_BROKER_URL" not in over(site)


def test_each_file_of_sqlite_is_kept_there(over):
    def one(name: str) -> dict[str, str]:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name}

    site = {"default": one("a"), "audit": one("b"), "again": one("a"), "fast": one(":memory:")}
    mysql = {"ENGINE": "django.db.backends.mysql", "NAME": "a"}
    site = {"DATABASES": {**site, "elsewhere": mysql}}
    found = over(site, SITE_DATABASE="sqlite", DATA_ROOT="/data")["DATABASES"]
    assert {alias: str(one["NAME"]) for alias, one in found.items()} == {
        "default": "/data/db.sqlite3",
        "audit": "/data/db-audit.sqlite3",
        "again": "/data/db.sqlite3",
        "fast": ":memory:",
        "elsewhere": "a",
    }


@pytest.mark.parametrize("upstream", ["wsgi@1", "asgi@1"])
def test_a_pool_is_not_told_to_keep_connections(over, upstream):
    own = {"default": {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": True}}}
    found = over({"DATABASES": own}, SITE_DATABASE="own", TANDEM_UPSTREAM=upstream)
    assert found["DATABASES"]["default"]["CONN_MAX_AGE"] == 0


@pytest.mark.parametrize(
    "site", [{"INSTALLED_APPS": ["channels"]}, {"CHANNEL_LAYERS": {"default": {"BACKEND": "x"}}}]
)
def test_groups_reach_every_worker(over, site):
    layer = over(site, SITE_REDIS="on")["CHANNEL_LAYERS"]["default"]
    assert layer["BACKEND"] == "tandem.channel_layer.PubSubChannelLayer"
    assert layer["CONFIG"]["hosts"] == ["unix:///run/redis-tandem/redis-server.sock"]


def test_each_layer_of_several_stays_one_of_its_own(over):
    site = {"CHANNEL_LAYERS": {"default": {"BACKEND": "x"}, "tasks": {"BACKEND": "x"}}}
    layers = over(site, SITE_REDIS="on")["CHANNEL_LAYERS"]
    assert set(layers) == {"default", "tasks"}
    assert layers["tasks"]["CONFIG"]["prefix"] == "tasks"


def test_a_site_without_channels_gets_no_layer(over):
    assert "CHANNEL_LAYERS" not in over({"INSTALLED_APPS": ["shop"]}, SITE_REDIS="on")


def test_files_are_where_nginx_serves_them(over):
    found = over({}, SITE_STATIC="on", STATIC_ROOT="/r/static", MEDIA_ROOT="/m")
    assert (found["STATIC_URL"], found["STATIC_ROOT"]) == ("/static/", "/r/static")
    assert (found["MEDIA_URL"], found["MEDIA_ROOT"]) == ("/media/", "/m")


def test_media_of_another_host_stay_there(over):
    found = over({"MEDIA_URL": "https://cdn.example.org/"}, MEDIA_ROOT="/m")
    assert "MEDIA_URL" not in found


def test_a_site_that_serves_its_static_files_itself_goes_on_so(over):
    assert "STATIC_URL" not in over({}, SITE_STATIC="", STATIC_ROOT="/r/static")


def test_static_files_that_the_repository_holds_collected_are_found_last(over, tmp_path: Path):
    own = tmp_path / "static"
    (own / "css").mkdir(parents=True)
    (own / "css/site.css").write_text("")
    found = over({"STATIC_ROOT": own}, SITE_STATIC="on", STATIC_ROOT="/r/static")
    assert found["STATICFILES_FINDERS"][-1] == "tandem.adopted.collected.Finder"
    assert len(found["STATICFILES_FINDERS"]) == 3
    with override_settings(TANDEM_COLLECTED=found["TANDEM_COLLECTED"]):
        assert [name for name, _ in Finder().list([])] == ["css/site.css"]
        assert Finder().find("css/site.css") == str(own / "css/site.css")


def test_static_files_are_not_found_where_they_are_collected_to(over, tmp_path: Path):
    for own in (tmp_path, tmp_path / "gone", None):
        found = over({"STATIC_ROOT": own}, SITE_STATIC="on", STATIC_ROOT=str(tmp_path))
        assert "STATICFILES_FINDERS" not in found


def test_what_was_made_of_a_folder_or_an_address_follows_it(over, tmp_path):
    own = tmp_path / "site"
    (own / "media/shipped").mkdir(parents=True)
    site = {
        "MEDIA_ROOT": own / "media",
        "MEDIA_URL": "/uploads/",
        "STATIC_ROOT": str(own / "static"),
        "STATIC_URL": "/assets/",
        "COMPRESS_ROOT": str(own / "static"),
        "EDITOR_URL": "/assets/editor/",
        "SHIPPED": own / "media/shipped",
        "STORAGES": {"default": {"OPTIONS": {"location": own / "media/private"}}},
        "TEMPLATES": [{"DIRS": (own / "static-pages",)}],
        "UPLOADS": "/uploads-of-old/",
    }
    found = over(site, SITE_STATIC="on", STATIC_ROOT="/r/static", MEDIA_ROOT="/m")
    assert found["COMPRESS_ROOT"] == "/r/static"
    assert found["EDITOR_URL"] == "/static/editor/"
    assert found["STORAGES"]["default"]["OPTIONS"]["location"] == Path("/m/private")
    assert not {"SHIPPED", "TEMPLATES", "UPLOADS"} & found.keys()


def test_nothing_follows_a_root_that_holds_the_site(over, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    site = {"MEDIA_ROOT": tmp_path, "BASE_DIR": tmp_path, "EXPORTS": tmp_path / "exports"}
    found = over(site, MEDIA_ROOT="/m")
    assert not {"BASE_DIR", "EXPORTS"} & found.keys()


def test_lazy_settings_stay_lazy(over):
    def never() -> str:
        raise AssertionError("it would need the applications")

    links = [{"url": lazy(never, str)()}]
    site = {"MEDIA_ROOT": "/own", "LOGIN_URL": lazy(never, str)(), "LINKS": links}
    site["USER"] = SimpleLazyObject(never)
    assert not {"LOGIN_URL", "LINKS", "USER"} & over(site, MEDIA_ROOT="/m").keys()
