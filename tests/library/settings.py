"""A plain site with all that the library's tests use: Django, Channels, and nothing of app/."""

from tandem.origins import origins

SECRET_KEY = "of tests only"
USE_TZ = True
SERVER_NAMES = ["localhost", "127.0.0.1"]
ALLOWED_HOSTS = SERVER_NAMES
ORIGINS = origins({"SERVER_NAMES": ",".join(SERVER_NAMES)})
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "channels",
    "tandem",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
ROOT_URLCONF = "tests.library.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = "redis://127.0.0.1:1"  # nobody is there
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
