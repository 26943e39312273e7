"""The example site's settings as they are on a server, for each kind of process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from tandem import storage
from tests.checkout import ROOT

SHOW = """
import json, sys
from config import settings
print(json.dumps({n: getattr(settings, n) for n in dir(settings) if n.isupper()}, default=str))
"""
SERVER = {"SERVER_NAMES": "example.org,www.example.org", "HTTPS_PORT": "443"}


def shown(folder: Path, upstream: str, code: str = SHOW, **more: str) -> Any:
    """Return what a process of ``upstream`` (``asgi@1``) finds in its settings."""
    (folder / "secret_key").write_text("k" * 50)
    path = os.pathsep.join([str(ROOT / "app"), str(ROOT)])
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": path, "TANDEM_UPSTREAM": upstream,
        "CREDENTIALS_DIRECTORY": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **SERVER, **more,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT / "app",
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return the settings by kind of process."""
    folder = tmp_path_factory.mktemp("credentials")
    return {kind: shown(folder, f"{kind}@1") for kind in ("wsgi", "asgi", "notify")}


KINDS = ("wsgi", "asgi", "notify")


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_shows_no_settings_and_sends_cookies_by_https_alone(settings: dict, kind: str):
    found = settings[kind]
    assert found["DEBUG"] is False
    assert found["SECRET_KEY"] == "k" * 50
    for cookie in ("SESSION", "CSRF"):
        assert found[f"{cookie}_COOKIE_SECURE"] is True
        assert found[f"{cookie}_COOKIE_HTTPONLY"] is True
    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert found["X_FRAME_OPTIONS"] == "DENY"
    assert found["SECURE_REFERRER_POLICY"] == "same-origin"
    assert not found.get("USE_X_FORWARDED_HOST")


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_sites_own_names_and_pages_are_ours(settings: dict, kind: str):
    found = settings[kind]
    assert found["ALLOWED_HOSTS"] == ["example.org", "www.example.org"]
    ours = ["https://example.org", "https://www.example.org"]
    assert found["ORIGINS"] == found["CSRF_TRUSTED_ORIGINS"] == ours


def test_scripts_come_from_here_only(settings: dict):
    policy = settings["wsgi"]["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'self'"]
    assert policy["object-src"] == policy["frame-ancestors"] == ["'none'"]
    assert "script-src" not in policy
    middleware = settings["wsgi"]["MIDDLEWARE"]
    for name in (
        "django.middleware.security.SecurityMiddleware", "csp.middleware.CSPMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ):  # fmt: skip
        assert name in middleware


@pytest.mark.parametrize("kind", ["wsgi", "notify"])
def test_threads_that_live_long_keep_their_connection(settings: dict, kind: str):
    database = settings[kind]["DATABASES"]["default"]
    assert database["CONN_MAX_AGE"] == 60
    assert database["CONN_HEALTH_CHECKS"] is True
    assert "OPTIONS" not in database


def test_uvicorn_has_a_pool_that_is_bounded(settings: dict, tmp_path: Path):
    database = settings["asgi"]["DATABASES"]["default"]
    assert "CONN_MAX_AGE" not in database
    assert database["OPTIONS"]["pool"]["max_size"] == 10
    assert 0 < database["OPTIONS"]["pool"]["timeout"] <= 10
    given = shown(tmp_path, "asgi@1", ASGI_DATABASE_POOL="3")
    assert given["DATABASES"]["default"]["OPTIONS"]["pool"]["max_size"] == 3


@pytest.mark.parametrize("kind", KINDS)
def test_the_stores_are_reached_by_unix_sockets_without_a_password(settings: dict, kind: str):
    database = settings[kind]["DATABASES"]["default"]
    assert database["ENGINE"].endswith("postgresql")
    assert (database["HOST"], database["PASSWORD"]) == ("/run/postgresql", "")
    assert settings[kind]["REDIS_URL"] == "unix:///run/redis-tandem/redis-server.sock"
    layer = settings[kind]["CHANNEL_LAYERS"]["default"]
    assert layer["BACKEND"] == "tandem.channel_layer.PubSubChannelLayer"
    assert layer["CONFIG"]["hosts"] == [settings[kind]["REDIS_URL"]]


def test_a_store_that_is_reached_by_network_has_its_password_from_a_credential(tmp_path: Path):
    for name in ("database_password", "redis_password"):
        (tmp_path / name).write_text(f"{name}!\n")
    found = shown(tmp_path, "wsgi@1", DATABASE_HOST="10.0.0.3", REDIS_URL="redis://10.0.0.2:6379/0")
    assert found["DATABASES"]["default"]["PASSWORD"] == "database_password!"
    assert found["REDIS_URL"] == "redis://:redis_password%21@10.0.0.2:6379/0"


def test_uploads_go_to_disk_and_are_no_strangers_to_read(settings: dict):
    found = settings["wsgi"]
    assert found["FILE_UPLOAD_HANDLERS"] == ["tandem.storage.TemporaryFileUploadHandler"]
    assert issubclass(storage.TemporaryFileUploadHandler, TemporaryFileUploadHandler)
    assert found["FILE_UPLOAD_PERMISSIONS"] == 0o640
    assert found["FILE_UPLOAD_DIRECTORY_PERMISSIONS"] == 0o770
    assert found["UPLOAD_LIMIT_BYTES"] == 25 * 1024 * 1024
    assert found["STORAGES"]["staticfiles"]["BACKEND"] == "config.storage.HashedStaticFilesStorage"
    assert found["STORAGES"]["staticfiles"]["OPTIONS"]["file_permissions_mode"] == 0o644


def test_a_token_lives_for_as_long_as_the_page_says(settings: dict):
    assert settings["asgi"]["SESAME_MAX_AGE"] == 30
    assert "valid for 30 s" in (ROOT / "app/chat/login.py").read_text()
    assert settings["notify"]["NOTIFY_REFUSAL_CODE"] == 4401


def test_limits_of_the_chat_are_those_of_its_page(settings: dict):
    found, page = settings["asgi"], (ROOT / "docs/chat.md").read_text()
    assert f"more than {found['CHAT_FRAMES_PER_SECOND']} frames a second" in page
    assert f"up to {found['CHAT_FRAMES_BURST']} at once" in page
    assert f"beyond {found['CHAT_MESSAGE_MAX_CHARACTERS']:,} characters" in page
    assert f"the last {found['CHAT_HISTORY']} messages" in page
    assert found["SOCKETS_PER_USER"] == 200


def test_the_log_names_errors_and_leaves_addresses_to_nginx(settings: dict):
    logging = settings["asgi"]["LOGGING"]
    assert logging["loggers"]["django.request"]["level"] == "ERROR"
    assert logging["loggers"]["websockets"]["level"] == "WARNING"
    assert logging["root"] == {"handlers": ["stderr"], "level": "INFO"}


# --- the ASGI application: what wraps what ---

CHAIN = """
import json
from config.asgi import application
names, part = [], application
while part is not None:
    names.append(type(part).__name__)
    if type(part).__name__ == "ProtocolTypeRouter":
        part = part.application_mapping["websocket"]
        continue
    following = [getattr(part, n, None) for n in ("application", "_application", "inner", "app")]
    part = next((f for f in following if f is not None), None)
threads = limit = age = origins = None
part = application
seen = [application]
while seen:
    part = seen.pop()
    kind = type(part).__name__
    threads = len(part._threads) if kind == "SocketThreads" else threads
    age = part.seconds if kind == "SocketAge" else age
    limit = part.most if kind == "SocketQuota" else limit
    origins = part.allowed_origins if kind == "OriginValidator" else origins
    if kind == "ProtocolTypeRouter":
        seen.append(part.application_mapping["websocket"])
    for n in ("application", "_application", "inner", "app"):
        if getattr(part, n, None) is not None:
            seen.append(getattr(part, n))
found = {"threads": threads, "limit": limit, "age": age, "origins": origins}
print(json.dumps({"names": names, **found}))
"""


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the sockets of the running site pass through."""
    folder = tmp_path_factory.mktemp("credentials")
    return shown(
        folder, "asgi@1", CHAIN, DJANGO_SETTINGS_MODULE="config.settings", ASGI_THREADS="6",
        SOCKETS_PER_USER="33", SOCKET_MAX_AGE_SECONDS="777",
    )  # fmt: skip


def test_every_socket_has_its_threads_its_age_and_its_users_limit(application: dict):
    assert application["threads"] == 6
    assert application["limit"] == 33
    assert application["age"] == 777


def test_the_site_checks_origins_itself_and_ends_sockets_with_their_login(application: dict):
    assert application["origins"] == ["https://example.org", "https://www.example.org"]
    names = application["names"]
    order = [
        "AsgiHeaders", "ServerAddress", "MoveSockets", "EventStreams", "SocketThreads", "SocketAge",
        "EndWithLogin", "OriginValidator", "AuthMiddleware", "SocketQuota", "URLRouter",
    ]  # fmt: skip
    assert [name for name in names if name in order] == order
