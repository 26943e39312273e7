"""Tokens with which a socket says who it is: short-lived, signed, each of one session.

For sockets that see no session: ``POST /accounts/socket-token/`` gives one to whoever is
logged in.  A token ends after ``SESAME_MAX_AGE`` seconds, with a new password and with
the account; what it has opened ends with the session that asked for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from sesame.utils import get_token, get_user

from tokens.models import Grant

# A token for sockets opens nothing else, and no other token opens a socket.
SCOPE = "socket"


class Login(NamedTuple):
    """Who a token names."""

    user: Any
    session: str | None  # the key of the session that asked for it; ``None``: none did


def token_for(user: Any, session: str | None = None) -> str:
    """Return a token with which ``user`` can open sockets, for as long as ``session`` lasts."""
    if not session:
        return get_token(user, scope=SCOPE)
    now = timezone.now()
    Grant.objects.filter(made_at__lt=now - timedelta(seconds=2 * settings.SESAME_MAX_AGE)).delete()
    grant = Grant.objects.create(session=session, made_at=now)
    return f"{grant.pk}.{get_token(user, scope=f'{SCOPE}.{grant.pk}')}"


def login_of(token: str) -> Login | None:
    """Return the login of a token whose user is active; ``None``: it is wrong or too old.

    Asks the database: from asynchronous code call it in a thread.
    """
    if not token.isascii():  # none of ours; half a character (JSON's \ud800) cannot even be hashed
        return None
    number, dot, signed = token.rpartition(".")
    scope = f"{SCOPE}.{number}" if dot else SCOPE
    user = get_user(signed, scope=scope, max_age=settings.SESAME_MAX_AGE)
    if user is None:
        return None
    if not dot:
        return Login(user, None)
    grant = Grant.objects.filter(pk=int(number)).first()  # signed, so it is a number of ours
    return Login(user, grant.session) if grant else None
