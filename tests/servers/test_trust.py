"""Root acts on nothing that a site, or nginx, controls."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.ops import encode
from tests.servers import releases
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal
from tests.unit.ops.test_encode import ODD, TEXTS

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)
HOST = "trixie"
TRACE = "/srv/tandem/media/trace"
TOOL = "/usr/local/lib/tandem/instance.py"
# Whoever runs this module leaves its user's number.  Whoever reads the environment of its
# process, to run a shell by it, runs a script of the site's.
PLANTED = f"""\
import os, sys
before = os.umask(0)
def leave(path, text):
    with os.fdopen(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666), "w") as file:
        file.write(text)
leave("{TRACE}", f"{{os.getuid()}} python\\n")
if "BASH_ENV" not in os.environ:
    leave("{TRACE}.sh", 'echo "$(id -u) BASH_ENV" >>{TRACE}\\n')
    os.environ["BASH_ENV"] = "{TRACE}.sh"
    os.umask(before)
    os.execv(sys.executable, sys.orig_argv)
os.umask(before)
"""


def hostile(folder: Path) -> None:
    """Plant in a release what a site's code, or its build, could."""
    (folder / "site/app/sitecustomize.py").write_text(PLANTED)
    # As a module of Python's own, which the site comes before.
    (folder / "site/app/http.py").write_text(
        textwrap.dedent(
            f"""\
            import importlib.util, os, sysconfig
            exec({PLANTED!r})
            real = os.path.join(sysconfig.get_path("stdlib"), "http", "__init__.py")
            spec = importlib.util.spec_from_file_location(
                "http", real, submodule_search_locations=[os.path.dirname(real)]
            )
            import sys
            sys.modules["http"] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            """
        )
    )
    run = folder / "deploy/run.sh"
    first, rest = run.read_text().split("\n", 1)
    run.write_text(f'{first}\n(umask 0; echo "$(id -u) run.sh" >>{TRACE})\n{rest}')
    for name in ("timeouts.env", "uvicorn.env", "site.env"):
        with (folder / "deploy" / name).open("a") as file:
            file.write(f"BASH_ENV={TRACE}.sh\n")
    with (folder / "deploy/site.env").open("a") as file:
        file.write(f'x=$(umask 0; echo "$(id -u) site.env" >>{TRACE})\n')


@pytest.fixture(scope="module")
def planted(single: Rehearsal, release: str) -> Iterator[Rehearsal]:
    """Let every instance run a hostile release, by all that root does with one; then go back."""
    name = releases.derived(release, f"hostile-{release}", hostile)
    before = single.instances(HOST)["wsgi@1"]
    single.play("deploy.yml", "-e", f"release={name}")
    assert set(single.instances(HOST).values()) == {name}
    yield single
    single.play("rollback.yml", "-e", f"release={before}")


def test_nothing_of_a_hostile_site_runs_as_root(planted: Rehearsal):
    planted.execute(
        HOST,
        "systemctl restart wsgi@1 asgi@1 notify@1;"
        "systemctl kill --signal KILL wsgi@2 asgi@2 notify@2; sleep 3;"
        f"{TOOL} ready wsgi@1 wsgi@2 asgi@1 asgi@2 notify@1 notify@2; {TOOL} list;"
        "tandem-manage check",
    )
    lines = planted.execute(HOST, f"cat {TRACE}").splitlines()
    users = {
        planted.execute(HOST, f"id -u tandem-{kind}"): kind for kind in ("wsgi", "asgi", "notify")
    }
    ran = {tuple(line.split()) for line in lines}
    assert {user for user, _ in ran} == set(users), ran
    # What was planted does act, or this would show nothing.
    assert {what for _, what in ran} >= {"python", "run.sh", "site.env"}


def test_what_a_process_says_of_its_release_is_not_believed(planted: Rehearsal):
    """Root reads no environment of a process: what it runs is what systemd started."""
    said = json.loads(planted.execute(HOST, f"TANDEM_RELEASE=x {TOOL} list"))
    assert len({entry["runs"] for entry in said}) == 1
    assert all(entry["state"] == "active" for entry in said)


def test_root_follows_nothing_that_nginx_planted(single: Rehearsal):
    """Links and numbers, wherever www-data can put them."""
    shadow = single.execute(HOST, "stat -c '%U %a' /etc/shadow")
    planted = single.execute(
        HOST,
        "runuser -u www-data -- bash -c '"
        "for place in /var/lib/nginx /var/log/nginx /run/tandem-nginx /run/nginx /etc/nginx"
        " /run/tandem /var/lib/tandem/acme; do"
        " ln -s /etc/shadow $place/planted 2>/dev/null && echo $place; done;"
        "rm -rf /var/lib/nginx/body /var/log/nginx/tandem.json 2>/dev/null;"
        "mv /run/nginx/nginx.pid /run/nginx/kept; ln -s /root/made /run/nginx/nginx.pid'; true",
    )
    assert planted.split() == ["/run/nginx"]  # its own, where root does nothing
    single.execute(HOST, "nginx -t -q")
    assert single.execute(HOST, "nginx -s quit", check=False) == ""
    assert single.execute(HOST, "ls /root/made", check=False) == ""
    assert single.execute(HOST, "stat -c '%U %a' /etc/shadow") == shadow
    assert single.execute(HOST, "systemctl is-active nginx") == "active"


def test_an_upgrade_signals_nobody_but_nginx(single: Rehearsal):
    """Whatever number stands where nginx' own did."""
    single.execute(
        HOST,
        "systemd-run --quiet --unit bystander sleep 1000;"
        "rm -f /run/nginx/nginx.pid; runuser -u www-data -- bash -c"
        ' "echo $(systemctl show -P MainPID bystander) >/run/nginx/nginx.pid";'
        "cp /usr/sbin/nginx /usr/sbin/nginx.new; mv /usr/sbin/nginx.new /usr/sbin/nginx",
    )
    old = single.execute(HOST, "systemctl show -P MainPID nginx")
    try:
        assert "was upgraded" in single.execute(HOST, "sh /etc/nginx/tandem/upgrade.sh")
        assert single.execute(HOST, "systemctl is-active bystander") == "active"
    finally:
        single.execute(HOST, "systemctl stop bystander")
    assert single.execute(HOST, "systemctl show -P MainPID nginx") not in ("0", old)
    single.execute(HOST, "systemctl reload nginx && systemctl is-active nginx")


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TEXTS, min_size=20, max_size=60))
def test_a_value_is_what_a_unit_gets(single: Rehearsal, values: list[str]):
    values = [*values, *ODD]
    lines = [encode.systemd(f"V{number}", value) for number, value in enumerate(values)]
    done = subprocess.run(
        [
            "docker", "exec", "--interactive", f"{single.name}-{HOST}", "bash", "-euc",
            "cat >/run/values.env; systemd-run --quiet --pipe --wait --collect"
            " --property=EnvironmentFile=/run/values.env env -0",
        ],
        input="\n".join(lines).encode() + b"\n", capture_output=True, check=True,
    )  # fmt: skip
    found = dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)
    assert [found[f"V{number}"] for number in range(len(values))] == values
