"""The settings of an adopted site: its own, and over them what a server behind nginx needs.

``DJANGO_SETTINGS_MODULE`` of its processes is this module; ``SITE_SETTINGS`` names the
site's.  docs/adopt.md lists what is laid over.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tandem.adopted.overlay import overlay, redis_url
from tandem.adopted.own import Configured, read, tell

_name = os.environ["SITE_SETTINGS"]


def __getattr__(name: str) -> Any:
    """Answer with what the site's settings say so far, while they are being read.

    They may import what asks for a setting, and Django then looks here.
    """
    if name.isupper() and _name in sys.modules:
        return getattr(sys.modules[_name], name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *(name for name in dir(sys.modules.get(_name)) if name.isupper())]


if os.environ.get("SITE_REDIS") == "on":
    # Caches and task queues of the site read it there, too.
    os.environ["REDIS_URL"] = redis_url(os.environ)
_site = read(_name)
_own = {name: getattr(_site, name) for name in dir(_site) if name.isupper()}
_laid = overlay(_own, os.environ)
globals().update(_own)
globals().update(_laid)
# Some code asks the site's module itself (``from shop import settings``): one answer.
vars(_site).update(_laid)
tell(_laid)
if _class := os.environ.get("DJANGO_CONFIGURATION"):
    globals()[_class] = Configured
