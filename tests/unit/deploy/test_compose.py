"""The replica's containers, by compose.yaml: what each may do, holds and waits for."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.checkout import ROOT

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
INSTANCES = ("wsgi", "asgi", "notify")
LONG_LIVED = ("nginx", "redis", "postgres", *INSTANCES)
SETTINGS = dict(
    line.split("=", 1)
    for line in (ROOT / ".env").read_text().splitlines()
    if line and not line.startswith("#")
)


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_read_only_and_without_rights(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    for gift in ("cap_add", "privileged", "user", "pid", "ipc", "devices"):
        assert gift not in service, gift
    assert service["network_mode"] == "none" if "network_mode" in service else True


@pytest.mark.parametrize("name", LONG_LIVED)
def test_every_container_comes_back_and_may_end_what_it_is_at(name: str):
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["stop_grace_period"] == "${STOP_SECONDS}s"
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    check = service["healthcheck"]
    assert check["interval"] == "15s"
    assert check["start_interval"] == "500ms"


def test_only_nginx_publishes_ports_at_the_address_of_the_settings():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx"}
    assert SERVICES["nginx"]["ports"] == [
        "${BIND_ADDRESS}:${HTTP_PORT}:80",
        "${BIND_ADDRESS}:${HTTPS_PORT}:443",
    ]
    assert SETTINGS["BIND_ADDRESS"] == "127.0.0.1"


@pytest.mark.parametrize("name", ["redis", "postgres", "first-run"])
def test_the_data_stores_have_no_network(name: str):
    assert SERVICES[name].get("network_mode") == "none"


def test_secrets_are_where_they_are_needed_and_written_by_the_first_run_alone():
    holders = {
        n: v for n, s in SERVICES.items() for v in s["volumes"] if v.startswith("credentials:")
    }
    assert holders.pop("first-run") == "credentials:/etc/tandem/credentials"
    assert set(holders) == {*INSTANCES, "migrate", "process"}
    assert set(holders.values()) == {"credentials:/etc/tandem/credentials:ro"}


def test_nginx_reads_and_does_not_write():
    volumes = SERVICES["nginx"]["volumes"]
    for name in ("nginx-config", "tls", "static", "media"):
        assert any(v.startswith(f"{name}:") and v.endswith(":ro") for v in volumes), name
    assert "nginx-bodies:/var/lib/nginx" in volumes  # on disk: uploads wait there
    assert not any(v.startswith(("credentials", "database", "run-")) for v in volumes)


def test_the_signals_are_those_that_let_work_end():
    assert SERVICES["nginx"]["stop_signal"] == "SIGQUIT"
    assert SERVICES["postgres"]["stop_signal"] == "SIGINT"
    for name in INSTANCES:
        assert SERVICES[name].get("stop_signal", "SIGTERM") == "SIGTERM"


@pytest.mark.parametrize("name", INSTANCES)
def test_an_instance_waits_for_its_stores_and_is_healthy_when_it_is_ready(name: str):
    service = SERVICES[name]
    assert service["depends_on"] == {
        "redis": {"condition": "service_healthy"},
        "postgres": {"condition": "service_healthy"},
    }
    assert "/health/ready/" in service["healthcheck"]["test"][1]
    assert service["command"] == ["instance.sh", name]
    assert service["deploy"]["replicas"] == f"${{{name.upper()}_INSTANCES}}"


def test_nginx_is_not_replaced_with_the_site():
    assert "depends_on" not in SERVICES["nginx"]


def test_every_setting_reaches_what_it_is_for():
    environment = SERVICES["wsgi"]["environment"]
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    assert set(SETTINGS) - used == {"COMPOSE_PROJECT_NAME"} - used
    for name in (
        "SERVER_NAMES", "HTTPS_PORT", "WSGI_WORKERS", "WSGI_THREADS", "ASGI_THREADS",
        "ASGI_DATABASE_POOL", "NOTIFY_THREADS", "UPLOAD_LIMIT_MIB", "SOCKETS_PER_ADDRESS",
        "SOCKETS_PER_USER", "SOCKET_DRAIN_SECONDS", "TANDEM_IDENTITY_HEADERS",
        "WSGI_INSTANCES", "ASGI_INSTANCES", "NOTIFY_INSTANCES",
    ):  # fmt: skip
        assert environment[name] == f"${{{name}}}", name
    assert environment["UVICORN_WS_MAX_SIZE"] == "${WS_MESSAGE_LIMIT_BYTES}"
    for name in (*INSTANCES, "migrate"):
        assert SERVICES[name]["environment"] == environment, name
    # What concerns the edge alone does not make the site another one.
    edge = ("TRUSTED_PROXIES", "PROXY_PROTOCOL", "REQUESTS_PER_ADDRESS", "LOGIN_PATHS")
    assert SERVICES["first-run"]["environment"] == {
        **environment,
        **{name: f"${{{name}}}" for name in edge},
    }


def test_no_secret_is_in_an_environment():
    for service in SERVICES.values():
        for name in service.get("environment", {}):
            assert not re.search("SECRET|PASSWORD|KEY|TOKEN", name), name


def test_uploads_static_files_and_keys_outlive_their_containers():
    assert set(COMPOSE["volumes"]) == {
        "database", "media", "data", "static", "credentials", "tls", "nginx-config",
        "nginx-bodies", "run", "run-redis", "run-postgres",
    }  # fmt: skip
    assert "database:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]
    for name in INSTANCES:
        assert "media:/srv/tandem/media" in SERVICES[name]["volumes"]
        assert "data:/srv/tandem/data" in SERVICES[name]["volumes"]


# --- the images ---

STAGES = dict(
    re.findall(
        r"(?ms)^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", (ROOT / "docker/Dockerfile").read_text()
    )
)


@pytest.mark.parametrize(
    ("stage", "user"),
    [("app", "tandem"), ("nginx", "www-data"), ("redis", "redis"), ("postgres", "postgres")],
)
def test_no_container_runs_as_root(stage: str, user: str):
    assert re.findall(r"(?m)^USER (\S+)$", STAGES[stage]) == [user]


def test_the_first_run_is_the_sites_own_user():
    assert "USER" not in STAGES["first-run"]  # inherited
    assert "FROM app AS first-run" in (ROOT / "docker/Dockerfile").read_text()


def test_packages_are_checked_against_their_hashes_and_debians_own():
    wheels = (ROOT / "docker/wheels.sh").read_text()
    lines = wheels.replace("\\\n", "").splitlines()
    calls = [line for line in lines if re.search(r"\bpip\b.* (download|wheel|install) ", line)]
    assert len(calls) == 1, calls
    assert " install --require-hashes --no-deps " in calls[0]
    assert "--requirement /build/requirements.lock" in calls[0]
    assert "binary=(--only-binary :all:)" in wheels  # what is built runs code of its own
    for stage, package in {
        "nginx": "nginx",
        "redis": "redis-server",
        "postgres": "postgresql",
    }.items():
        assert re.search(rf"apt-get install -qy --no-install-recommends {package}\b", STAGES[stage])


def test_no_secret_is_there_when_a_front_end_is_built_and_its_node_stays_behind():
    assert "\nRUN bash /build/front-end.sh build\n" in STAGES["front-end"]
    taken = re.findall(r"--from=front-end (\S+)", (ROOT / "docker/Dockerfile").read_text())
    assert taken == ["/site"]


def test_no_build_reads_what_another_sites_build_has_written():
    """What a source runs when it is built can write to the caches that its step has."""
    shared = {"/var/cache/apt", "/var/lib/apt"}  # root's alone: Debian's packages, which are signed
    steps = [
        (stage, step)
        for stage, text in STAGES.items()
        for step in re.findall(r"(?ms)^RUN (.*?[^\\\n])$", text)
    ]
    own = 0
    for stage, step in steps:
        for mount in re.findall(r"--mount=type=cache,(\S+)", step):
            options = dict(option.split("=") for option in mount.split(","))
            if options["target"] in shared:
                assert not re.search(r"\bpip\b|\bbash /build/", step), (stage, step)
                continue
            own += 1
            assert options["id"].endswith("${SITE_CACHE}"), (stage, step)
            assert re.search(r"(?m)^ARG .*\bSITE_CACHE=own\b", STAGES[stage])
    assert own == 3  # pip's, and twice npm's
    build = SERVICES["wsgi"]["build"]["args"]
    assert build["SITE_CACHE"] == "${SITE_CACHE:-own}"
    assert SERVICES["first-run"]["build"]["args"] == build
    # Whatever a site is called, that is not "own".
    assert '"SITE_CACHE": cache(home)' in (ROOT / "tandem/ops/checkout/site.py").read_text()
    release = (ROOT / "tandem/ops/release/cli.py").read_text()
    assert '"SITE_CACHE": value("SITE_CACHE") or "own"' in release


def test_folders_of_secrets_and_sockets_are_closed_in_the_image():
    base = STAGES["base"]
    assert "-o tandem -g tandem -m 0700 /etc/tandem/credentials" in base
    assert "-o tandem -g tandem -m 2750 /run/tandem /srv/tandem/media /srv/tandem/data" in base
    assert "-o redis -g redis -m 0750 /run/redis-tandem" in base


def test_secrets_are_made_whole_and_for_their_owner_alone():
    script = (ROOT / "docker/entrypoints/first-run.sh").read_text()
    before, _, after = script.partition("\numask 022\n")
    assert "\numask 077\n" in before
    assert "self-signed.sh" in before
    assert 'secrets.token_urlsafe(48))\' >"$key.new"\n        mv "$key.new" "$key"' in before
    assert 'if [ ! -s "$key" ]; then' in before  # once: a new key would end every session
    assert "tandem.ops.nginx.generate" in after
    # Pages of the release before still name its static files.
    assert "cp -r /srv/tandem/current/static/. /srv/tandem/static/" in after
    assert "rm " not in script
