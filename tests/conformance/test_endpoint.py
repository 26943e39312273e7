"""RFC 6455, case by case, on the endpoint that CONFORMANCE_URL names: docs/conformance.md."""

from __future__ import annotations

import os

import pytest

from tests.conformance.case import Case
from tests.conformance.endpoint import Profile, from_environment
from tests.conformance.results import Results, parameters

if "CONFORMANCE_URL" not in os.environ:
    pytest.skip("CONFORMANCE_URL names no endpoint to test", allow_module_level=True)

ENDPOINT = from_environment()


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest) -> Results:
    return Results(request.session, lambda profile: ENDPOINT)


@parameters(ENDPOINT.profile)
def test_rfc_6455(results: Results, profile: Profile, case: Case):
    results.check(profile, case)
