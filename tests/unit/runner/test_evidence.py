"""With a failure comes what the containers or servers said."""

from __future__ import annotations

TESTS = """
import pytest

class Stack:
    def said(self, since, lines):
        return f"nginx-1  | 502, one of {lines} lines since {since > 1e9}"

@pytest.fixture
def stack():
    return Stack()

def test_bad(stack):
    assert 1 == 2

def test_good(stack):
    pass
"""


def test_a_failure_shows_the_log_lines_since_its_test_began(inner):
    ran = inner(TESTS, "-p", "tests.runner.evidence")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["*what stack said*", "nginx-1  | 502, one of 40 lines since True"])
    assert ran.stdout.str().count("what stack said") == 1
