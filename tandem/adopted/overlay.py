"""What is laid over a site's own settings, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import global_settings

from tandem import facts
from tandem.adopted import COLLECTED
from tandem.adopted.alike import alike
from tandem.adopted.brokers import brokers
from tandem.adopted.derived import derived
from tandem.adopted.logs import logs
from tandem.origins import origins, words
from tandem.redis_url import with_password

INSECURE_KEY = "django-insecure-"  # what startproject writes
# Of the site's database in Tandem's: what its code relies on.
KEPT = ("ATOMIC_REQUESTS", "DISABLE_SERVER_SIDE_CURSORS", "TEST", "TIME_ZONE")
# Django's, but waits for a server that restarts.
ENGINE = "tandem.postgresql"
STOCK = ("django.db.backends.postgresql", "django.db.backends.postgresql_psycopg2")
LAYER = "tandem.channel_layer.PubSubChannelLayer"


def overlay(site: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that replace those of ``site``."""
    laid = {
        # A site in DEBUG shows its settings to whoever finds an error.
        "DEBUG": False,
        **_key(site, environment),
        **_edge(environment),
        **_files(site, environment),
        **_databases(site, environment),
        **_layers(site, environment),
        **logs(site),
    }
    laid = {name: alike(site.get(name), value) for name, value in laid.items()}
    return {**laid, **_clients({**site, **laid}, environment), **derived(site, laid)}


def _key(site: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Give a key to a site that has none, or one that is in its repository."""
    key = str(site.get("SECRET_KEY", ""))
    made = _credential("secret_key", environment)
    if made and (not key or key.startswith(INSECURE_KEY)):
        return {"SECRET_KEY": made}
    return {}


def _edge(environment: Mapping[str, str]) -> dict[str, Any]:
    """Trust nginx, which ends TLS and sets (never appends to) these headers, and nobody else."""
    names = words(environment.get("SERVER_NAMES", "localhost"))
    return {
        "ALLOWED_HOSTS": names,
        "CSRF_TRUSTED_ORIGINS": origins({"SERVER_NAMES": ",".join(names), **environment}),
        # Host is as nginx has checked it; these others are as the client wrote them.
        "USE_X_FORWARDED_HOST": False,
        "USE_X_FORWARDED_PORT": False,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
    }


def _files(site: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Have files where nginx serves them, and uploads never in memory."""
    found: dict[str, Any] = {}
    if environment.get("SITE_STATIC") == "on":
        found |= {"STATIC_URL": "/static/", "STATIC_ROOT": environment["STATIC_ROOT"]}
        found |= _collected(site, environment["STATIC_ROOT"])
    media = environment.get("MEDIA_ROOT")
    if media:
        found |= {
            "MEDIA_ROOT": media,
            # Both upstreams write; nginx reads.
            "FILE_UPLOAD_PERMISSIONS": 0o640,
            "FILE_UPLOAD_DIRECTORY_PERMISSIONS": 0o770,
            "FILE_UPLOAD_TEMP_DIR": media,  # same file system: a rename, not a copy
        }
        if not str(site.get("MEDIA_URL", "")).startswith(("http:", "https:", "//")):
            found["MEDIA_URL"] = "/media/"
    return found | _short_names(site)


def _short_names(site: Mapping[str, Any]) -> dict[str, Any]:
    """Store uploads under names that a file can have, where Django's own classes do that."""
    found: dict[str, Any] = {}
    storages = site.get("STORAGES", getattr(global_settings, "STORAGES", {}))
    if storages.get("default", {}).get("BACKEND") == "django.core.files.storage.FileSystemStorage":
        default = {**storages["default"], "BACKEND": "tandem.storage.ShortNames"}
        found["STORAGES"] = {**storages, "default": default}
    handlers = site.get("FILE_UPLOAD_HANDLERS", global_settings.FILE_UPLOAD_HANDLERS)
    theirs = "django.core.files.uploadhandler.TemporaryFileUploadHandler"
    if theirs in handlers:
        ours = "tandem.storage.TemporaryFileUploadHandler"
        found["FILE_UPLOAD_HANDLERS"] = [ours if one == theirs else one for one in handlers]
    return found


def _collected(site: Mapping[str, Any], target: str) -> dict[str, Any]:
    """Have what the site's repository holds collected already, behind all other static files."""
    own = site.get("STATIC_ROOT")
    if not own or not Path(own).is_dir() or Path(own).resolve() == Path(target).resolve():
        return {}
    finders = site.get("STATICFILES_FINDERS", global_settings.STATICFILES_FINDERS)
    return {
        "STATICFILES_FINDERS": [*finders, "tandem.adopted.collected.Finder"],
        COLLECTED: Path(own).resolve(),
    }


def _databases(site: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    databases = {alias: dict(one) for alias, one in site.get("DATABASES", {}).items()}
    if environment.get("SITE_DATABASE") == "postgresql":
        own = databases.get("default", {})
        engine = str(own.get("ENGINE", ""))
        databases["default"] = {
            # One that speaks PostgreSQL stays: PostGIS, a pool, a wrapper for metrics.
            "ENGINE": ENGINE if engine in STOCK or "postg" not in engine else engine,
            "NAME": environment.get("DATABASE_NAME", "tandem"),
            "USER": environment.get("DATABASE_USER", "tandem"),
            "HOST": environment.get("DATABASE_HOST", facts.POSTGRES_SOCKETS),
            "PORT": environment.get("DATABASE_PORT", ""),
            "PASSWORD": _credential("database_password", environment),
            "CONN_HEALTH_CHECKS": True,
            **{name: own[name] for name in KEPT if name in own},
        }
        # Apps that use more of PostgreSQL where they find it (Wagtail's search) need this.
        apps = list(site.get("INSTALLED_APPS", ()))
        if not any(str(app).startswith("django.contrib.postgres") for app in apps):
            found["INSTALLED_APPS"] = [*apps, "django.contrib.postgres"]
    elif environment.get("SITE_DATABASE") == "sqlite" and "default" in databases:
        _move(databases, Path(environment.get("DATA_ROOT", facts.DATA)))
    upstream = environment.get("TANDEM_UPSTREAM", "").partition("@")[0]
    for database in databases.values():
        if upstream and (database.get("OPTIONS") or {}).get("pool"):
            database["CONN_MAX_AGE"] = 0  # the pool keeps them; Django refuses both
        elif upstream == "wsgi":
            # Threads are few and live long: each keeps its connection.
            database["CONN_MAX_AGE"] = 60
        elif upstream:
            # Under ASGI a connection kept by each thread exhausts the server within
            # seconds (Django tickets #33497, #32889).
            database["CONN_MAX_AGE"] = 0
    return {**found, "DATABASES": databases} if databases else {}


def _move(databases: dict[str, dict[str, Any]], folder: Path) -> None:
    """Have the files of SQLite where data lasts, and two databases in one file still so."""
    moved = {str(databases["default"].get("NAME")): folder / "db.sqlite3"}
    for alias, one in databases.items():
        name = str(one.get("NAME", ""))
        file = alias == "default" or ("lite" in str(one.get("ENGINE")) and ":memory:" not in name)
        if file:
            place = moved.setdefault(name, folder / f"db-{alias}.sqlite3")
            one["NAME"] = alike(one.get("NAME"), place)


def _layers(site: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Let groups reach every worker: in memory, or each by itself, they reach one."""
    if environment.get("SITE_REDIS") != "on" or "channels" not in _names(site):
        return {}
    hosts = [redis_url(environment)]
    layers = {"default": {"BACKEND": LAYER, "CONFIG": {"hosts": hosts}}}
    for alias in site.get("CHANNEL_LAYERS", {}):
        if alias != "default":
            layers[alias] = {"BACKEND": LAYER, "CONFIG": {"hosts": hosts, "prefix": alias}}
    return {"CHANNEL_LAYERS": layers}


def _clients(settings: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Lead caches and queues to Tandem's Redis, where the site uses it."""
    if environment.get("SITE_REDIS") != "on":
        return {}
    return brokers(settings, redis_url(environment))


def redis_url(environment: Mapping[str, str]) -> str:
    """Return the address of Tandem's Redis, as a site reads it from ``REDIS_URL``."""
    return with_password(
        environment.get("REDIS_URL", facts.REDIS_URL),
        _credential("redis_password", environment),
    )


def _names(site: Mapping[str, Any]) -> set[str]:
    apps = {str(app).partition(".")[0] for app in site.get("INSTALLED_APPS", ())}
    return apps | ({"channels"} if site.get("CHANNEL_LAYERS") else set())


def _credential(name: str, environment: Mapping[str, str]) -> str:
    file = Path(environment.get("CREDENTIALS_DIRECTORY", "/nonexistent")) / name
    return file.read_text().strip() if file.exists() else ""
