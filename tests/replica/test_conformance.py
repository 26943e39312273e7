"""RFC 6455, case by case, through nginx, in every style: docs/conformance.md.

`make test` runs a choice of the cases for each style, and `make soak`, or
CONFORMANCE_MATRIX=1, all.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.case import Case
from tests.conformance.cover import covering
from tests.conformance.endpoint import NOTIFICATIONS, PROFILES, Endpoint, Profile
from tests.conformance.results import Results, parameters
from tests.stack import Stack

# nginx checks the Origin of all of them.
BEHIND_NGINX = [replace(profile, checks_origin=True) for profile in PROFILES.values()]
TOKEN_SECONDS = 10  # of the 30 that one is good for


def tokens(stack: Stack) -> Callable[[], str]:
    """Return a source of tokens for sockets, each used for a while, by one login at a time."""
    known: list[tuple[float, str]] = []
    one = threading.Lock()

    def token() -> str:
        with one:
            return fresh()

    def fresh() -> str:
        if not known or time.monotonic() - known[-1][0] > TOKEN_SECONDS:
            with stack.client("demo") as client:
                answer = client.post(
                    "/accounts/socket-token/",
                    headers={"Referer": stack.origin, "X-CSRFToken": client.cookies["csrftoken"]},
                )
            assert answer.status_code == 200, answer.text
            known.append((time.monotonic(), answer.json()["token"]))
        return known[-1][1]

    return token


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, stack: Stack) -> Results:
    cookie = stack.cookie("demo")

    def endpoint(profile: Profile) -> Endpoint:
        return Endpoint(
            profile,
            f"wss://localhost:{stack.https_port}{profile.path}",
            origin=stack.origin,
            cookie=cookie,
            # The engine's port forwarding resets connections while the machine is busy.
            at=(stack.address(), 443),
            first=tokens(stack) if profile.name == NOTIFICATIONS.name else None,
        )

    return Results(request.session, endpoint)


ALL = os.environ.get("CONFORMANCE_MATRIX") == "1"


@parameters(*BEHIND_NGINX, chosen=None if ALL else covering(BEHIND_NGINX))
def test_rfc_6455(results: Results, profile: Profile, case: Case):
    results.check(profile, case)
