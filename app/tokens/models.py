"""Which session asked for which token: never sent to anybody."""

from __future__ import annotations

from django.db import models


class Grant(models.Model):
    """A token that was given to a session; kept for as long as the token is good."""

    session = models.TextField()  # its key; of signed cookies that is all of it
    made_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        """Return when it was, not whose."""
        return f"{self.pk} of {self.made_at:%Y-%m-%d %H:%M:%S}"
