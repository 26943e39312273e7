"""Read the site's own settings as they would be read without Tandem."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from django.conf import ENVIRONMENT_VARIABLE, LazySettings


def read(name: str) -> ModuleType:
    """Import the site's settings while they are the ones that the environment names.

    django-configurations makes settings of a class in the module of that name alone, and
    settings may look at it themselves.
    """
    ours = os.environ[ENVIRONMENT_VARIABLE]
    os.environ[ENVIRONMENT_VARIABLE] = name
    try:
        if os.environ.get("DJANGO_CONFIGURATION") and find_spec("configurations"):
            import_module("configurations.importer").install()
        return import_module(name)
    finally:
        os.environ[ENVIRONMENT_VARIABLE] = ours


def tell(laid: Mapping[str, Any]) -> None:
    """Lay the overlay also over what the site has put in the place of ``django.conf.settings``.

    Dynaconf does so as it is imported: nobody would ask Django's own, and DEBUG stayed on.
    """
    settings = import_module("django.conf").settings
    if not isinstance(settings, LazySettings):
        for name, value in laid.items():
            setattr(settings, name, value)


class Configured:
    """What django-configurations finds where it takes Tandem's settings for the site's.

    It does, in a process of the site that calls ``configurations.setup()`` itself, as
    Celery's worker; then it would make the site's class of them once more, over the overlay.
    """

    @classmethod
    def pre_setup(cls) -> None:
        """Do nothing."""

    setup = post_setup = pre_setup
