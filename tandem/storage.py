"""Uploads under names that a file can have, in whatever script they are written.

Django counts characters, a file system bytes: 255, which is 127 letters of Cyrillic or 85
of Chinese, and one more is an ``OSError`` and a 500.
"""

from __future__ import annotations

import os
from typing import Any

from django.core.files import uploadhandler
from django.core.files.storage import FileSystemStorage

from tandem.sizes import SIZES

ALTERNATIVE_BYTES = 8  # what Django adds to a name that is taken: _ and 7 letters
EXTENSION_BYTES = 32


def short(name: str) -> str:
    """Return ``name``, a file's or a path's, its last part cut to what a file can be called."""
    folder, file = os.path.split(name)
    root, extension = os.path.splitext(file)
    extension = _cut(extension, EXTENSION_BYTES)
    room = SIZES["FILE_NAME_BYTES"] - ALTERNATIVE_BYTES - len(extension.encode())
    return os.path.join(folder, _cut(root, room) + extension)


def _cut(text: str, size: int) -> str:
    """Return as many whole characters of ``text`` as ``size`` bytes hold."""
    return text.encode()[:size].decode(errors="ignore")


class ShortNames(FileSystemStorage):
    """Django's storage of files."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return a name that a file can have and none has."""
        return super().get_available_name(short(str(name)), max_length)


class TemporaryFileUploadHandler(uploadhandler.TemporaryFileUploadHandler):
    """Django's handler, whose temporary file ends with the extension of the client's."""

    def new_file(self, field_name: str, file_name: str, *args: Any, **options: Any) -> None:
        """Begin a file."""
        super().new_file(field_name, short(file_name), *args, **options)
