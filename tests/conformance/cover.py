"""A choice from the matrix of cases and profiles, for every day; `make soak` runs all of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from tests.conformance.case import Case, everywhere
from tests.conformance.cases import CASES, cases_for
from tests.conformance.endpoint import Profile


def differs(case: Case, profile: Profile) -> bool:
    """Tell whether a case may turn out in another way than on other profiles.

    It suits some profiles only, or its code reads the profile (a limit, an echo, a status), or
    the profile names it as a fault of its own.
    """
    reads = "profile" in case.run.__code__.co_names
    return reads or case.suits is not everywhere or case.id in profile.faults


def covering(profiles: Sequence[Profile]) -> dict[str, list[Case]]:
    """Return cases by the name of their profile.

    Each profile gets those that differ there; the others are dealt out, each to one profile, and
    so to each kind of endpoint some of every section.
    """
    chosen = {p.name: [c for c in cases_for(p) if differs(c, p)] for p in profiles}
    anywhere = [c for c in CASES if not any(differs(c, p) for p in profiles)]
    for case, profile in zip(anywhere, cycle(profiles), strict=False):
        chosen[profile.name].append(case)
    return chosen
