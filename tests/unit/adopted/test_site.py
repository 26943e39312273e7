"""A site, laid out as this checkout is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tandem.ops.adopt.model import load
from tandem.ops.adopt.source import copy, files
from tandem.ops.checkout import packages, site
from tandem.ops.checkout.programs import Failed, Programs
from tandem.ops.routes.site import beginning, enter, socket_paths
from tests.checkout import ROOT


@pytest.fixture
def described(tmp_path: Path):
    """Give a function that returns a site of this tandem.yml."""

    def read(text: str = ""):
        file = tmp_path / "tandem.yml"
        file.write_text(f"name: shop\nsettings: shop.settings\n{text}")
        return load(file)

    return read


def sourced(environment: str, name: str, **variables: str) -> str:
    """Return a variable of a site.env as bash reads it."""
    return subprocess.run(
        ["bash", "-euc", f'{environment}\nprintf %s "${{{name}}}"'],
        env=variables, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def test_values_reach_the_processes_as_they_are(described):
    text = 'environment: {GREETING: "it\'s $HOME `x` \\"y\\""}\n'
    assert sourced(site.site_env(described(text)), "GREETING") == 'it\'s $HOME `x` "y"'


def test_the_environment_of_the_place_comes_first(described):
    environment = site.site_env(described("environment: {MAIL: nobody}\n"))
    assert sourced(environment, "MAIL") == "nobody"
    assert sourced(environment, "MAIL", MAIL="somebody") == "somebody"


def test_the_address_of_a_site_is_not_taken_for_its_folder(described):
    text = "root: backend\nenvironment: {SITE_ROOT: https://example.org}\n"
    assert sourced(site.site_env(described(text)), "SITE_ROOT") == "https://example.org"
    assert "SITE_ROOT" not in site.site_env(described("root: backend\n"))


def test_everything_goes_to_wsgi_and_the_sockets_to_asgi(described):
    text = beginning(described("asgi: shop.asgi:application\nwebsocket_paths: [/live/]\n"))
    assert text == (
        "- path: /\n  upstream: wsgi\n\n- path: /live/\n  upstream: asgi\n  mode: websocket\n"
    )


def test_the_routes_of_an_adopted_site_are_beside_its_file(described, tmp_path, monkeypatch):
    shop = described("websocket_paths: []\n")
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "tandem.yml").write_text("name: shop\nsettings: shop.settings\nrequirements: []\n")
    monkeypatch.setenv("SITE", str(folder))
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "")
    monkeypatch.delenv("COMPOSE_PROJECT_NAME")
    monkeypatch.setenv("NOTIFY_INSTANCES", "0")
    assert enter() == folder / "routes.yml"
    assert (folder / "routes.yml").read_text() == beginning(shop)
    assert os.environ["COMPOSE_PROJECT_NAME"] == "tandem-shop"
    monkeypatch.setenv("SITE", str(tmp_path / "nowhere"))
    with pytest.raises(SystemExit, match="nowhere"):
        enter()


def test_sockets_are_taken_where_the_routes_say_so(described, tmp_path, monkeypatch):
    monkeypatch.setenv("SITE", str(tmp_path))
    described("asgi: shop.asgi:application\nwebsocket_paths: [/live/]\nrequirements: []\n")
    assert socket_paths(tmp_path) == ["/live/"]
    (tmp_path / "routes.yml").write_text(
        "- {path: /, upstream: wsgi}\n- {path: /chat/, upstream: asgi, mode: mixed}\n"
    )
    assert socket_paths(tmp_path) == ["/chat/"]
    monkeypatch.delenv("SITE")
    assert "/ws/" in socket_paths(ROOT)


def test_processes_become_services_and_commands(described):
    shop = described('processes: {worker: "celery -A shop worker"}\n')
    (name, service) = next(iter(json.loads(site.services(shop))["services"].items()))
    assert name == "worker"
    assert service["command"][-2:] == ["process", "worker"]
    assert sourced(site.site_env(shop), "SITE_PROCESSES") == "worker celery -A shop worker"


def test_what_git_ignores_and_what_tools_leave_is_not_copied(tmp_path: Path):
    folder = tmp_path / "shop"
    for name in ("shop/urls.py", ".venv/bin/python", "node_modules/x.js", "shop/__pycache__/u.pyc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    assert [p.relative_to(folder).as_posix() for p in files(folder)] == ["shop/urls.py"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / ".gitignore").write_text(".venv\nnode_modules\n__pycache__\nsecret.py\n")
    (folder / "secret.py").write_text("")
    names = sorted(p.relative_to(folder).as_posix() for p in files(folder))
    assert names == [".gitignore", "shop/urls.py"]


def test_what_git_ignores_is_copied_if_it_is_named(tmp_path: Path):
    source, target = tmp_path / "shop", tmp_path / "copy"
    (source / "static/made").mkdir(parents=True)
    for name in (".gitignore", "static/made/app.js", "static/other.js", "one.js"):
        (source / name).write_text("static\none.js\n")
    subprocess.run(["git", "init", "-q", source], check=True)
    copy(source, target, ("static/made", "one.js"))
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == {".gitignore", "static/made/app.js", "one.js"}


def test_submodules_and_linked_folders_are_copied(tmp_path: Path):
    folder = tmp_path / "shop"
    for name in ("pages/a.html", "lib/lib/__init__.py", "empty/x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    (folder / "templates").symlink_to("pages")
    (folder / "itself").symlink_to(".")
    (folder / "elsewhere").symlink_to("/on/another/machine")
    (folder / "empty/x").unlink()  # a submodule that was never fetched
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for place in ("lib", "empty", "."):
        subprocess.run([*git, "init", "-q", folder / place], check=True)
        subprocess.run([*git, "-C", folder / place, "add", "."], check=True, capture_output=True)
        commit = [*git, "-C", folder / place, "commit", "-q", "--allow-empty", "-m", "a"]
        subprocess.run(commit, check=True)
    names = sorted(p.relative_to(folder).as_posix() for p in files(folder))
    assert names == ["lib/lib/__init__.py", "pages/a.html", "templates/a.html"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("uv.lock", '[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\n'
         'dependencies = [{ name = "django" }]\n'
         '[[package]]\nname = "django"\nversion = "5.2.9"\n'),
        ("poetry.lock", '[[package]]\nname = "django"\nversion = "5.2.9"\n'),
        ("Pipfile.lock", '{"default": {"django": {"version": "==5.2.9"}, "shop": {"path": "."}}}'),
    ],
)  # fmt: skip
def test_lock_files_of_other_tools_are_kept_to(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_text(text)
    assert packages.pins(tmp_path / name) == ["django==5.2.9"]


def test_a_lock_with_the_site_itself_and_a_fork_is_kept_to(tmp_path: Path):
    lock = tmp_path / "uv.lock"
    lock.write_text(
        '[[package]]\nname = "shop"\nsource = { editable = "." }\n'
        'dependencies = [{ name = "part" }, { name = "numpy" }]\n'
        '[[package]]\nname = "part"\nversion = "1"\nsource = { directory = "part" }\n'
        '[[package]]\nname = "numpy"\nversion = "1"\nsource = { registry = "x" }\n'
        "resolution-markers = [\"python_version < '3.12'\"]\n"
        '[[package]]\nname = "numpy"\nversion = "2"\nsource = { registry = "x" }\n'
        "resolution-markers = [\"python_version > '3.11'\", \"os_name == 'nt'\"]\n"
    )
    assert packages.pins(lock) == [
        "numpy==1 ; (python_version < '3.12')",
        "numpy==2 ; (python_version > '3.11') or (os_name == 'nt')",
    ]


def test_servers_of_the_sites_own_lock_give_way_to_tandems(described, tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "resolve", lambda *_: "django==5.2\npsycopg==3.2\n")
    (tmp_path / "requirements.txt").write_text("gunicorn==19\nasgiref==3.8\n")
    packages.lock(described(), tmp_path, tmp_path, tmp_path, "trixie", Programs({}))
    replaced = (tmp_path / "resolve/overrides.in").read_text()
    assert all(f"{name}==" in replaced for name in packages.servers_used())
    assert "asgiref>=" in replaced


def test_what_the_settings_of_tandem_need_is_added_once(described):
    assert packages.missing(described(), "django==5.2\nchannels==4.3\n") == [
        packages.PSYCOPG,
        packages.extras()["channels"]["channels-redis"],
    ]
    assert packages.missing(described(), "psycopg2==2.9\nchannels==4\nchannels-redis==4\n") == []
    assert packages.missing(described("database: own\nredis: false\n"), "channels==4\n") == []


def test_another_content_is_another_release(described, tmp_path: Path):
    context = tmp_path / "context"
    (context / "app").mkdir(parents=True)
    (context / "app/a.py").write_text("1")
    one = site.release(described(), context)
    (context / "app/a.py").write_text("2")
    assert one != site.release(described(), context)


def test_a_folder_without_a_description_is_told_what_writes_one(tmp_path: Path):
    with pytest.raises(Failed) as failed:
        site.prepare(tmp_path, "trixie", Programs({}))
    assert str(failed.value) == (
        f"{tmp_path}/tandem.yml does not exist; 'tandem adopt {tmp_path}' writes it."
    )
