"""Tokens with which a socket says who it is: short-lived, signed, stored nowhere.

For sockets that see no session: ``POST /accounts/socket-token/`` gives one to whoever is
logged in.  A token ends after ``SESAME_MAX_AGE`` seconds, with a new password and with
the account.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from sesame.utils import get_token, get_user

# A token for sockets opens nothing else, and no other token opens a socket.
SCOPE = "socket"


def token_for(user: Any) -> str:
    """Return a token with which ``user`` can open sockets."""
    return get_token(user, scope=SCOPE)


def user_of(token: str) -> Any | None:
    """Return the active user whose ``token`` this is; ``None``: it is wrong or too old.

    Asks the database: from asynchronous code call it in a thread.
    """
    return get_user(token, scope=SCOPE, max_age=settings.SESAME_MAX_AGE)
