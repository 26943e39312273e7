"""RFC 6455, case by case, on our Uvicorn alone: docs/conformance.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.conformance.case import Case
from tests.conformance.cases import CASES, cases_for
from tests.conformance.cover import covering, differs
from tests.conformance.endpoint import ECHO, PROFILES, Endpoint, Profile
from tests.conformance.results import Results, parameters
from tests.conformance.server import serving


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> Iterator[Results]:
    with serving(ECHO.limit) as url:
        yield Results(request.session, lambda profile: Endpoint(profile, url))


@parameters(ECHO)
def test_rfc_6455(results: Results, profile: Profile, case: Case):
    results.check(profile, case)


def test_there_are_more_than_a_hundred_cases_and_each_names_its_section():
    cases = cases_for(ECHO)
    assert len(cases) > 100
    assert all(case.id[0].isdigit() and "." in case.id.partition("-")[0] for case in cases)


def test_the_choice_for_every_day_has_each_case_and_all_that_differ_by_style():
    profiles = [replace(profile, checks_origin=True) for profile in PROFILES.values()]
    chosen = covering(profiles)
    assert {case.id for cases in chosen.values() for case in cases} == {case.id for case in CASES}
    for profile in profiles:
        ids = [case.id for case in chosen[profile.name]]
        assert len(ids) == len(set(ids))
        assert {case.id for case in cases_for(profile) if differs(case, profile)} <= set(ids)
        assert set(profile.faults) <= set(ids)
