"""The shell of deploy/, run for real on folders of the test's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.checkout import ROOT
from tests.unit.deploy.nginx import Nginx

DEPLOY = ROOT / "deploy"


def program(folder: Path, name: str, text: str) -> Path:
    """Make a program."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)
    return path


def elsewhere(script: Path, folder: Path, **places: str) -> Path:
    """Return a copy of a script in which folders of a server are others."""
    text = script.read_text()
    for old, new in places.items():
        assert old in text, old
        text = text.replace(old, new)
    copy = folder / script.name
    copy.write_text(text)
    copy.chmod(0o755)
    return copy


# --- run.sh ---

SAYS = 'echo "${0##*/} $*"; env; pwd'


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Give a release whose programs only say what they were started with."""
    folder = tmp_path / "releases/r7"
    (folder / "deploy").mkdir(parents=True)
    (folder / "site/app").mkdir(parents=True)
    (folder / "deploy/run.sh").write_text((DEPLOY / "run.sh").read_text())
    (folder / "deploy/run.sh").chmod(0o755)
    for name in ("site.env", "sizes.env", "timeouts.env", "uvicorn.env"):
        (folder / "deploy" / name).write_text((DEPLOY / name).read_text())
    script = folder / "deploy/run.sh"
    script.write_text(script.read_text().replace("/var/tmp/home", f"{tmp_path}/home"))
    for name in ("gunicorn", "uvicorn", "python"):
        program(folder / "venv/bin", name, SAYS)
    (tmp_path / "current").symlink_to("releases/r7")
    return folder


def run(release: Path, *arguments: str, **environment: str) -> str:
    """Return what a part of the release says, started as ``current``."""
    done = subprocess.run(
        [release.parent.parent / "current/deploy/run.sh", *arguments],
        env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_process_runs_one_release_from_its_start_to_its_end(release: Path):
    said = run(release, "wsgi")
    assert f"gunicorn --config {release}/deploy/gunicorn.conf.py\n" in said
    assert "TANDEM_RELEASE=r7\n" in said  # not "current"
    assert f"PYTHONPATH={release}/site:{release}/site/app/\n" in said
    assert f"PATH={release}/venv/bin:/usr/bin:/bin\n" in said
    assert f"STATIC_ROOT={release}/static\n" in said
    assert f"\n{release}/site/app\n" in said
    # Releases are read-only, and are not to be slowed down by trying to write.
    assert "PYTHONDONTWRITEBYTECODE=1\n" in said
    assert "PYTHONUNBUFFERED=1\n" in said


def test_a_process_has_a_home_and_a_character_set_unless_the_site_names_its_own(release: Path):
    home = release.parent.parent / "home"
    said = run(release, "wsgi", HOME="/nonexistent")
    assert f"HOME={home}\n" in said
    assert "LANG=C.UTF-8\n" in said
    assert home.is_dir()
    with (release / "deploy/site.env").open("a") as settings:
        settings.write(f"HOME={home}/own\nLANG=de_DE.UTF-8\n")
    said = run(release, "wsgi")
    assert f"HOME={home}/own\n" in said
    assert "LANG=de_DE.UTF-8\n" in said
    assert (home / "own").is_dir()


def test_uvicorn_takes_the_socket_it_is_given_and_has_time_for_the_drain(release: Path):
    said = run(release, "asgi", SOCKET_DRAIN_SECONDS="30")
    assert "uvicorn --fd 3 config.asgi:application\n" in said
    assert "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=45\n" in said
    assert "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=25\n" in run(release, "asgi")


def test_uvicorn_has_its_own_settings_and_gunicorn_does_not(release: Path):
    # Both read FORWARDED_ALLOW_IPS.
    said = run(release, "asgi")
    assert "UVICORN_FORWARDED_ALLOW_IPS=*\n" in said
    assert "UVICORN_LOOP=uvloop\n" in said
    assert "FORWARDED_ALLOW_IPS" not in run(release, "wsgi")


@pytest.mark.parametrize("kind", ["wsgi", "asgi", "notify"])
def test_timeouts_are_everybodys_and_what_the_process_is_told_comes_first(release: Path, kind: str):
    assert "UVICORN_WS_PING_INTERVAL=30\n" in run(release, kind)
    told = run(release, kind, UVICORN_WS_PING_INTERVAL="0")
    assert "UVICORN_WS_PING_INTERVAL=0\n" in told
    assert "UVICORN_WS_PING_INTERVAL=30\n" not in told


def test_the_other_parts_are_those_of_the_release(release: Path):
    assert "python -m notifications.server\n" in run(release, "notify")
    assert "python -m tandem.instance.load\n" in run(release, "load")
    # A release whose notification server cannot be imported is not to be rolled out.
    for count, modules in (("2", " notifications.server"), ("0", "")):
        said = run(release, "load", NOTIFY_INSTANCES=count)
        assert f"python -m tandem.instance.load{modules}\n" in said
    assert "python manage.py shell -c 1\n" in run(release, "manage", "shell", "-c", "1")
    assert "python manage.py migrate --noinput -v1\n" in run(release, "setup")
    assert "python manage.py collectstatic --noinput -v0\n" in run(release, "static")
    assert "tandem: usage: run.sh" in run(release, "nothing")


def test_a_process_of_the_sites_own_runs_its_command_and_no_other(release: Path):
    environment = release / "deploy/site.env"
    text = environment.read_text()
    processes = "SITE_PROCESSES='worker echo works \"$PWD\"\nbeat echo beats'"
    environment.write_text(text.replace("SITE_PROCESSES=", processes))
    assert run(release, "process", "worker") == f"works {release}/site/app\n"
    assert run(release, "process", "beat") == "beats\n"
    assert "this site has no process 'other'" in run(release, "process", "other")


def test_a_process_is_asked_by_its_own_check_and_one_without_any_is_well(release: Path):
    environment = release / "deploy/site.env"
    checks = "SITE_CHECKS='worker echo pong \"$PWD\"\nbeat false'"
    environment.write_text(environment.read_text().replace("SITE_CHECKS=", checks))
    assert run(release, "checkup", "worker") == f"pong {release}/site/app\n"
    command = [release.parent.parent / "current/deploy/run.sh", "checkup"]
    assert subprocess.run([*command, "beat"], check=False).returncode == 1
    assert subprocess.run([*command, "other"], check=False).returncode == 0


def test_a_site_that_reads_secrets_from_variables_gets_them_there(release: Path, tmp_path: Path):
    environment = release / "deploy/site.env"
    text = environment.read_text()
    environment.write_text(text.replace("SITE_SECRETS=", "SITE_SECRETS='MAIL_KEY OTHER_KEY'"))
    (tmp_path / "site_mail_key").write_text("s3cret with spaces\n")
    said = run(release, "wsgi", CREDENTIALS_DIRECTORY=str(tmp_path))
    assert "MAIL_KEY=s3cret with spaces\n" in said
    assert "OTHER_KEY" not in said.replace("SITE_SECRETS=MAIL_KEY OTHER_KEY", "")


# --- the certificate ---


def openssl(*arguments: str | Path) -> str:
    """Run openssl; return what it prints."""
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True).stdout


def made(folder: Path, names: str) -> str:
    """Run self-signed.sh; return what it prints."""
    return subprocess.run(
        [DEPLOY / "self-signed.sh", folder, names], check=True, capture_output=True, text=True
    ).stdout


def test_a_certificate_is_for_the_names_and_is_made_once(tmp_path: Path):
    assert made(tmp_path, "example.org,192.0.2.1") == "made\n"
    text = openssl("x509", "-in", tmp_path / "fullchain.pem", "-noout", "-ext", "subjectAltName")
    assert re.findall(r"(?:DNS|IP Address):[^,\s]+", text) == [
        "DNS:example.org",
        "IP Address:192.0.2.1",
    ]
    before = (tmp_path / "fullchain.pem").read_text()
    assert made(tmp_path, "example.org,192.0.2.1") == ""
    assert (tmp_path / "fullchain.pem").read_text() == before
    assert made(tmp_path, "example.com") == "made\n"


def test_its_key_is_nobodys_but_roots_and_nginxs(tmp_path: Path):
    made(tmp_path, "example.org")
    assert (tmp_path / "privkey.pem").stat().st_mode & 0o777 == 0o640
    assert not list(tmp_path.glob("*.new"))
    script = (DEPLOY / "self-signed.sh").read_text()
    assert script.index("umask 077") < script.index("openssl req")


def test_browsers_accept_how_long_it_lasts(tmp_path: Path):
    made(tmp_path, "example.org")
    check = ["openssl", "x509", "-in", tmp_path / "fullchain.pem", "-noout", "-checkend"]
    day = 24 * 3600
    assert subprocess.run([*check, str(390 * day)], capture_output=True).returncode == 0
    assert subprocess.run([*check, str(398 * day)], capture_output=True).returncode == 1


def test_one_that_ends_within_a_month_is_made_anew(tmp_path: Path):
    made(tmp_path, "example.org")
    for days, again in {20: "made\n", 40: ""}.items():
        openssl(
            "req", "-x509", "-key", tmp_path / "privkey.pem", "-days", str(days), "-subj", "/CN=x",
            "-out", tmp_path / "fullchain.pem",
        )  # fmt: skip
        assert made(tmp_path, "example.org") == again, days


# --- nginx' scripts ---


def test_after_a_reload_every_instance_with_sockets_is_asked_to_move_them(
    tmp_path: Path, nginx: Nginx
):
    from tandem.ops.nginx.upstreams import upstreams

    addresses = {
        kind: {f"{kind}@{n}": f"unix:/run/{kind}@{n}.sock" for n in (1, 2)}
        for kind in ("wsgi", "asgi")
    }
    addresses["notify"] = {"app1/notify@1": "10.0.0.2:8301"}
    (tmp_path / "upstreams.conf").write_text(upstreams(addresses))
    script = elsewhere(
        DEPLOY / "nginx/move-sockets.sh", tmp_path,
        **{"/etc/tandem/nginx/upstreams.conf": str(tmp_path / "upstreams.conf"), "sleep 1": "true"},
    )  # fmt: skip
    program(tmp_path / "bin", "curl", f'echo "$*" >>{tmp_path}/asked; exit 7')
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    # One that is away closes its sockets anyway: no error.
    subprocess.run(["sh", script], check=True, env={"PATH": path})
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split("--request POST ")[1] for line in asked] == [
        "--unix-socket /run/asgi@1.sock http://localhost/health/move-sockets/",
        "--unix-socket /run/asgi@2.sock http://localhost/health/move-sockets/",
        "http://10.0.0.2:8301/health/move-sockets/",
    ]
    assert all("--max-time 5" in line for line in asked)


def test_sockets_are_moved_only_once_the_new_workers_take_connections():
    lines = (DEPLOY / "nginx/move-sockets.sh").read_text().splitlines()
    commands = [line.partition("#")[0].strip() for line in lines]
    commands = [command for command in commands if command]
    assert commands[:2] == ["set -eu", "sleep 1"]


def test_a_new_nginx_takes_over_only_if_it_accepts_the_configuration():
    text = (DEPLOY / "nginx/upgrade.sh").read_text()
    steps = [
        "(deleted)$' \"/proc/$old/maps\" || exit 0", "/usr/sbin/nginx -t -q",
        "--signal=USR2 nginx.service", "[ -s $pid.oldbin ] && [ -s $pid ]",
        "--signal=QUIT nginx.service", "sh /etc/nginx/tandem/move-sockets.sh",
    ]  # fmt: skip
    places = [text.index(step) for step in steps]
    assert places == sorted(places)


def test_what_a_killed_nginx_leaves_is_in_nobodys_way():
    text = (DEPLOY / "nginx/start.sh").read_text()
    cleaning = "rm -f /run/nginx/nginx.pid"
    assert text.index(cleaning) < text.index("/usr/sbin/nginx -g")


# --- management ---


def test_a_management_command_runs_as_the_site_with_all_its_secrets(tmp_path: Path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for name in ("secret_key", "mail_password"):
        (credentials / name).write_text("x")
    release = tmp_path / "release"
    program(release / "deploy", "run.sh", "true")
    script = elsewhere(
        DEPLOY / "manage.sh", tmp_path, **{"/etc/tandem/credentials": str(credentials)}
    )
    program(tmp_path / "bin", "id", "echo ${UID_SEEN-0}")
    program(tmp_path / "bin", "systemd-run", 'printf "%s\\n" "$@"')
    environment = {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "TANDEM_RELEASE_PATH": str(release),
    }  # fmt: skip
    said = subprocess.run(
        [script, "shell"], check=True, capture_output=True, text=True, env=environment
    ).stdout.splitlines()
    for name in ("secret_key", "mail_password"):
        assert f"--property=LoadCredential={name}:{credentials}/{name}" in said
    assert {
        "--property=User=tandem-wsgi",
        "--property=Group=tandem",
        "--property=PrivateTmp=yes",
    } <= set(said)
    assert "--property=EnvironmentFile=/etc/tandem/site.env" in said
    assert said[-3:] == [f"{release}/deploy/run.sh", "manage", "shell"]
    stranger = subprocess.run(
        [script, "shell"], capture_output=True, text=True, env={**environment, "UID_SEEN": "1000"}
    )
    assert stranger.returncode == 1
    assert "run it as root: sudo tandem-manage shell" in stranger.stderr


# --- the archive of a release ---


def packed(folder: Path, links: dict[str, str] | None = None) -> Path:
    """Return the archive that pack.sh makes of a small release, with these links in it.

    Raises ``subprocess.CalledProcessError`` where it makes none.
    """
    package = "release/venv/lib/python3/site-packages/Django-5.2.dist-info"
    for name in ("out", "build", "release/deploy", "release/site/__pycache__", package):
        (folder / name).mkdir(parents=True)
    (folder / "build/migrations.json").write_text("{}")
    (folder / "release/deploy/run.sh").write_text("#!/bin/sh\n")
    (folder / "release/site/a.py").write_text("1\n")
    (folder / "release/site/a.py").chmod(0o666)
    (folder / "release/site/__pycache__/a.pyc").write_text("x")
    (folder / package / "METADATA").write_text("x")
    (folder / "build/links.py").write_bytes((ROOT / "docker/links.py").read_bytes())
    for name, target in (links or {}).items():
        path = folder / "release" / name
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)
    for name in ("python", "python3", "activate"):
        program(folder / "release/venv/bin", name, "exit 9")
    hello = program(folder / "release/venv/bin", "hello", "")
    hello.write_text("#!/srv/tandem/releases/replica/venv/bin/python3\nprint('hello')\n")
    script = elsewhere(
        ROOT / "docker/pack.sh", folder,
        **{
            "/build/": f"{folder}/build/", "/out": f"{folder}/out",
            ". /etc/os-release": "VERSION_CODENAME=trixie",
            "dpkg --print-architecture": "echo amd64",
        },
    )  # fmt: skip
    subprocess.run(
        ["bash", script, folder / "release", "r1"], check=True, capture_output=True, text=True
    )
    return folder / "out/tandem-r1-trixie.tar.gz"


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """Give a release as a server has it, under a name of the server's."""
    folder = tmp_path / "unpacked"
    folder.mkdir()
    subprocess.run(["tar", "-xzf", packed(tmp_path / "one"), "-C", folder], check=True)
    return folder


def test_a_release_has_the_hash_of_each_of_its_files(unpacked: Path):
    files = {str(p.relative_to(unpacked)) for p in unpacked.rglob("*") if p.is_file()}
    listed = {line.split("  ./")[1] for line in (unpacked / "SHA256SUMS").read_text().splitlines()}
    assert files == {*listed, "SHA256SUMS"}
    assert {"site/a.py", "deploy/run.sh", "manifest.json"} <= listed
    # Compiled: whoever runs it may not write there.
    assert "site/__pycache__/a.pyc" in listed
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=unpacked).returncode == 0


def test_a_release_is_writable_by_nobody(tmp_path: Path):
    archive = packed(tmp_path / "one")
    shown = subprocess.run(["tar", "-tvzf", archive], capture_output=True, text=True).stdout
    assert "./site/a.py" in shown
    for line in shown.splitlines():
        mode, owner = line.split()[:2]
        assert mode[5] == mode[8] == "-", line  # nobody but the owner may write
        assert owner == "0/0", line


def test_a_releases_commands_run_by_the_python_of_where_it_is_unpacked(unpacked: Path):
    programs = unpacked / "venv/bin"
    assert [path.name for path in programs.iterdir()] == ["hello"]
    (programs / "python3").symlink_to(sys.executable)
    done = subprocess.run([programs / "hello"], capture_output=True, text=True)
    assert done.stdout == "hello\n", done.stderr


def test_a_release_says_what_it_is_made_of_and_for(unpacked: Path):
    found = json.loads((unpacked / "manifest.json").read_text())
    assert found["packages"] == {"django": "5.2"}
    assert (found["release"], found["debian"], found["architecture"]) == ("r1", "trixie", "amd64")
    assert found["migrations"] == {}


@pytest.mark.parametrize("name", ["site/out", "static/out", "deploy/out", "static/css"])
@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../../etc/passwd", "/nothing/there", "../..", "over"]
)
def test_a_release_with_a_link_out_of_it_is_not_packed(tmp_path: Path, name: str, target: str):
    links = {name: target}
    if target == "over":  # through a link that is allowed by itself
        links = {"site/up": "..", name: "../site/up/../../else"}
    with pytest.raises(subprocess.CalledProcessError) as failed:
        packed(tmp_path / "one", links)
    said = failed.value.stderr
    assert said.startswith(f"tandem: '{name}' is a link to '{links[name]}', out of the release;")
    assert said.count("\n") == 1
    assert not list((tmp_path / "one/out").iterdir())


def test_links_within_a_release_are_packed(tmp_path: Path):
    links = {"static/a.py": "../site/a.py", "site/endless": "endless", "static/all": "."}
    archive = packed(tmp_path / "one", links)
    shown = subprocess.run(["tar", "-tvzf", archive], capture_output=True, text=True).stdout
    for name, target in links.items():
        assert f"./{name} -> {target}\n" in shown


def test_a_server_refuses_links_before_it_runs_or_copies_anything_of_a_release():
    tasks = yaml.safe_load((ROOT / "ansible/roles/release/tasks/install.yml").read_text())
    unpacked, refused, *others = (
        next(i for i, task in enumerate(tasks) if part in json.dumps(task))
        for part in (
            "builtin.unarchive",
            "docker/links.py",
            "venv",
            "tandem-manage",
            "builtin.copy",
        )
    )
    assert unpacked < refused < min(others)


def test_the_same_release_is_the_same_bytes(tmp_path: Path):
    assert packed(tmp_path / "one").read_bytes() == packed(tmp_path / "two").read_bytes()
