"""What happens to users, told to all workers after the commit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save

from tandem.revocation.messages import tell
from tandem.revocation.watch import digest


def connect() -> None:
    """Connect the receivers; ``tandem.apps`` does it once."""
    user = get_user_model()
    user_logged_out.connect(_logged_out)
    post_save.connect(_saved, sender=user)
    post_delete.connect(_saved, sender=user)
    for field in ("groups", "user_permissions"):
        if hasattr(user, field):
            m2m_changed.connect(_rights_changed, sender=getattr(user, field).through)
    m2m_changed.connect(_group_changed, sender=Group.permissions.through)


def _tell(users: Iterable[Any], **more: Any) -> None:
    message = {"users": [str(pk) for pk in users], **more}
    transaction.on_commit(lambda: tell(message))


def _logged_out(sender: Any, request: Any, user: Any, **more: Any) -> None:
    session = getattr(getattr(request, "session", None), "session_key", None)
    _tell([user.pk] if user else [], logout=True, session=digest(session) if session else "")


def _saved(
    sender: Any, instance: Any, created: bool = False, update_fields: Any = None, **more: Any
) -> None:
    if not created and set(update_fields or ()) != {"last_login"}:  # which is every login
        _tell([instance.pk])


def _rights_changed(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, **more: Any
) -> None:
    if action == "pre_clear" and reverse:  # afterwards nobody knows whom it concerned
        field = next(f for f in sender._meta.fields if f.related_model is get_user_model())
        other = next(f for f in sender._meta.fields if f.related_model is type(instance))
        rows = sender._default_manager.filter(**{other.name: instance})
        _tell(rows.values_list(field.attname, flat=True), rights=True)
    elif action in ("post_add", "post_remove", "post_clear"):
        _tell(pk_set or [] if reverse else [instance.pk], rights=True)


def _group_changed(
    sender: Any, instance: Any, action: str, reverse: bool, pk_set: Any, **more: Any
) -> None:
    if action in ("post_add", "post_remove", "pre_clear"):
        groups = (pk_set or []) if reverse else [instance.pk]
        users = get_user_model()._default_manager.filter(groups__in=groups)
        _tell(users.values_list("pk", flat=True).distinct(), rights=True)
