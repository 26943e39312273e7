"""Each case a test of its own, and yet all of an endpoint side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.case import Case
from tests.conformance.cases import cases_for
from tests.conformance.endpoint import TEXT_LATE, Endpoint, Profile
from tests.conformance.run import Outcomes, run_all


def parameters(
    *profiles: Profile, chosen: dict[str, list[Case]] | None = None
) -> pytest.MarkDecorator:
    """Parametrise a test by ``profile`` and ``case``.

    The cases are ``chosen``, by the name of the profile, or all that suit it.
    """
    return pytest.mark.parametrize(
        ("profile", "case"),
        [
            pytest.param(profile, case, id=f"{profile.name}-{case.id}", marks=_marks(profile, case))
            for profile in profiles
            for case in (chosen[profile.name] if chosen else cases_for(profile))
        ],
    )


def _marks(profile: Profile, case: Case) -> list[pytest.MarkDecorator]:
    reason = profile.faults.get(case.id)
    # Which of two frames counts depends on how they arrive; the others always fail.
    strict = reason != TEXT_LATE
    return [pytest.mark.xfail(reason=reason, strict=strict)] if reason else []


class Results:
    """Runs the chosen cases of a profile at the first question about one of them."""

    def __init__(self, session: pytest.Session, endpoint: Callable[[Profile], Endpoint]) -> None:
        self._session = session
        self._endpoint = endpoint
        self._outcomes: dict[str, Outcomes] = {}

    def check(self, profile: Profile, case: Case) -> None:
        """Raise what was wrong in ``case``."""
        if profile.name not in self._outcomes:
            chosen = self._chosen(profile)
            self._outcomes[profile.name] = run_all(self._endpoint(profile), chosen)
        error = self._outcomes[profile.name][case.id]
        if error is not None:
            raise error

    def _chosen(self, profile: Profile) -> list[Case]:
        # -k and node ids choose: one case must not take the time of all.
        found: dict[str, Case] = {}
        for item in self._session.items:
            chosen = getattr(getattr(item, "callspec", None), "params", {})
            if chosen.get("profile") is profile:
                found[chosen["case"].id] = chosen["case"]
        return list(found.values())
