"""Which sessions still exist, asked for many at once where the site's engine can do that."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends import cache, db, signed_cookies
from django.utils import timezone


def alive(keys: Collection[str]) -> set[str]:
    """Return those of ``keys`` whose session has not ended.

    Sessions in signed cookies cannot be ended by anybody, so they all count.
    """
    if not keys:
        return set()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if issubclass(store, signed_cookies.SessionStore):
        return set(keys)
    if issubclass(store, db.SessionStore):  # cached_db as well: the database has them all
        model = store.get_model_class()
        found = model.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        return set(found.values_list("session_key", flat=True))
    if issubclass(store, cache.SessionStore):
        held = store()
        names = {held.cache_key_prefix + key: key for key in keys}
        return {names[name] for name in held._cache.get_many(names)}
    return {key for key in keys if store().exists(key)}
