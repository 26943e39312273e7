"""What the suite has to know of an endpoint before it can judge it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Profile:
    """How a kind of endpoint behaves: decides which cases suit it."""

    name: str
    path: str = "/"
    # What it answers to a text message; None: something else, or nothing.
    echo: Callable[[str], str] | None = None
    echoes_binary: bool = False  # bytes come back as they are
    # A text, and what it answers to that one.
    says: tuple[str, str] | None = None
    limit: int = 65536  # bytes of the largest message: WS_MESSAGE_LIMIT_BYTES
    checks_origin: bool = False  # a foreign Origin is refused
    # What plain HTTP gets; another status than 4xx where the path serves both.
    plain_http: int = 426
    at_once: int = 16  # cases that may run side by side
    # Cases that fail because of a library that we do not replace, and how it is at fault.
    faults: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """Where an endpoint is, and how to get in."""

    profile: Profile
    url: str  # ws:// or wss://, with path
    origin: str = ""
    cookie: str = ""
    # Gives what must be sent as the first text message: a token.
    first: Callable[[], str] | None = None
    verify: bool = False  # the certificate
    headers: dict[str, str] = field(default_factory=dict)
    at: tuple[str, int] | None = None  # where to connect to, if not to what the URL names

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port to connect to."""
        if self.at:
            return self.at
        parts = urlsplit(self.url)
        assert parts.hostname, f"{self.url} names no host"
        return parts.hostname, parts.port or (443 if self.tls else 80)

    @property
    def target(self) -> str:
        """What the request line asks for."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def host(self) -> str:
        """The Host header."""
        return urlsplit(self.url).netloc

    @property
    def tls(self) -> ssl.SSLContext | None:
        """How to speak TLS, if at all."""
        if urlsplit(self.url).scheme != "wss":
            return None
        context = ssl.create_default_context()
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def same(text: str) -> str:
    """Return ``text``: what an echo does."""
    return text


ECHO = Profile("echo", "/ws/echo/", echo=same, echoes_binary=True, says=("Hello", "Hello"))
RAW = Profile("raw", "/ws/raw/", says=("ping", "pong!"))
# A synchronous view holds a thread for each socket.
LOWER_CASE = Profile(
    "lower-case", "/legacy/lower-case/", echo=str.lower, says=("Hello", "hello"),
    plain_http=200, at_once=4,
)  # fmt: skip
# docs/conformance.md explains them.
PING_COUNTED = "websockets counts a control frame as a part of the message around it"
TEXT_LATE = "websockets checks text when it is fetched, after it has answered what followed"
NO_ANSWER = "websockets drops a request with a body without an answer, and nginx says 502"
# Takes tokens and nothing else, so it has a limit of its own; served by websockets alone.
NOTIFICATIONS = Profile(
    "notifications",
    "/ws/notifications/",
    limit=4096,
    faults={
        "4.2.1-body-is-answered": NO_ANSWER,
        "5.4-ping-between-fragments-at-the-limit-is-answered": PING_COUNTED,
        "10.4-fragments-over-the-limit-with-pings-get-1009": PING_COUNTED,
        "8.1-ping-in-the-segment-of-a-wrong-text-fails-as-well": TEXT_LATE,
        "8.1-ping-after-a-wrong-text-is-ignored": TEXT_LATE,
        "8.1-close-in-the-segment-of-a-wrong-text-fails-as-well": TEXT_LATE,
        "8.1-close-after-a-wrong-text-is-ignored": TEXT_LATE,
    },
)
CHAT = Profile("chat", "/ws/chat/conformance/")
PROFILES = {profile.name: profile for profile in (ECHO, RAW, LOWER_CASE, NOTIFICATIONS, CHAT)}


def from_environment() -> Endpoint:
    """Return the endpoint that the ``CONFORMANCE_…`` variables describe (docs/conformance.md)."""
    settings = os.environ
    profile = PROFILES[settings.get("CONFORMANCE_PROFILE", "echo")]
    limit = int(settings.get("CONFORMANCE_LIMIT_BYTES", profile.limit))
    origin = settings.get("CONFORMANCE_ORIGIN", "")
    token = settings.get("CONFORMANCE_FIRST", "")
    return Endpoint(
        replace(profile, limit=limit, checks_origin=bool(origin)),
        settings["CONFORMANCE_URL"],
        origin=origin,
        cookie=settings.get("CONFORMANCE_COOKIE", ""),
        first=(lambda: token) if token else None,
        verify=settings.get("CONFORMANCE_VERIFY") == "1",
    )
