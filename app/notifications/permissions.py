"""Who may see a change: whoever may view or change objects of its kind, now.

Nothing is kept: each question is a query, so a permission that was revoked a moment ago
counts no more.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_permission_codename, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

# Others (sesame's) inherit its permissions; with_perm wants one named.
BACKEND = "django.contrib.auth.backends.ModelBackend"
ACTIONS = ("view", "change")


def permissions_of(content_type_id: int | None) -> list[str]:
    """Return the permissions of which one is enough; none: superusers alone."""
    # Django keeps content types in memory; one never changes its name, only its existence.
    try:
        kind = ContentType.objects.get_for_id(content_type_id) if content_type_id else None
    except ContentType.DoesNotExist:
        kind = None
    model = kind.model_class() if kind else None
    if kind is None or model is None:
        return []
    return [f"{kind.app_label}.{get_permission_codename(a, model._meta)}" for a in ACTIONS]


def viewers(content_type_id: int | None, users: Collection[Any]) -> set[Any]:
    """Return the primary keys, of ``users``, of those who may see changes of this kind.

    One query.  Superusers may; whoever is not active may not.
    """
    manager = get_user_model().objects
    allowed: QuerySet[Any] = manager.filter(is_superuser=True, is_active=True)
    for permission in permissions_of(content_type_id):
        allowed |= manager.with_perm(permission, backend=BACKEND)
    return set(allowed.filter(pk__in=users).values_list("pk", flat=True))


def visible_to(user: Any, content_type_ids: Collection[int | None]) -> set[int | None]:
    """Return those of ``content_type_ids`` whose changes ``user`` may see, now."""
    # Afresh: the object that the caller has remembers permissions.
    now = get_user_model().objects.filter(pk=user.pk, is_active=True).first()
    if now is None:
        return set()
    return {
        kind
        for kind in set(content_type_ids)
        if now.is_superuser or any(now.has_perm(p) for p in permissions_of(kind))
    }
