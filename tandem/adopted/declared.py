"""What a site's settings declare, as plain data that is small and holds nothing secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Of each database, what tells which it is.
DATABASE = ("ENGINE", "NAME", "HOST")
NAMES = (
    "DEBUG", "INSTALLED_APPS", "MIDDLEWARE", "ROOT_URLCONF", "WSGI_APPLICATION", "ASGI_APPLICATION",
    "CACHES", "CHANNEL_LAYERS", "STORAGES", "DEFAULT_FILE_STORAGE", "STATICFILES_STORAGE",
    "STATIC_URL", "STATIC_ROOT", "MEDIA_URL", "MEDIA_ROOT", "COMPRESS_OFFLINE", "RQ_QUEUES", "HUEY",
    "Q_CLUSTER",
)  # fmt: skip
BROKER = re.compile(r"BROKER|RESULT_BACKEND")
SECRET = re.compile(r"(?i)secret|passw|passphrase|token|credential|salt|private|(api|_)_?key$")
LOGIN = re.compile(r"(?<=://)[^/@\s]*:[^/@\s]*@")
HIDDEN = "…"
LONGEST, MOST, DEEPEST = 300, 200, 5


def declared(site: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the settings say of how a site is served."""
    found = {name: plain(site[name], name) for name in NAMES if name in site}
    found |= {name: plain(value, name) for name, value in site.items() if BROKER.search(name)}
    databases = site.get("DATABASES") or {}
    found["DATABASES"] = {
        str(alias): {name: plain(one.get(name), name) for name in DATABASE}
        for alias, one in databases.items()
    }
    key = str(site.get("SECRET_KEY", ""))
    # Not the key, but where it is from.
    found["SECRET_KEY"] = "" if not key else "insecure" if "django-insecure-" in key else "set"
    return found


def plain(value: Any, name: str = "", depth: int = 0) -> Any:
    """Return a value as JSON has it, no secrets in it, cut where it is long."""
    kind = type(value)  # isinstance() would wake what is lazy
    if value is None or kind in (bool, int, float):
        return value
    if SECRET.search(name) and kind in (str, bytes):
        return HIDDEN if value else ""
    if issubclass(kind, str | Path):
        return LOGIN.sub(f"{HIDDEN}@", str(value))[:LONGEST]
    if depth < DEEPEST and issubclass(kind, dict):
        few = list(value.items())[:MOST]
        return {str(key): plain(one, str(key), depth + 1) for key, one in few}
    if depth < DEEPEST and issubclass(kind, list | tuple | set | frozenset):
        return [plain(one, name, depth + 1) for one in list(value)[:MOST]]
    return f"<{kind.__name__}>"
