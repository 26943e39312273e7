"""Where the traffic goes, and as whom."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field


def unverified() -> ssl.SSLContext:
    """Return a TLS context that takes the servers' self-signed certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


# Prints the keys of new sessions, each of another user.
SESSIONS = """
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
for number in range(50):
    user, _ = get_user_model().objects.get_or_create(username='load-%d' % number)
    session = SessionStore()
    session['_auth_user_id'] = str(user.pk)
    session['_auth_user_backend'] = 'django.contrib.auth.backends.ModelBackend'
    session['_auth_user_hash'] = user.get_session_auth_hash()
    session.save()
    print(session.session_key)
"""


def crowd(printed: str) -> tuple[str, ...]:
    """Return the cookies of the sessions that ``SESSIONS`` has printed."""
    return tuple(f"sessionid={key}" for key in printed.split())


@dataclass
class Site:
    """``host`` (``localhost:8443``) is what is asked for at ``address``:``port``."""

    host: str
    address: str
    port: int
    cookie: str  # of a session
    crowd: tuple[str, ...] = ()  # cookies of other users: what one may say is limited
    tls: ssl.SSLContext = field(default_factory=unverified)

    def cookie_of(self, number: int) -> str:
        """Return the cookie of one of many clients."""
        return self.crowd[number % len(self.crowd)] if self.crowd else self.cookie

    @property
    def name(self) -> str:
        """Return the host's name, without its port."""
        return self.host.partition(":")[0]

    @property
    def origin(self) -> str:
        """Return the Origin of the site's own pages."""
        return f"https://{self.host}"
