"""Find the site's own applications, whatever they do to the environment when imported."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

import django
from django.apps import apps
from django.core.exceptions import AppRegistryNotReady, ImproperlyConfigured

from tandem.adopted import MADE
from tandem.adopted.pin import pin
from tandem.adopted.run import first


def application(variable: str, make: Callable[[], Any]) -> Any:
    """Return the application that ``$variable`` (``shop.wsgi:application``) names.

    Raises ``ImproperlyConfigured`` where there is none.
    """
    pin()
    place = os.environ[variable]
    if place == MADE:
        first()
        if os.environ["SITE_WSGI"] != MADE:
            # It may prepare what the site needs under ASGI no less.
            _module(os.environ["SITE_WSGI"].partition(":")[0])
        return make()
    module, _, name = place.partition(":")
    found = _module(module)
    if not apps.ready:
        django.setup()
    try:
        return getattr(found, name)
    except AttributeError:
        raise ImproperlyConfigured(
            f"{module} has no {name!r}; correct {variable[5:].lower()} in tandem.yml."
        ) from None


def _module(name: str) -> Any:
    """Import a module as any server would: before the settings, which it may prepare for.

    It may read a file of variables or add to ``sys.path``.  One that uses models before it
    has set Django up runs under ``runserver`` alone, which does that first; so then do we.
    """
    try:
        return importlib.import_module(name)
    except AppRegistryNotReady:
        django.setup()
        return importlib.import_module(name)
