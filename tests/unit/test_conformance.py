"""RFC 6455, case by case, on our Uvicorn alone: docs/conformance.md."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.case import Case
from tests.conformance.cases import cases_for
from tests.conformance.endpoint import ECHO, Endpoint, Profile
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
