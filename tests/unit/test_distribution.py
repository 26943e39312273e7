"""What `pip install tandem[…]` brings: no part imports what it does not declare."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from email import message_from_bytes
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tandem.ops.adopt.database import PSYCOPG
from tests.checkout import ROOT
from tests.library.wheel import built

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, GROUPS = PYPROJECT["project"], PYPROJECT["dependency-groups"]
EXTRAS = PROJECT["optional-dependencies"]
# Which modules of the library need an extra; all others import without any.
NEEDS = {
    "tandem/channel_layer.py": "channels",
    "tandem/consumers.py": "channels",
    "tandem/leases.py": "redis",
    "tandem/limits.py": "redis",
    "tandem/postgresql": "postgres",
    "tandem/server/http.py": "server",
    "tandem/server/rfc6455.py": "server",
    "tandem/server/websocket.py": "server",
    "tandem/ops": "ops",
}
# What they bring is run by its name, or chosen in the settings.
NOT_IMPORTED = {
    "gunicorn", "httptools", "uvloop", # deploy/gunicorn.conf.py, deploy/uvicorn.env
    "psycopg", # Django imports it for the example
}  # fmt: skip
DISTRIBUTIONS = packages_distributions()
SITE = {file.parent.name for file in (ROOT / "app").glob("*/__init__.py")}


def names(requirements: Iterable[str]) -> set[str]:
    """Return the distributions of requirements."""
    return {canonicalize_name(Requirement(one).name) for one in requirements}


def imported(file: Path) -> set[str]:
    """Return the distributions that a file cannot be imported, or used, without."""
    found: set[str] = set()
    tree = ast.parse(file.read_text())
    # ``try: import … except ImportError`` is for whoever has it.
    optional = {
        node
        for attempt in ast.walk(tree)
        if isinstance(attempt, ast.Try)
        and any(
            isinstance(h.type, ast.Name) and h.type.id == "ImportError" for h in attempt.handlers
        )
        for one in attempt.body
        for node in ast.walk(one)
    }
    for node in ast.walk(tree):
        if node in optional:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    ours = {"tandem", *SITE, *sys.stdlib_module_names}
    return {canonicalize_name(DISTRIBUTIONS[name][0]) for name in found - ours}


def extra(file: Path) -> str:
    """Return the extra that a file of the package belongs to, or nothing."""
    name = file.relative_to(ROOT).as_posix()
    return next((e for place, e in NEEDS.items() if f"{name}/".startswith(f"{place}/")), "")


FILES = sorted((ROOT / "tandem").rglob("*.py"))


@pytest.mark.parametrize("part", ["", *sorted(set(NEEDS.values()))], ids=lambda part: part or "-")
def test_a_part_imports_what_it_declares_and_no_more(part: str):
    declared = names([*PROJECT["dependencies"], *EXTRAS.get(part, [])])
    found = {file: imported(file) - declared for file in FILES if extra(file) == part}
    assert found
    assert not {str(file): more for file, more in found.items() if more}


def test_nothing_is_declared_that_nobody_needs():
    everything = set().union(*(imported(file) for file in FILES))
    declared = names([*PROJECT["dependencies"], *chain(*EXTRAS.values())])
    # channels-redis brings msgpack, and Channels itself where a site has no group.
    assert declared - everything <= NOT_IMPORTED


def test_the_example_imports_what_it_declares():
    everything = set().union(*(imported(file) for file in (ROOT / "app").rglob("*.py")))
    declared = names(GROUPS["example"])
    settings = (ROOT / "app/config/settings.py").read_text()
    assert everything <= declared
    assert declared - everything <= NOT_IMPORTED
    assert '"pool"' in settings  # why its psycopg has an extra of its own


def test_the_driver_of_adopted_sites_is_that_of_the_extra():
    assert EXTRAS["postgres"] == [PSYCOPG]


@pytest.mark.parametrize("django", ["4.2.20", "5.2.13", "6.0", "6.0.4", "7.0"])
def test_a_django_with_known_faults_or_of_another_time_is_refused(django: str):
    (wanted,) = [Requirement(one) for one in PROJECT["dependencies"] if one.startswith("django")]
    assert django not in wanted.specifier
    assert all(version in wanted.specifier for version in ("5.2.14", "5.2.99", "6.0.5", "6.1.3"))


@pytest.mark.parametrize(
    ("lock", "django"),
    [
        ("requirements.lock", "5.2"),
        ("requirements-ops.lock", "5.2"),
        ("tests/library/django-6.lock", "6."),
    ],
)
def test_each_part_has_a_lock(lock: str, django: str):
    text = (ROOT / lock).read_text()
    assert re.search(rf"^django=={re.escape(django)}", text, re.M)
    locked = {canonicalize_name(one) for one in re.findall(r"^([\w.-]+)==", text, re.M)}
    parts = ["ops"] if "ops" in lock else EXTRAS
    assert names([*PROJECT["dependencies"], *chain(*(EXTRAS[part] for part in parts))]) <= locked
    assert ("gunicorn" in locked) == (parts is EXTRAS)
    assert "--hash=sha256:" in text


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Give the wheel of this checkout."""
    return zipfile.ZipFile(built(tmp_path_factory.mktemp("wheel")))


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: zipfile.ZipFile):
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "tandem").rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    assert packed == files
    assert {"tandem/ops/routes/schema.json", "tandem/ops/report/page.css"} < packed


def test_the_wheel_says_what_each_part_needs(wheel: zipfile.ZipFile):
    (place,) = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    metadata = message_from_bytes(wheel.read(f"{place}/METADATA"))
    required = [Requirement(one) for one in metadata.get_all("Requires-Dist", [])]
    assert set(metadata.get_all("Provides-Extra", [])) == set(EXTRAS)
    for part, declared in {"": PROJECT["dependencies"], **EXTRAS}.items():
        found = {
            r.name for r in required
            if (r.marker.evaluate({"extra": part}) if r.marker else not part)
        }  # fmt: skip
        assert {canonicalize_name(name) for name in found} == names(declared)
    assert b"tandem = tandem.__main__:main" in wheel.read(f"{place}/entry_points.txt")


WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Without())
{code}
"""
SETTINGS = """
from django.conf import settings
import django
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes",
    "django.contrib.sessions", "tandem"], ROOT_URLCONF="tandem.health.urls")
django.setup()
"""


def without(parts: Iterable[str], code: str) -> subprocess.CompletedProcess[str]:
    """Run code where the packages of some extras are not installed."""
    gone = names(chain(*(EXTRAS[part] for part in parts)))
    missing = {module for module, of in DISTRIBUTIONS.items() if canonicalize_name(of[0]) in gone}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing=missing, code=code)],
        cwd=ROOT, check=False, capture_output=True, text=True,
    )  # fmt: skip


def test_a_plain_site_needs_no_extra():
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in FILES
        if not extra(file) and "adopted" not in file.parts and "instance" not in file.parts
    ]
    done = without(EXTRAS, SETTINGS + "".join(f"import {module}\n" for module in modules))
    assert done.returncode == 0, done.stderr
    assert {"tandem.asgi", "tandem.revocation", "tandem.websocket"} < set(modules)


@pytest.mark.parametrize(
    ("module", "part"),
    [
        ("channel_layer", "channels"),
        ("consumers", "channels"),
        ("limits", "redis"),
        ("leases", "redis"),
        ("server.http", "server"),
        ("server.websocket", "server"),
    ],
)
def test_a_missing_extra_is_named(module: str, part: str):
    done = without(EXTRAS, f"{SETTINGS}import tandem.{module}")
    assert done.returncode == 1
    assert f"tandem: install tandem[{part}] (" in done.stderr.splitlines()[-1]


def test_the_command_says_its_help_without_its_extra():
    done = without(["ops"], "from tandem.__main__ import main\nsys.exit(main())")
    assert done.returncode == 0, done.stderr
    assert "  adopt " in done.stdout


@pytest.mark.parametrize("arguments", [["routes", "show"], ["adopt", "."]])
def test_the_command_without_its_extra_says_so(arguments: list[str]):
    code = f"import sys\nsys.argv = {['tandem', *arguments]}\n"
    code += "from tandem.__main__ import main\nsys.exit(main())"
    done = without(["ops"], code)
    assert done.returncode == 2
    assert re.fullmatch(r"tandem: install tandem\[ops\] \(\w+ is missing\)\n", done.stderr)
    assert not done.stdout
