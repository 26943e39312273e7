"""Matches and their score."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models


class Match(models.Model):
    """A cricket match; ``version`` counts its changes, so that watchers can tell old from new."""

    slug = models.SlugField(unique=True)
    home = models.CharField(max_length=50)
    away = models.CharField(max_length=50)
    runs = models.PositiveIntegerField(default=0)
    wickets = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(10)])
    overs = models.DecimalField(max_digits=4, decimal_places=1, default=0)
    note = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """How people call it."""

        verbose_name_plural = "matches"

    def __str__(self) -> str:
        """Return who plays."""
        return f"{self.home} – {self.away}"

    def as_json(self) -> dict[str, Any]:
        """Return the score as sockets and polling carry it."""
        return {
            "match": self.slug, "home": self.home, "away": self.away, "runs": self.runs,
            "wickets": self.wickets, "overs": str(self.overs), "note": self.note,
            "version": self.version, "updated_at": self.updated_at.isoformat(),
        }  # fmt: skip
