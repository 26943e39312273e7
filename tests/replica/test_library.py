"""The parts alone on Debian 13's Python: the library on Django 6, and the operator's command.

The library on Django 5.2 and Python 3.11 is the unit layer's.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.checkout import ROOT
from tests.library.container import PYTHON, packages, run
from tests.library.wheel import built
from tests.stack import Stack

WHICH = "import sys, django; print('%d.%d' % sys.version_info[:2], django.VERSION[0])"


def test_the_library_passes_its_tests_on_django_6(stack: Stack):
    folder = packages(ROOT / "tests/library/django-6.lock")
    assert run(stack, folder, "-c", WHICH).split() == [PYTHON, "6"]
    said = run(stack, folder, "-m", "pytest", "-q", "-c", "tests/library/pytest.ini",
               "--rootdir", ".", "-p", "no:cacheprovider")  # fmt: skip
    passed = re.search(r"^(\d+) passed", said.splitlines()[-1])
    assert passed, said[-2000:]
    assert int(passed[1]) > 600


def test_the_command_runs_where_nothing_but_its_part_is_installed(stack: Stack, tmp_path: Path):
    folder = packages(ROOT / "requirements-ops.lock", built(tmp_path))
    assert not list(folder.glob("gunicorn*"))
    place = f"/usr/local/lib/python{PYTHON}/dist-packages"
    # Not in the checkout, whose own tandem/ would be found.
    said = run(stack, folder, "-P", f"{place}/bin/tandem", "help")
    assert "adopt" in said
    assert run(stack, folder, "-P", "-c", "import tandem; print(tandem.__file__)").startswith(place)
