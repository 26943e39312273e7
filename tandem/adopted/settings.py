"""The settings of an adopted site: its own, and over them what a server behind nginx needs.

``DJANGO_SETTINGS_MODULE`` of its processes is this module; ``SITE_SETTINGS`` names the
site's.  docs/adopt.md lists what is laid over.
"""

from __future__ import annotations

import os
from importlib import import_module

from tandem.adopted.overlay import overlay, redis_url

if os.environ.get("SITE_REDIS") == "on":
    # Caches and task queues of the site read it there, too.
    os.environ["REDIS_URL"] = redis_url(os.environ)
_site = import_module(os.environ["SITE_SETTINGS"])
_own = {name: getattr(_site, name) for name in dir(_site) if name.isupper()}
globals().update(_own)
globals().update(overlay(_own, os.environ))
