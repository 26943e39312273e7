"""``manage.py demo_users``: the logins of the replica."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

# Known to everybody who reads this: for a site that only this machine can reach.
USERS = {"demo": {"is_staff": True, "is_superuser": True}, "guest": {}}


class Command(BaseCommand):
    """Make the demo users where they are missing; leave changed ones alone."""

    help = "Make the users demo (admin) and guest; each one's password is its name."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create what is missing."""
        for name, flags in USERS.items():
            user, created = get_user_model().objects.get_or_create(username=name, defaults=flags)
            if created:
                user.set_password(name)
                user.save()
                self.stdout.write(f"made the user {name}")
