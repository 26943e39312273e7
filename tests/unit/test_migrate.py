"""docs/migrate.md: each of its commands is run by the walk, or by a test that is named."""

from __future__ import annotations

import re

from tests.checkout import ROOT
from tests.sites.walk import ELSEWHERE, Code, inline, steps


def test_each_command_of_a_sentence_is_walked_or_named():
    walked = {step for step in steps() if isinstance(step, str)} | set(ELSEWHERE)
    # "make provision" in a sentence is the one of the block, for the same inventory.
    begins = tuple(inline())
    assert "make check" in begins
    missing = [command for command in begins if not any(c.startswith(command) for c in walked)]
    assert not missing


def test_what_is_walked_elsewhere_is_still_in_the_page_and_the_test_is_there():
    found = {step for step in steps() if isinstance(step, str)} | inline()
    for command, (test, reason) in ELSEWHERE.items():
        assert command in found
        assert reason
        file, _, name = test.partition("::")
        assert re.search(rf"^(async )?def {name or 'test_'}", (ROOT / file).read_text(), re.M)


def test_the_pages_files_say_where_they_belong():
    assert [step.file for step in steps() if isinstance(step, Code)] == [
        "shop/asgi.py",
        "shop/urls.py",
    ]
