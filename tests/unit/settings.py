"""The site's settings for the unit layer: no containers, SQLite, in-memory channel layer."""

import os

os.environ["DJANGO_DEBUG"] = "on"
os.environ["DEV_DATABASE"] = ":memory:"

from config.settings import *  # noqa: F403
