"""Uploaded files."""

from __future__ import annotations

import os

from django.conf import settings
from django.db import models


class Upload(models.Model):
    """A file that a user has uploaded; nginx serves it from the media folder."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    file = models.FileField(upload_to="uploads/%Y/%m/", max_length=255)
    size = models.PositiveBigIntegerField(help_text="bytes")
    uploaded_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Return the file's name."""
        return self.name

    @property
    def name(self) -> str:
        """The name without its folder."""
        return os.path.basename(self.file.name)

    @property
    def url(self) -> str:
        """Where nginx serves it."""
        return self.file.url
