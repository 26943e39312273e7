"""Static files that a site keeps collected in its repository."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseStorageFinder
from django.core.files.storage import FileSystemStorage

from tandem.adopted import COLLECTED


class Finder(BaseStorageFinder):
    """Finds what the site's own STATIC_ROOT holds; the last to be asked.

    Tandem collects into another folder.  Where node has made a site's styles, and only the
    result is in the repository, there is no other place from which they could come.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(location=getattr(settings, COLLECTED))
        super().__init__(*args, **kwargs)
