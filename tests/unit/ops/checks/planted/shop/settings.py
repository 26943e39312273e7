"""Each line that ends with ``# W…`` or ``# I…`` is found by that id."""

import os
import secrets

SECRET_KEY = secrets.token_hex()  # W004
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_X_FORWARDED_HOST = True  # W007
SECURE_PROXY_SSL_HEADER = None  # W006
CSRF_TRUSTED_ORIGINS = ["https://*.com"]  # W010
FORCE_SCRIPT_NAME = "/shop"  # I052
PAGE_SIZE = 10 if os.environ.get("TANDEM_UPSTREAM", "").startswith("asgi") else 20  # W003
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # W040
INSTALLED_APPS = [
    "daphne",  # I009
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "shop.middleware.SlowMiddleware",
    "shop.middleware.EagerMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # I023
]
ROOT_URLCONF = "shop.urls"
ASGI_APPLICATION = "shop.asgi.application"
DATABASES = {  # I008
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "CONN_MAX_AGE": 600,  # W002
        "ATOMIC_REQUESTS": True,
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}  # W005
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"},  # W011
    "core": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",  # W012 I018
        "CONFIG": {
            "hosts": ["redis://localhost"],
            "group_expiry": 3600,  # W017
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
