"""The twin of the planted site, as it should be."""

import os

SECRET_KEY = "kept in a file, in earnest"
DEBUG = False
ALLOWED_HOSTS = ["shop.example"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
UPSTREAM = os.environ.get("TANDEM_UPSTREAM", "").partition("@")[0]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "shop.middleware.both",
]
ROOT_URLCONF = "shop.urls"
ASGI_APPLICATION = "shop.asgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "CONN_MAX_AGE": 0 if UPSTREAM == "asgi" else 600,
        "OPTIONS": {"options": "-c statement_timeout=30000"},
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://localhost",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "tandem.channel_layer.PubSubChannelLayer",
        "CONFIG": {"hosts": ["redis://localhost"]},
    },
    "core": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            "hosts": [{"address": "redis://localhost", "socket_timeout": 15}],
            "capacity": 1500,
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
