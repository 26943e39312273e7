"""Find the site's own applications, whatever they do to the environment when imported."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured

from tandem.adopted import MADE
from tandem.adopted.run import first


def application(variable: str, make: Callable[[], Any]) -> Any:
    """Return the application that ``$variable`` (``shop.wsgi:application``) names.

    Raises ``ImproperlyConfigured`` where there is none.
    """
    first()
    # Before the site's module: one that sets DJANGO_SETTINGS_MODULE must find it in use.
    django.setup()
    place = os.environ[variable]
    if place == MADE:
        return make()
    module, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        raise ImproperlyConfigured(
            f"{module} has no {name!r}; correct {variable[5:].lower()} in tandem.yml."
        ) from None
