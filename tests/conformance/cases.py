"""All cases: importing a module of them adds them."""

from __future__ import annotations

from tests.conformance import (
    closing,
    control,
    fragmentation,
    framing,
    handshake,
    sizes,
    utf8,
)
from tests.conformance.case import CASES, Case
from tests.conformance.endpoint import Profile

MODULES = (handshake, framing, fragmentation, control, closing, utf8, sizes)


def cases_for(profile: Profile) -> list[Case]:
    """Return the cases that suit an endpoint."""
    return [case for case in CASES if case.suits(profile)]
