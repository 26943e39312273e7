"""All cases of RFC 6455 on all endpoints of the running site, through nginx."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.cases import cases_for
from tests.conformance.endpoint import NOTIFICATIONS, PROFILES, Endpoint
from tests.conformance.run import run_all
from tests.replica.test_conformance import tokens
from tests.stack import Stack


def failures(stack: Stack) -> tuple[int, list[str]]:
    """Return how many cases were run, and what is wrong beyond the faults that docs/ lists."""
    cookie, count, wrong = stack.cookie("demo"), 0, []
    for profile in PROFILES.values():
        guarded = replace(profile, checks_origin=True)  # by nginx
        cases = cases_for(guarded)
        endpoint = Endpoint(
            guarded,
            f"wss://localhost:{stack.https_port}{profile.path}",
            origin=stack.origin,
            cookie=cookie,
            first=tokens(stack) if profile.name == NOTIFICATIONS.name else None,
        )
        outcomes = run_all(endpoint, cases)
        count += len(outcomes)
        # Once more, alone: a case that the machine has not let come to its end says nothing.
        doubtful = [c for c in cases if outcomes[c.id] is not None and c.id not in profile.faults]
        again = run_all(endpoint, doubtful)
        wrong += [f"{profile.name} {case}: {error}" for case, error in again.items() if error]
    return count, wrong
