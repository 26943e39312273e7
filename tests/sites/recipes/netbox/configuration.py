"""What NetBox asks its operators for: where its data is, and a key."""

import os

ALLOWED_HOSTS = ["localhost"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "tandem"}}
REDIS = {use: {"URL": os.environ["REDIS_URL"]} for use in ("tasks", "caching")}
SECRET_KEY = os.environ["SECRET_KEY"]
