"""Connects the signals."""

from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Admin changes, told live to whoever may see them."""

    name = "notifications"

    def ready(self) -> None:
        """Publish what the admin logs, and who logs out."""
        from django.contrib.admin.models import LogEntry
        from django.contrib.auth.signals import user_logged_out
        from django.db.models.signals import post_save

        from notifications.publish import publish_entry, publish_logout

        post_save.connect(publish_entry, sender=LogEntry, dispatch_uid="notifications")
        user_logged_out.connect(publish_logout, dispatch_uid="notifications")
