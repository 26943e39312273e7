"""Settings of the example site.  One module for both upstreams.

What differs between WSGI and ASGI (how database connections are kept) is decided
here from ``TANDEM_UPSTREAM``, so that the two can never run on different settings.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from config.environment import integer, names, secret
from tandem import facts
from tandem.origins import origins
from tandem.postgresql import PATIENCE_SECONDS
from tandem.redis_url import with_password
from tandem.sizes import SIZES

BASE_DIR = Path(__file__).resolve().parent.parent
DEBUG = os.environ.get("DJANGO_DEBUG") == "on"
# asgi, wsgi, … or "" for management commands.
UPSTREAM = os.environ.get("TANDEM_UPSTREAM", "").partition("@")[0]

SECRET_KEY = "development-only" if DEBUG else secret("secret_key")
SERVER_NAMES = names("SERVER_NAMES", "localhost,127.0.0.1")
ALLOWED_HOSTS = SERVER_NAMES
ORIGINS = origins({"SERVER_NAMES": ",".join(SERVER_NAMES), **os.environ})
CSRF_TRUSTED_ORIGINS = ORIGINS

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "tandem",
    "pages",
    "uploads",
    "chat",
    "scores",
    "showcase",
    "tokens",
    "notifications",
    "gallery",
    "demo",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tandem.identity.context",
            ]
        },
    }
]

# --- Database: PostgreSQL by Unix socket and peer authentication, so no password ---
DATABASES: dict[str, dict[str, Any]]
if DEBUG and "DATABASE_NAME" not in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("DEV_DATABASE", BASE_DIR / "dev.sqlite3"),
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "tandem.postgresql",  # Django's, but waits for a server that restarts
            "NAME": os.environ.get("DATABASE_NAME", "tandem"),
            "USER": os.environ.get("DATABASE_USER", "tandem"),
            "HOST": os.environ.get("DATABASE_HOST", facts.POSTGRES_SOCKETS),
            "PORT": os.environ.get("DATABASE_PORT", ""),
            "PASSWORD": secret("database_password", ""),  # only for one reached by network
            "CONN_HEALTH_CHECKS": True,
        }
    }
    if UPSTREAM in ("wsgi", "notify"):
        # Their threads are few and live long: each keeps its connection.
        DATABASES["default"]["CONN_MAX_AGE"] = 60
    elif UPSTREAM == "asgi":
        # Threads come and go with requests, and a connection kept by each exhausts
        # the server (Django tickets #33497, #32889): a bounded pool instead.
        DATABASES["default"]["OPTIONS"] = {
            "pool": {
                "min_size": 1,
                "max_size": integer("ASGI_DATABASE_POOL", 10),
                "timeout": PATIENCE_SECONDS + 1,  # a connection waits so long for a restart
            }
        }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Channel layer ---
CHANNEL_LAYERS: dict[str, dict[str, Any]]
REDIS_URL = with_password(
    os.environ.get("REDIS_URL", facts.REDIS_URL),
    secret("redis_password", ""),  # only for one reached by network
)
if DEBUG and "REDIS_URL" not in os.environ:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
else:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "tandem.channel_layer.PubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL]},
        }
    }

# --- Chat ---
CHAT_MESSAGE_MAX_CHARACTERS = 4000
CHAT_HISTORY = 50  # messages sent to a socket that does not say what it has seen
CHAT_FRAMES_PER_SECOND = 20  # from one socket in the long run, and
CHAT_FRAMES_BURST = 200  # at once: a client that comes back sends all that was not acknowledged
SOCKETS_PER_USER = integer("SOCKETS_PER_USER", 200)  # on all workers together

# --- Uploads: streamed to disk whatever their size, so that memory does not grow ---
DATA_UPLOAD_MAX_MEMORY_SIZE = SIZES["FORM_BYTES"]
UPLOAD_LIMIT_BYTES = integer("UPLOAD_LIMIT_MIB", 25) * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["tandem.storage.TemporaryFileUploadHandler"]
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT", BASE_DIR / "media"))
MEDIA_URL = "/media/"
FILE_UPLOAD_TEMP_DIR = os.environ.get("UPLOAD_TEMP_DIR")  # same file system: a rename, not a copy
FILE_UPLOAD_PERMISSIONS = 0o640
# Both upstreams write; the set-group-id bit comes from the folder above, for a sandboxed
# process may not set it (RestrictSUIDSGID).
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o770

# --- Static files: hashed names, served by nginx ---
STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", BASE_DIR / "collected"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "tandem.storage.ShortNames"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.storage.HashedStaticFilesStorage",
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}

# --- Behind nginx, which ends TLS and sets (never appends to) these headers ---
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# nginx redirects HTTP and sends HSTS: both must hold for static files too.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- Who somebody is: a password, or, for sockets that see no session, a token ---
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "sesame.backends.ModelBackend",
]
SESAME_MAX_AGE = 30  # seconds that a token lives: from the page's request to the first frame

# --- Notifications (docs/notifications.md) ---
NOTIFY_THREADS = integer("NOTIFY_THREADS", 2)  # of each process; so many database connections
# Closes a socket without a good token.
NOTIFY_REFUSAL_CODE = integer("NOTIFY_REFUSAL_CODE", facts.LOGGED_OUT)

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "home"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # One line per 4xx or per socket is nginx's business.
    "loggers": {"django.request": {"level": "ERROR"}, "websockets": {"level": "WARNING"}},
}
