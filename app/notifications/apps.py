"""Connects the signals."""

from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Admin changes, told live to whoever may see them."""

    name = "notifications"

    def ready(self) -> None:
        """Publish what the admin logs."""
        from django.contrib.admin.models import LogEntry
        from django.db.models.signals import post_save

        from notifications.publish import publish_entry

        post_save.connect(publish_entry, sender=LogEntry, dispatch_uid="notifications")
