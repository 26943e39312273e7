"""``tandem routes``: what it changes, applies, remembers and takes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.ops.routes import cli
from tandem.ops.routes.apply import alone
from tandem.ops.routes.model import Route, load
from tests.stack import ROOT

TEXT = "# Ours.\n- path: /\n  upstream: wsgi\n\n- path: /feed/\n  upstream: asgi\n  share: 10\n"
# Stands for ``tandem replica routes``: notes what is applied, and refuses what has the word in it.
SCRIPT = """\
import pathlib, sys
assert sys.argv[1:3] == ["replica", "routes"]
text = pathlib.Path(sys.argv[3]).read_text()
if "REFUSED" in text:
    sys.exit("nginx: [emerg] no")
pathlib.Path("applied").write_text(text)
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a checkout whose replica takes routes as ``tandem replica routes`` would."""
    monkeypatch.chdir(tmp_path)
    for folder in ("deploy", "tandem"):
        (tmp_path / folder).mkdir()
    (tmp_path / "deploy/routes.yml").write_text(TEXT)
    (tmp_path / "tandem/__main__.py").write_text(SCRIPT)
    return tmp_path


def routes(checkout: Path) -> dict[str, Route]:
    """Return what the file says, having checked that it is what was applied."""
    file = checkout / "deploy/routes.yml"
    assert (checkout / "applied").read_text() == file.read_text()
    return {route.path: route for route in load(file)}


def test_a_move_is_written_applied_and_remembered(checkout: Path, capsys):
    assert cli.main(["move", "/api/feed/", "--to", "asgi", "--share", "10"]) == 0
    assert routes(checkout)["/api/feed/"] == Route("/api/feed/", "asgi", share=10)
    assert (checkout / "deploy/routes.yml").read_text().startswith(TEXT)
    assert cli.main(["history"]) == 0
    said = capsys.readouterr()
    assert "+  share: 10" in said.out
    assert said.out.splitlines()[-1].endswith(": move /api/feed/ --to asgi --share 10")
    assert "as it was found" in said.out


def test_a_move_is_remembered_as_it_was_typed(checkout: Path, capsys):
    typed = "move /feed/ --to asgi --mirror on --fallback off"
    assert cli.main(typed.split()) == 0
    assert f"tandem: {typed}: in force.\n" in capsys.readouterr().err
    cli.main(["history"])
    assert capsys.readouterr().out.endswith(f": {typed}\n")


def test_a_rollback_is_one_step_back_and_the_next_one_more(checkout: Path):
    for share in ("20", "30"):
        cli.main(["move", "/feed/", "--share", share])
    assert cli.main(["rollback"]) == 0
    assert routes(checkout)["/feed/"].share == 20
    assert cli.main(["rollback"]) == 0
    assert (checkout / "deploy/routes.yml").read_text() == TEXT
    assert cli.main(["rollback"]) == 3  # that is where it began
    cli.main(["move", "/feed/", "--share", "40"])
    assert cli.main(["rollback"]) == 0
    assert routes(checkout)["/feed/"].share == 10


def test_a_move_that_nginx_refuses_leaves_the_file_and_the_history(checkout: Path, capsys):
    assert cli.main(["move", "/REFUSED/", "--to", "asgi"]) == 3
    assert (checkout / "deploy/routes.yml").read_text() == TEXT
    assert not (checkout / "applied").exists()
    assert "tandem replica routes ended with 1" in capsys.readouterr().err
    cli.main(["history"])
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["/feed"], "/feed has no route; say where it goes: --to asgi"),
        (["/feed/", "--to", "wsgi", "--share", "10"], "deploy/routes.yml:7: share is for routes"),
        (["/feed/", "--mode", "sse", "--mirror", "on"], "only routes of mode http can be mirrored"),
        (["feed/", "--to", "asgi"], "path must begin with '/'"),
    ],
)
def test_a_move_that_is_not_allowed_changes_nothing(
    checkout: Path, capsys, arguments: list[str], sentence: str
):
    assert cli.main(["move", *arguments]) == 3
    assert sentence in capsys.readouterr().err
    assert (checkout / "deploy/routes.yml").read_text() == TEXT
    assert not (checkout / "applied").exists()


def test_back_to_wsgi_takes_out_what_wsgi_cannot_have(checkout: Path):
    cli.main(["move", "/feed/", "--fallback", "off", "--mirror", "on"])
    assert routes(checkout)["/feed/"] == Route("/feed/", "asgi", "http", 10, True, False)
    cli.main(["move", "/feed/", "--to", "wsgi"])
    assert routes(checkout)["/feed/"] == Route("/feed/", "wsgi", mirror=True)
    cli.main(["move", "/feed/", "--to", "asgi", "--mode", "sse"])
    assert routes(checkout)["/feed/"] == Route("/feed/", "asgi", "sse")


def test_moving_all_of_a_route_needs_no_share(checkout: Path):
    cli.main(["move", "/feed/", "--to", "asgi"])
    assert routes(checkout)["/feed/"] == Route("/feed/", "asgi")
    assert "share" not in (checkout / "deploy/routes.yml").read_text()


def test_a_dry_run_only_shows(checkout: Path, capsys):
    assert cli.main(["move", "/feed/", "--share", "20", "--dry-run"]) == 0
    assert "-  share: 10\n+  share: 20\n" in capsys.readouterr().out
    assert (checkout / "deploy/routes.yml").read_text() == TEXT
    assert not (checkout / "applied").exists()


def test_a_rollback_never_loses_an_edit(checkout: Path, capsys):
    cli.main(["move", "/feed/", "--share", "20"])
    file = checkout / "deploy/routes.yml"
    file.write_text(file.read_text() + "# by hand\n")
    assert cli.main(["rollback"]) == 3
    assert "was edited since it was applied" in capsys.readouterr().err
    assert cli.main(["apply"]) == 0
    assert cli.main(["rollback"]) == 0
    assert "# by hand" not in file.read_text()


def test_apply_checks_first_and_notes_a_change_only(checkout: Path, capsys):
    assert cli.main(["apply"]) == 0
    assert cli.main(["apply"]) == 0
    cli.main(["history"])
    assert len(capsys.readouterr().out.splitlines()) == 2  # as it was found, and apply
    (checkout / "deploy/routes.yml").write_text(TEXT + "  shade: 1\n")
    assert cli.main(["apply"]) == 3
    assert "deploy/routes.yml:8: unknown key 'shade'" in capsys.readouterr().err
    assert (checkout / "applied").read_text() == TEXT


def test_it_says_where_it_must_be_run(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "r.yml"
    file.write_text(TEXT)
    assert cli.main(["apply", "--routes", str(file)]) == 3
    assert "run this in the root of the checkout" in capsys.readouterr().err
    assert cli.main(["show"]) == 3
    assert "deploy/routes.yml: No such file or directory" in capsys.readouterr().err


def test_check_names_errors_and_warnings(checkout: Path, capsys):
    file = checkout / "deploy/routes.yml"
    file.write_text(TEXT + "\n- path: /x/\n  upstream: wsgi\n")
    assert cli.main(["check"]) == 0
    said = capsys.readouterr().out
    assert "warning: deploy/routes.yml:9: /x/ changes nothing: / (line 2) says the same" in said
    file.write_text(TEXT + "  mode: sse\n")
    assert cli.main(["check"]) == 3


def test_show_tells_which_route_serves_a_path(checkout: Path, capsys):
    cli.main(["show", "/feed/7/", "--json"])
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["path"], shown["share"], shown["line"]) == ("/feed/", 10, 5)
    cli.main(["show"])
    assert "/feed/  asgi      http  10 %" in capsys.readouterr().out


def test_two_at_once_do_not_mix(checkout: Path, capsys):
    with alone():
        assert cli.main(["move", "/feed/", "--share", "20"]) == 3
    assert "another 'tandem routes'" in capsys.readouterr().err
    assert cli.main(["move", "/feed/", "--share", "20"]) == 0


def test_it_is_a_command_of_tandem(checkout: Path):
    done = subprocess.run(
        [sys.executable, "-m", "tandem", "routes", "show"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "/feed/" in done.stdout
