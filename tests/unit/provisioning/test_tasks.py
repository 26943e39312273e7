"""What the roles do, read from their tasks: whose files are, what is checked before what."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.provisioning.rendering import ANSIBLE, Server, one, several, tasks

TASKS = tasks()
FILE_MODULES = ("file", "copy", "template", "unarchive", "lineinfile")


def module(task: dict[str, Any]) -> tuple[str, Any]:
    """Return the short name of a task's module and its arguments."""
    for name, arguments in task.items():
        if name.startswith(("ansible.builtin.", "community.")) or name == "tree":
            return name.rpartition(".")[2], arguments
    return "", None


def named(name: str) -> dict[str, Any]:
    """Return the only task of that name."""
    found = [task for _, task in TASKS if task.get("name") == name]
    assert len(found) == 1, (name, len(found))
    return found[0]


def written() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the name, the path and the arguments of each task that writes files."""
    for _, task in TASKS:
        kind, arguments = module(task)
        if kind in FILE_MODULES and isinstance(arguments, dict):
            yield task["name"], str(arguments.get("path", arguments.get("dest"))), arguments


def positions(file: str, *names: str) -> list[int]:
    """Return where the tasks of these names are in a role's file of tasks."""
    listed = [task["name"] for path, task in TASKS if str(path).endswith(file)]
    return [listed.index(name) for name in names]


def test_nothing_is_writable_by_everybody():
    loops = [m for _, t in TASKS for m in re.findall(r"'mode': '(\d+)'", str(t.get("loop")))]
    modes = [str(arguments["mode"]) for *_, arguments in written() if "mode" in arguments]
    assert len(modes) > 30
    assert len(loops) > 4
    for mode in [*modes, *loops]:
        if mode.isdecimal():
            assert not int(mode, 8) & 0o002, mode


def test_a_release_is_roots_and_not_the_sites_to_change():
    folder = named("Make its folder")["ansible.builtin.file"]
    assert folder == {"path": "{{ tandem_release_path }}", "state": "directory", "mode": "0755"}
    archive = named("Unpack the archive")["ansible.builtin.unarchive"]
    assert (archive["owner"], archive["group"]) == ("root", "root")
    assert "mode" not in archive
    folders = {i["path"]: i for i in named("Make the site's folders")["loop"]}
    for path in ("/srv/tandem", "/srv/tandem/releases", "/srv/tandem/static", "/etc/tandem"):
        assert folders[path] == {"path": path, "mode": "0755"}
    for path in ("/srv/tandem/media", "/srv/tandem/data"):
        assert folders[path]["mode"] == "2770"
        assert (folders[path]["owner"], folders[path]["group"]) == ("tandem-wsgi", "tandem")


def test_a_release_is_checked_before_anything_of_it_runs():
    order = positions(
        "release/tasks/install.yml", "Unpack the archive", "Check every file against its hash",
        "Make its virtual environment", "Install its packages, from the archive alone",
        "Load it once, before anything depends on it",
        "Add its static files to those that nginx serves", "Mark it complete",
    )  # fmt: skip
    assert order == sorted(order)
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


def test_a_release_is_installed_offline_and_by_its_hashes():
    argv = named("Install its packages, from the archive alone")["ansible.builtin.command"]["argv"]
    assert {"--no-index", "--no-deps", "--require-hashes"} <= set(argv)
    assert "--find-links={{ tandem_release_path }}/wheels" in argv


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
    user = named("Make a user for each kind of process")["ansible.builtin.user"]
    assert user["shell"] == "/usr/sbin/nologin"
    assert user["home"] == "/nonexistent"
    assert (user["system"], user["create_home"], user["group"]) == (True, False, "tandem")


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
    assert argv[-3:] == ["nginx", "-t", "-q"]
    assert "--property=User=www-data" in argv
    rescue = [t["name"] for p, t in TASKS if str(p).endswith("beside/tasks/main.yml")]
    assert rescue.index("Nginx accepts it") < rescue.index("Take the line out again")
    assert rescue.index("Take the line out again") < rescue.index("Reload nginx")


def test_nginx_is_in_the_sites_group_for_its_uploads_and_in_no_other():
    user = named("Let it into the site's uploads")["ansible.builtin.user"]
    assert user == {"name": "www-data", "groups": "tandem", "append": True}


def test_what_nginx_serves_of_a_release_is_roots():
    for name in ("Add its static files to those that nginx serves", "Unpack them"):
        _, arguments = module(named(name))
        assert (arguments["owner"], arguments["group"]) == ("root", "root"), name


def test_the_journal_is_bounded():
    text = named("Limit the journal")["ansible.builtin.copy"]["content"]
    assert "SystemMaxUse=3G\n" in one(base_journal_size="3G").value(text)


def test_instances_start_with_the_server_and_those_beyond_the_wanted_stop():
    start = named("Start the instances with the server")
    assert start["ansible.builtin.systemd_service"] == {"name": "{{ item }}", "enabled": True}
    assert "tandem.target" in one().value(start["loop"])
    listening = named("Listen, from now on and after each boot")["ansible.builtin.systemd_service"]
    assert (listening["enabled"], listening["state"]) == (True, "started")
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
    off = named("Switch Debian's own instance off, which listens on TCP")
    assert off["ansible.builtin.systemd_service"] == {
        "name": "redis-server.service", "enabled": False, "state": "stopped",
    }  # fmt: skip


def test_security_updates_come_by_themselves_and_do_not_restart_nginx(tmp_path: Path):
    text = named("Install security updates automatically")["ansible.builtin.copy"]["content"]
    assert 'APT::Periodic::Unattended-Upgrade "1";' in one().value(text)
    assert (
        "unattended-upgrades" in named("Install the base packages")["ansible.builtin.apt"]["name"]
    )
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


@pytest.fixture
def stale(tmp_path: Path) -> Any:
    """Give the tool that tells whether a unit runs on files of before, and what systemd says."""
    (tmp_path / "systemctl").write_text('#!/bin/sh\nprintf "$SAYS"\n')
    (tmp_path / "systemctl").chmod(0o755)

    def run(state: str, since: float, *paths: Path) -> int:
        says = f"ActiveState={state}\\nExecMainStartTimestampMonotonic={int(since * 1e6)}\\n"
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SAYS": says}
        tool = ANSIBLE / "roles/tools/files/stale.py"
        return subprocess.run(
            [sys.executable, tool, "x.service", *paths], env=environment, capture_output=True
        ).returncode

    return run


def test_a_unit_is_stale_when_a_file_is_newer_or_it_does_not_run(stale, tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("x")
    now = time.monotonic()
    assert stale("active", now + 60, file) == 0
    assert stale("active", now - 60, file) == 1
    assert stale("inactive", now + 60, file) == 1
    assert stale("active", now + 60, tmp_path / "missing") == 2
    # Of a link itself: what an instance runs is one, and points at an old folder when rolled back.
    old = tmp_path / "link"
    old.symlink_to("/")
    assert stale("active", now - 60, old) == 1
