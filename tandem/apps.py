"""``"tandem"`` in ``INSTALLED_APPS``: what has to be connected when a site starts."""

from __future__ import annotations

from django.apps import AppConfig, apps


class TandemConfig(AppConfig):
    """Registers the checks, and connects the signals of ``tandem.revocation``."""

    name = "tandem"

    def ready(self) -> None:
        """Register; connect, on sites that have users."""
        from tandem.ops.checks import audit

        audit.register()
        if apps.is_installed("django.contrib.auth"):
            from tandem.revocation import signals  # imports models

            signals.connect()
