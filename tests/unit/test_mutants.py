"""The list of planted faults does not rot, and some of it is tried in each run."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.checkout import ROOT, named
from tests.mutants.faults import Fault, load
from tests.mutants.run import Copy, green, judged, plant

FAULTS = load()
SOME = 5
# Pages that say what others did or measured, or how the rest is ordered.
PAGES_WITHOUT_A_PROMISE = {"README.md"}

SOUND = Fault(
    name="itself/buckets-never-refill",
    file="tandem/limits.py",
    old="(now - self._at) * self._per_second",
    new="0",
    promise="docs/chat.md: more than 20 frames a second for longer",
    test="tests/unit/test_limits.py::test_a_bucket_allows_a_burst_and_then_a_rate",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Give a copy of the checkout to break."""
    return Copy.make(tmp_path_factory.mktemp("mutants"))


def test_every_fault_can_still_be_planted_and_its_promise_and_test_are_there():
    assert not [sentence for fault in FAULTS for sentence in fault.complaints()]


def test_there_are_as_many_as_was_promised():
    assert len(FAULTS) >= 120


def test_every_page_of_the_documentation_is_hit():
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    hit = {fault.promise.partition(":")[0] for fault in FAULTS}
    assert not {page for page in pages - hit if Path(page).name not in PAGES_WITHOUT_A_PROMISE}


def test_every_promise_of_the_readme_is_hit():
    text = re.sub(r"\s+", " ", (ROOT / "README.md").read_text().replace("**", ""))
    what, _, _ = text.partition("## What you get ")[2].partition("## ")
    promises = what.split(" - ")
    words = [f.promise.partition(": ")[2] for f in FAULTS if f.promise.startswith("README.md: ")]
    assert len(promises) > 5
    assert not [promise for promise in promises if not any(word in promise for word in words)]


def test_some_quick_faults_are_found(copy: Copy):
    seed = os.environ.get("MUTANTS_SEED") or _commit()
    quick = sorted((fault for fault in FAULTS if fault.quick), key=lambda fault: fault.name)
    some = random.Random(seed).sample(quick, SOME)
    # Told on failure, and by pytest -s.
    sys.stdout.write(f"MUTANTS_SEED={seed}: {', '.join(fault.name for fault in some)}\n")
    assert not green(copy, some)
    found = {fault.name: plant(copy, fault) for fault in some}
    assert not {n: (o.state, o.says) for n, o in found.items() if o.state != "killed"}, seed


def _commit() -> str:
    """Return what the choice of a run depends on: the same one for the same commit."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()[:12] or "no commit"


# --- the harness itself ---


def test_a_fault_that_its_test_finds_is_killed(copy: Copy):
    assert plant(copy, SOUND).state == "killed"


def test_a_fault_that_changes_nothing_survives_and_leaves_no_trace(copy: Copy):
    before = (copy.folder / SOUND.file).read_text()
    harmless = replace(SOUND, new=f"({SOUND.old})")
    assert plant(copy, harmless).state == "survived"
    assert (copy.folder / SOUND.file).read_text() == before


def test_the_stack_of_a_copy_is_its_own(copy: Copy):
    """A fault in the replica must not meet the stack of the checkout that it is a copy of."""
    code = "from tests.checkout import named; print(named('replica'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy.folder, capture_output=True, text=True
    )
    assert done.stdout.startswith("tandem-test-")
    assert done.stdout.strip() != named("replica")


def test_a_test_that_cannot_start_kills_nothing(copy: Copy):
    outcome = plant(copy, replace(SOUND, new=")"))
    assert outcome.state == "error"


def test_a_test_that_is_red_without_the_fault_is_told(copy: Copy):
    missing = replace(SOUND, test="tests/unit/test_limits.py::test_that_is_not_there")
    assert set(green(copy, [SOUND, missing])) == {missing.test}


def test_a_text_that_is_not_there_once_is_an_error():
    with pytest.raises(ValueError, match=r"is 0 times in tandem/limits.py, not once"):
        replace(SOUND, old="nothing of the kind").planted((ROOT / SOUND.file).read_text())
    assert (
        "no test test_other"
        in replace(SOUND, test="tests/unit/test_limits.py::test_other").complaints()[0]
    )
    assert "does not say" in replace(SOUND, promise="docs/chat.md: all is well").complaints()[0]


@pytest.mark.parametrize(
    ("when", "error", "state"),
    [
        ("call", "AssertionError", "killed"),
        ("call", "Failed", "killed"),
        ("call", "KeyError", "error"),
        ("setup", "AssertionError", "error"),
        ("hung", "", "error"),
    ],
)
def test_only_an_assertion_of_the_test_itself_kills(when: str, error: str, state: str):
    noted = [{"test": "", "when": when, "outcome": "failed", "error": error, "says": ""}]
    assert judged(SOUND, noted)[0] == state
    assert judged(replace(SOUND, ends=("KeyError", "hung")), noted)[0] == (
        "killed" if error == "KeyError" or when == "hung" else state
    )


def test_a_test_that_hangs_kills_only_what_is_known_to_make_it():
    says = "Timeout (>180.0s) from pytest-timeout."
    noted = [{"test": "", "when": "call", "outcome": "failed", "error": "Failed", "says": says}]
    assert judged(SOUND, noted)[0] == "error"
    assert judged(replace(SOUND, ends=("hung",)), noted)[0] == "killed"


def test_a_skipped_test_is_no_test():
    noted = [{"test": "", "when": "setup", "outcome": "skipped", "error": "", "says": ""}]
    assert judged(SOUND, noted)[0] == "error"
