"""What the roles do, read from their tasks: whose files are, what is checked before what."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.provisioning.rendering import ANSIBLE, Server, one, several, tasks

TASKS = tasks()
# Names of tasks that several tests ask.
UNPACK = "Install its packages and the site, from the archive alone"
SITE = "Make the site's folders, write its environment, and install the command for management"
BASE = "Set the locale, security updates, the kernel's limits and the journal's"
FILE_MODULES = ("file", "copy", "template", "unarchive", "lineinfile")


def module(task: dict[str, Any]) -> tuple[str, Any]:
    """Return the short name of a task's module and its arguments."""
    for name, arguments in task.items():
        if name.startswith(("ansible.builtin.", "community.")) or name in ("tree", "units"):
            return name.rpartition(".")[2], arguments
    return "", None


def named(name: str) -> dict[str, Any]:
    """Return the only task of that name."""
    found = [task for _, task in TASKS if task.get("name") == name]
    assert len(found) == 1, (name, len(found))
    return found[0]


def written() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each file and folder that a task writes: the task's name, its path, how it is made."""
    for _, task in TASKS:
        kind, arguments = module(task)
        if kind in FILE_MODULES and isinstance(arguments, dict):
            yield task["name"], str(arguments.get("path", arguments.get("dest"))), arguments
        if kind == "tree":
            for path, made in planted(task).items():
                yield task["name"], path, made


def planted(task: dict[str, Any], server: Server | None = None) -> dict[str, dict[str, Any]]:
    """Return what a ``tree`` makes, by path: owner, group and mode, and of files the text."""
    given = (server or one()).arguments(task, "tree")
    dest, own = Path(given.get("dest", "/")), {"owner": "root", "group": "root"}
    found = {
        str(dest / name): {**own, "mode": "0755", "state": "directory", **made}
        for name, made in given.get("folders", {}).items()
    }
    usual = {
        **own,
        "mode": "0644",
        **{k: given[k] for k in ("owner", "group", "mode") if k in given},
    }
    for name, made in given.get("files", {}).items():
        found[str(dest / name)] = {**usual, **(made if isinstance(made, dict) else {"text": made})}
    return found


def units(name: str, server: Server | None = None) -> dict[str, Any]:
    """Return what a task wants of systemd's units, by their names."""
    return (server or one()).arguments(named(name), "units")["units"]


def users(server: Server) -> str:
    """Return what systemd-sysusers makes on a server."""
    return server.file("users", "sysusers.conf.j2")


def positions(file: str, *names: str) -> list[int]:
    """Return where the tasks of these names are in a role's file of tasks."""
    listed = [task["name"] for path, task in TASKS if str(path).endswith(file)]
    return [listed.index(name) for name in names]


def test_nothing_is_writable_by_everybody():
    modes = [(path, str(made["mode"])) for _, path, made in written() if "mode" in made]
    assert len(modes) > 100
    figures = [(path, int(mode, 8)) for path, mode in modes if mode.isdecimal()]
    assert {mode for _, mode in modes if not mode.isdecimal()} == {"preserve"}
    assert not [path for path, mode in figures if mode & 0o002]
    # By the site's group, uploads and the site's own data alone.
    shared = {path for path, mode in figures if mode & 0o020}
    assert shared == {"/srv/tandem/media", "/srv/tandem/data"}


def test_a_release_is_roots_and_not_the_sites_to_change():
    folder = named("Make its folder")["ansible.builtin.file"]
    assert folder == {"path": "{{ tandem_release_path }}", "state": "directory", "mode": "0755"}
    archive = named(UNPACK)["ansible.builtin.unarchive"]
    assert (archive["owner"], archive["group"]) == ("root", "root")
    assert "mode" not in archive
    folders = planted(named(SITE))
    for path in ("/srv/tandem", "/srv/tandem/releases", "/srv/tandem/static", "/etc/tandem"):
        made = {"owner": "root", "group": "root", "mode": "0755", "state": "directory"}
        assert folders[path] == made, path
    for path in ("/srv/tandem/media", "/srv/tandem/data"):
        assert folders[path]["mode"] == "2770"
        assert (folders[path]["owner"], folders[path]["group"]) == ("tandem-wsgi", "tandem")


def test_a_release_is_checked_before_anything_of_it_runs():
    order = positions(
        "release/tasks/install.yml", "Make its folder", UNPACK, "Check every file against its hash",
        "Refuse links that lead out of it, as root copies files of it",
        "Give its virtual environment this server's Python",
        "Load it once, before anything depends on it",
        "Add its static files to those that nginx serves", "Mark it complete",
    )  # fmt: skip
    assert order == sorted(order)
    # Nothing comes between: the folder is empty, filled, and checked.
    assert [place - order[0] for place in order[:5]] == [0, 1, 2, 3, 4]
    check = named("Check every file against its hash")["ansible.builtin.command"]
    assert check["argv"] == ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    assert check["chdir"] == "{{ tandem_release_path }}"
    for task in (
        "Check every file against its hash",
        "Load it once, before anything depends on it",
    ):
        assert not {"ignore_errors", "failed_when", "when"} & set(named(task)), task


def test_a_wrong_byte_in_a_release_stops_it(tmp_path: Path):
    """The command of the task itself, on files of which one was changed."""
    argv = named("Check every file against its hash")["ansible.builtin.command"]["argv"]
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    sums = subprocess.run(["sha256sum", "a", "b"], cwd=tmp_path, capture_output=True, text=True)
    (tmp_path / "SHA256SUMS").write_text(sums.stdout)
    assert subprocess.run(argv, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "b").write_text("c")
    assert subprocess.run(argv, cwd=tmp_path, capture_output=True).returncode != 0


def test_a_release_is_installed_offline_from_its_archive():
    install = [
        module(task) for path, task in TASKS if str(path).endswith("release/tasks/install.yml")
    ]
    # Modules that could fetch something (apt, get_url, pip, git, uri…) are not among these.
    assert {kind for kind, _ in install} == {"file", "unarchive", "command", "copy", "script"}
    programs = [arguments["argv"] for kind, arguments in install if kind == "command"]
    assert [argv[0] for argv in programs] == [
        "sha256sum",
        "python3",
        "/usr/local/bin/tandem-manage",
    ]
    assert programs[1][1:4] == ["-m", "venv", "--without-pip"]
    archive = named(UNPACK)["ansible.builtin.unarchive"]
    assert archive["src"] == "{{ tandem_archive }}"
    assert "remote_src" not in archive


@pytest.mark.parametrize("wheels", ["download", "wheel"])
def test_packages_of_an_archive_are_checked_against_their_hashes(tmp_path: Path, wheels: str):
    """The script of the build itself, with a pip that notes what it is asked."""
    pip = tmp_path / "venv/bin/pip"
    pip.parent.mkdir(parents=True)
    pip.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n')
    pip.chmod(0o755)
    script = ANSIBLE.parent / "docker/wheels.sh"
    subprocess.run(["bash", script, tmp_path / "venv", wheels], check=True)
    asked = [line.split() for line in (tmp_path / "asked").read_text().splitlines()]
    installs = [words for words in asked if "install" in words]
    assert len(installs) == 1
    assert {"--require-hashes", "--no-deps"} <= set(installs[0])
    assert installs[0][-2:] == ["--requirement", "/build/requirements.lock"]


def test_a_release_that_was_left_half_installed_is_installed_anew():
    assert named("Install the release beside the running one")["when"] == (
        "not release_complete.stat.exists"
    )
    gone = named("Remove what an interrupted run left")["ansible.builtin.file"]
    assert gone["state"] == "absent"


def test_secrets_are_in_no_output_and_for_root_alone():
    for _, task in TASKS:
        text = json.dumps({k: v for k, v in task.items() if k != "name"})
        reads = "slurp" in text and ("credentials" in text or "password" in text)
        brings = re.search(
            r"tandem_secrets[\[.]|b64decode|lookup\('ansible.builtin.file', tls_key", text
        )
        kind, _ = module(task)
        if reads or ((brings and kind in ("copy", "command")) and "deploy_current" not in text):
            assert task.get("no_log") is True, task["name"]
            if kind == "copy":
                assert task["diff"] is False, task["name"]
    for name, path, arguments in written():
        if "/etc/tandem/credentials" in path:
            assert arguments["mode"] == (
                "0700" if arguments.get("state") == "directory" else "0600"
            ), name
            assert arguments.get("owner", "root") == "root", name
    role = named("Make the site's role")["community.postgresql.postgresql_user"]
    assert "slurp" not in str(role)


def test_a_secret_is_made_once(tmp_path: Path):
    for name in ("Make the secrets that are not, once", "Make the one that is not, once"):
        assert "creates" in named(name)["ansible.builtin.command"], name
    script = ANSIBLE / "roles/secrets/files/make-secret.sh"
    for n in (1, 2):
        subprocess.run(["sh", script, tmp_path / str(n)], check=True)
        assert (tmp_path / str(n)).stat().st_mode & 0o777 == 0o600
        assert len((tmp_path / str(n)).read_text().strip()) == 64
    assert (tmp_path / "1").read_text() != (tmp_path / "2").read_text()


def test_the_key_of_the_certificate_is_nginxs_alone():
    found = {
        path: arguments for _, path, arguments in written() if path.endswith("/tls/privkey.pem")
    }
    assert set(found) == {"/etc/tandem/tls/privkey.pem"}
    for name, path, arguments in written():
        if path.endswith("/tls/privkey.pem"):
            assert (arguments["group"], arguments["mode"]) == ("www-data", "0640"), name
        if path == "/etc/tandem/tls":
            assert (arguments["group"], arguments["mode"]) == ("www-data", "0750"), name
    assert named("Bring the key")["no_log"] is True


def test_processes_cannot_log_in():
    for server in (one(), several("app1")):
        made = re.findall(r"(?m)^u (\S+) (.*)$", users(server))
        assert {user for user, _ in made} == {"tandem-wsgi", "tandem-asgi", "tandem-notify"}
        # A number of the system's, the site's group, no home, no shell: sysusers.d(5)
        assert {how for _, how in made} == {'-:tandem "Tandem" /nonexistent /usr/sbin/nologin'}
    assert not re.findall("(?m)^u", users(several("edge1")))
    where = "/etc/sysusers.d/tandem.conf"
    text = planted(named("Say which users there are"))[where]["text"]
    assert named("Make them, where they are missing")["sysusers"] == {"path": where, "text": text}


def test_ssh_is_hardened_only_if_nobody_is_locked_out(preflight):
    order = positions("ssh/tasks/main.yml", "Nobody is locked out", "Harden SSH")
    assert order == sorted(order)
    there = {"ssh_key": {"stat": {"exists": True, "size": 100}}}
    gone = {"ssh_key": {"stat": {"exists": False}}}
    empty = {"ssh_key": {"stat": {"exists": True, "size": 0}}}
    assert preflight("Nobody is locked out", one(), **there)
    assert not preflight("Nobody is locked out", one(), **gone)
    assert not preflight("Nobody is locked out", one(), **empty)
    assert preflight("Nobody is locked out", one(ssh_keys_only=False), **gone)
    assert "sshd -t -f %s" in named("Harden SSH")["ansible.builtin.template"]["validate"]


def test_rules_and_files_are_checked_before_they_are_in_force():
    assert (
        named("Write the rules")["ansible.builtin.template"]["validate"] == "nft --check --file %s"
    )
    order = positions(
        "nginx/tasks/configuration.yml", "Write the next configuration, beside the one in use",
        "Nginx accepts the next configuration", "Put it in place",
    )  # fmt: skip
    assert order == sorted(order)
    argv = named("Nginx accepts the next configuration")["ansible.builtin.command"]["argv"]
    assert argv[-5:] == ["nginx", "-t", "-q", "-g", "pid /run/nginx/nginx.pid;"]
    assert "--property=User=www-data" in argv
    rescue = [t["name"] for p, t in TASKS if str(p).endswith("beside/tasks/main.yml")]
    assert rescue.index("Nginx accepts it") < rescue.index("Take the line out again")
    assert rescue.index("Take the line out again") < rescue.index(
        "Reload nginx, unless it has read them"
    )


def test_nginx_is_in_the_sites_group_for_its_uploads_and_in_no_other():
    for server, groups in {
        one(): ["tandem"],
        several("edge1"): ["tandem"],
        several("app1"): [],
    }.items():
        assert re.findall(r"(?m)^m www-data (.*)$", users(server)) == groups
    assert [t["name"] for _, t in TASKS if module(t)[0] in ("user", "group")] == []


def test_what_nginx_serves_of_a_release_is_roots():
    for name in ("Add its static files to those that nginx serves", "Unpack them"):
        _, arguments = module(named(name))
        assert (arguments["owner"], arguments["group"]) == ("root", "root"), name


def test_the_journal_is_bounded():
    file = "/etc/systemd/journald.conf.d/tandem.conf"
    made = planted(named(BASE), one(base_journal_size="3G"))
    assert "SystemMaxUse=3G\n" in made[file]["text"]
    assert units("Put them in force, and keep the time")["systemd-journald.service"] == {
        "files": [file]
    }


def test_instances_start_with_the_server_and_those_beyond_the_wanted_stop():
    kept = units("Listen, from now on and after each boot, and start the instances with the server")
    assert kept["tandem.target"] == {"enabled": True}
    for kind in ("wsgi", "asgi", "notify"):
        assert kept[f"{kind}@1.service"] == {"enabled": True}
        assert kept[f"{kind}@1.socket"] == {"enabled": True, "state": "started"}
    stop = named("Stop those, sockets last")
    links = [f"/x/{name}" for name in ("asgi@3.service", "asgi@3.socket", "asgi@1.service")]
    found = {"files": [{"path": path} for path in links]}
    wanted = one().value(stop["vars"]["instances_wanted"])
    gone = one().value(stop["loop"], instances_enabled=found, instances_wanted=wanted)
    assert list(gone) == ["asgi@3.service", "asgi@3.socket"]


def test_a_renewed_certificate_is_put_in_force():
    hook = named("Install what renewals end with")["ansible.builtin.copy"]
    assert hook["dest"] == "/etc/letsencrypt/renewal-hooks/deploy/tandem"
    assert hook["mode"] == "0755"
    timer = named("Renew twice a day, when it is time")["ansible.builtin.systemd_service"]
    assert timer == {"name": "certbot.timer", "enabled": True, "state": "started"}


def test_debians_own_redis_does_not_listen():
    name = "Run it by these files, and switch Debian's own instance off, which listens on TCP"
    assert units(name)["redis-server.service"] == {"enabled": False, "state": "stopped"}
    # Beside a site that is there, one of its own stays: it is not ours to stop.
    assert "redis-server.service" not in units(name, one(redis_keep_others=True))


def test_security_updates_come_by_themselves_and_do_not_restart_nginx(tmp_path: Path):
    text = planted(named(BASE))["/etc/apt/apt.conf.d/20auto-upgrades"]["text"]
    assert 'APT::Periodic::Unattended-Upgrade "1";' in text
    for server in (one(), *(several(name) for name in ("edge1", "app1", "data1"))):
        packages = server.arguments(named("Install the packages"), "ansible.builtin.apt")["name"]
        assert "unattended-upgrades" in packages
    policy = ANSIBLE / "roles/nginx/files/policy-rc.d"
    for action in ("restart", "upgrade", "force-reload"):
        assert subprocess.run(["sh", policy, "nginx", action]).returncode == 101, action
    assert subprocess.run(["sh", policy, "--quiet", "nginx", "restart"]).returncode == 101
    assert subprocess.run(["sh", policy, "nginx", "stop"]).returncode == 0
    assert subprocess.run(["sh", policy, "postgresql", "restart"]).returncode == 0


def test_oldest_releases_go_and_those_that_served_stay():
    """Six are there besides the new one; the newest of them never served."""
    task = named("Remove the oldest")
    path = "/srv/tandem/releases/r"
    kept = [{"path": f"{path}{n}", "mtime": n} for n in range(1, 8)]
    served = [{"path": f"{path}{n}/.served"} for n in (1, 2, 3, 4, 6)]
    found = Server.value(
        one(), task["loop"], **task["vars"], tandem_release_path=f"{path}7",
        release_kept={"files": kept}, release_served={"files": served},
    )  # fmt: skip
    # Five stay: the new one and the four that served last; of the failed ones none pushes out.
    assert sorted(found) == [f"{path}1", f"{path}5"]


# --- playbooks ---


def playbook(name: str) -> list[dict[str, Any]]:
    """Return the plays of a playbook."""
    return yaml.safe_load((ANSIBLE / name).read_text())


def test_everything_is_checked_before_anything_is_changed():
    for name in ("site.yml", "deploy.yml", "beside.yml"):
        first = playbook(name)[0]
        assert first["name"] == "Check everything before anything is changed", name
        assert first["any_errors_fatal"] is True, name
        assert first["tags"] == ["always"], name
        assert "roles" not in first
        imported = [t["ansible.builtin.import_role"] for t in first["tasks"]]
        assert imported[0] == {"name": "tandem", "tasks_from": "preflight"}, name


def test_a_release_is_rolled_server_by_server_and_stops_at_the_first_error():
    plays = playbook("roll.yml")
    assert all(play["any_errors_fatal"] is True for play in plays)
    roll = next(p for p in plays if p["name"] == "Roll, server by server and instance by instance")
    assert roll["serial"] == 1
    done = [
        t["ansible.builtin.include_role"]["tasks_from"] for p in plays for t in p.get("tasks", [])
    ]
    assert done == ["lock", "try", "migrate", "roll", "finish", "log", "unlock"]


def test_a_migration_runs_once_and_not_on_the_way_back():
    migrate = next(
        t for p in playbook("roll.yml") for t in p.get("tasks", [])
        if t["ansible.builtin.include_role"]["tasks_from"] == "migrate"
    )  # fmt: skip
    when = migrate["when"]
    assert "inventory_hostname == tandem_apps | first" in when
    for host, wanted in {"app1": True, "app2": False}.items():
        assert several(host).value(f"{{{{ {when} }}}}") is wanted
    assert several("app1", release_migrate=False).value(f"{{{{ {when} }}}}") is False
    back = next(p for p in playbook("rollback.yml") if "ansible.builtin.import_playbook" in p)
    assert back["vars"] == {"release_migrate": False, "deploy_try": False}


# --- the tools of a server ---


@pytest.fixture
def lock(tmp_path: Path) -> Any:
    """Give the lock of deploys, kept elsewhere: ``lock("take", holder)`` returns its status."""
    text = (ANSIBLE / "roles/tools/files/lock.py").read_text()
    tool = tmp_path / "lock.py"
    tool.write_text(text.replace("/run/tandem-deploy.json", str(tmp_path / "lock.json")))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, tool, *arguments], capture_output=True, text=True)

    return run


def test_of_two_deploys_the_second_is_refused_until_the_first_has_ended(lock):
    one_, two = json.dumps({"id": "1"}), json.dumps({"id": "2"})
    assert lock("take", one_).returncode == 0
    assert lock("take", one_).returncode == 0  # the same one again
    refused = lock("take", two)
    assert refused.returncode == 1
    assert json.loads(refused.stdout) == {"id": "1"}
    assert lock("drop", two).returncode == 0  # is not its own
    assert lock("take", two).returncode == 1
    lock("drop", one_)
    assert lock("take", two).returncode == 0


def test_the_lock_of_a_deploy_that_is_dead_is_taken(lock):
    lock("take", json.dumps({"id": "1"}))
    assert lock("take", json.dumps({"id": "2"}), "3").returncode == 1
    assert lock("take", json.dumps({"id": "2"}), "1").returncode == 0
    assert json.loads(lock("show").stdout) == {"id": "2"}


def test_only_a_process_that_has_ended_is_dead():
    sys.path.insert(0, str(ANSIBLE / "filter_plugins"))
    try:
        import controller
    finally:
        sys.path.pop(0)
    me = {"machine": controller.machine(), "pid": os.getpid()}
    assert not controller.dead({**me, "started": controller.started(os.getpid())})
    assert controller.dead({**me, "started": "1"})  # its number was given to another
    assert not controller.dead({**me, "machine": "another", "started": "1"})
