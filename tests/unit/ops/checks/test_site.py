"""``tandem check`` on a site with every pitfall, and on its clean twin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.stack import ROOT

HERE = Path(__file__).parent
PLANTED, CLEAN = HERE / "planted", HERE / "clean"
MARK = re.compile(r"  #((?: [WI]\d{3})+)$")
# Found under settings of their own only, see the tests below.
ELSEWHERE = {"W013", "W026"}
# The line of the first synchronous query.
FIRST = (PLANTED / "shop/orm.py").read_text().splitlines().index(
    "    first = Order.objects.get(pk=1)  # W031"
) + 1  # fmt: skip


def check(
    *arguments: str, program: tuple[str, ...] = ("-m", "tandem", "check"), cwd: Path = ROOT,
    **environment: str,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "TANDEM_"))}
    return subprocess.run(
        [sys.executable, *program, *arguments], cwd=cwd, capture_output=True, text=True,
        env={**clean, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def report(folder: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    done = check("--path", str(folder), "--format", "json", *arguments, **environment)
    assert done.returncode in (0, 1), done.stderr
    return {**json.loads(done.stdout), "status": done.returncode}


def places(found: dict[str, Any], folder: Path) -> list[tuple[str, str, int]]:
    return sorted(
        (f["id"].removeprefix("tandem."), str(Path(f["file"]).relative_to(folder)), f["line"])
        for f in found["findings"]
    )


def marks(folder: Path) -> list[tuple[str, str, int]]:
    return sorted(
        (code, str(file.relative_to(folder)), number)
        for file in folder.rglob("*")
        if file.suffix in (".py", ".html", ".js")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (match := MARK.search(line))
        for code in match[1].split()
    )


@pytest.fixture(scope="module")
def planted() -> dict[str, Any]:
    return report(PLANTED)


@pytest.fixture(scope="module")
def clean() -> dict[str, Any]:
    return report(CLEAN)


def test_every_planted_pitfall_is_found_on_its_line_and_nothing_else(planted: dict[str, Any]):
    expected = [mark for mark in marks(PLANTED) if mark[0] not in ELSEWHERE]
    assert len(expected) > 60
    assert places(planted, PLANTED) == expected
    assert planted["upstreams_compared"]


def test_on_the_clean_twin_nothing_is_found(clean: dict[str, Any]):
    assert clean["findings"] == []
    assert clean["upstreams_compared"]
    assert clean["files"] >= 10


def test_the_pitfalls_are_found_without_ruff_as_well(planted: dict[str, Any], tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util, sys\n"
        "class Nothing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'ruff': raise ModuleNotFoundError(name)\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda n, p=None: None if n == 'ruff' else find(n, p)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    found = report(PLANTED, PATH="/nowhere", PYTHONPATH=path)
    assert planted["ruff"]
    assert not found["ruff"]
    assert places(found, PLANTED) == places(planted, PLANTED)


@pytest.mark.parametrize(
    ("settings", "code", "place"),
    [
        ("guarded_settings", "W013", "shop/guarded_settings.py:5"),
        ("plain_settings", "W019", "shop/consumers.py:8"),
        ("broken_settings", "W026", "shop/broken_settings.py:5"),
    ],
)
def test_the_asgi_application_is_taken_apart(settings: str, code: str, place: str):
    found = report(PLANTED, "--settings", f"shop.{settings}")
    at = {f"{file}:{line}" for found_code, file, line in places(found, PLANTED)
          if found_code == code}  # fmt: skip
    assert at == {place}


def test_each_address_has_a_verdict_with_its_reasons(
    planted: dict[str, Any], clean: dict[str, Any]
):
    verdicts = {a["route"]: (a["verdict"], {r["id"] for r in a["reasons"]})
                for a in planted["addresses"]}  # fmt: skip
    assert verdicts["/one/"] == (
        "not ready", {"tandem.W031", "tandem.W042", None},
    )  # fmt: skip
    assert verdicts["/many/"][1] == {
        "tandem.W031", "tandem.W032", "tandem.W039", "tandem.W042", None,
    }  # fmt: skip
    assert verdicts["/export/"] == ("not ready", {"tandem.W041", None})
    assert verdicts["/document/"] == ("ready with cost", {"tandem.I045", None})
    assert verdicts["/wrapped/"][1] >= {"tandem.W046"}
    assert verdicts["/orders/"][1] >= {"tandem.W043"}
    assert verdicts["/ws/room/"][1] == {"tandem.W016", "tandem.W031"}
    assert verdicts["/chat/stream/"] == ("not ready", {"tandem.W031"})
    assert verdicts["/ws/bare/"][1] == {"tandem.W027", "tandem.W031"}
    of_clean = {a["route"]: a["verdict"] for a in clean["addresses"]}
    assert of_clean.pop("/plain/") == "ready with cost"  # synchronous
    assert set(of_clean.values()) == {"ready"}


def test_a_helper_called_on_the_event_loop_counts_for_the_view_that_calls_it(
    planted: dict[str, Any],
):
    (many,) = [a for a in planted["addresses"] if a["route"] == "/many/"]
    line = "    return Order.objects.last()  # W031"
    number = (PLANTED / "shop/orm.py").read_text().splitlines().index(line) + 1
    reasons = [r for r in many["reasons"] if r["id"] == "tandem.W031"]
    assert number in {r["line"] for r in reasons}
    # One of another file, through a third function; another view calls it, too.
    services = str(PLANTED / "shop/services.py")
    (lazy,) = [a for a in planted["addresses"] if a["route"] == "/lazy/"]
    assert services in {r["file"] for r in reasons}
    assert services in {r["file"] for r in lazy["reasons"]}


def test_the_exit_status_tells_whether_something_would_break(
    planted: dict[str, Any], clean: dict[str, Any]
):
    assert (planted["status"], clean["status"]) == (1, 0)


def test_the_text_names_line_reason_cure_and_cost():
    text = check("--path", str(PLANTED)).stdout
    assert "tandem.W031  Synchronous ORM call in async code" in text
    assert f"tests/unit/ops/checks/planted/shop/orm.py:{FIRST}\n" in text
    assert "Order.objects.get() is synchronous." in text
    assert "SynchronousOnlyOperation" in text
    assert "  cost  A thread hop per call" in text
    assert "✗ not ready" in text


def test_settings_for_development_are_said_to_hide_something(tmp_path: Path):
    (tmp_path / "development.py").write_text(
        "from shop.settings import *\nDEBUG = True\nDATABASES['default']['CONN_MAX_AGE'] = None\n"
    )
    done = check(
        "--path", str(PLANTED), "--settings", "development",
        PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]),
    )  # fmt: skip
    assert "DEBUG is on: caches, layers, hosts and proxy headers were not judged" in done.stdout
    assert "tandem.W011" not in done.stdout
    assert "CONN_MAX_AGE of 'default' is None under ASGI" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--path", "/nowhere"], "/nowhere is no folder"),
        (["--path", str(HERE)], "give --settings"),
        (["--path", str(CLEAN), "--settings", "shop.none"], "No module named 'shop.none'"),
        (["--path", str(CLEAN), "--package", "nobodys"], "No module named 'nobodys'"),
    ],
)
def test_a_site_that_cannot_be_loaded_is_refused_in_one_sentence(
    arguments: list[str], complaint: str
):
    done = check(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.startswith("tandem: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_manage_py_runs_the_checks_where_tandem_is_installed(tmp_path: Path):
    (tmp_path / "with_tandem.py").write_text(
        "from shop.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'tandem']\n"
        "SILENCED_SYSTEM_CHECKS = ['tandem.W038']\n"
    )
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = check(
        "--tag", "async", "--settings", "with_tandem", program=("manage.py", "check"), cwd=PLANTED,
        PYTHONPATH=paths,
    )  # fmt: skip
    assert "(tandem.W031) Order.objects.get() is synchronous." in done.stderr
    assert f"shop/orm.py:{FIRST}: " in done.stderr
    assert "HINT: Use the method with an 'a'" in done.stderr
    assert "tandem.W038" not in done.stderr


def test_other_commands_do_not_wait_for_the_checks(tmp_path: Path):
    (tmp_path / "with_tandem.py").write_text(
        "from shop.settings import *\nINSTALLED_APPS = [*INSTALLED_APPS, 'tandem']\n"
    )
    done = check(
        "--settings", "with_tandem", program=("manage.py", "diffsettings"), cwd=PLANTED,
        PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "tandem.W" not in done.stderr
