"""Files, secrets, logs and the kernel."""

from __future__ import annotations

import pytest


@pytest.mark.usefixtures("app")
def test_secrets_are_roots_alone(host, kinds):
    folder = host.file("/etc/tandem/credentials")
    assert (folder.user, folder.mode) == ("root", 0o700)
    for path in folder.listdir():
        secret = host.file(f"/etc/tandem/credentials/{path}")
        assert (secret.user, secret.mode) == ("root", 0o600)
        assert secret.size >= 32


@pytest.mark.usefixtures("app")
def test_no_secret_is_in_an_environment_or_a_command_line(host, kinds):
    with host.sudo():
        found = host.run(
            # Those of a site that reads its own from variables are there by its own wish.
            "for s in /etc/tandem/credentials/*; do"
            ' grep -lFf "$s" /proc/[0-9]*/cmdline 2>/dev/null; case $s in */site_*) ;;'
            ' *) grep -lFf "$s" /proc/[0-9]*/environ 2>/dev/null ;; esac; done'
        )
    assert found.stdout == ""


@pytest.mark.usefixtures("app")
def test_a_unit_reads_its_own_secrets_only(host, instances):
    for instance in instances:
        user = f"tandem-{instance.split('@')[0]}"
        assert host.run("runuser -u %s -- ls /etc/tandem/credentials", user).failed


@pytest.mark.usefixtures("edge")
def test_the_key_of_the_certificate_is_nginxs_alone(host, groups):
    key = host.file("/etc/tandem/tls/privkey.pem")
    assert (key.user, key.group, key.mode) == ("root", "www-data", 0o640)


@pytest.mark.usefixtures("edge")
def test_the_tokens_of_the_staff_are_nginxs_alone(host, groups):
    tokens = host.file("/etc/tandem/nginx/force.conf")
    assert (tokens.user, tokens.group, tokens.mode) == ("root", "www-data", 0o640)
    # Who reaches this socket says on whose behalf a copied request is.
    shadow = host.file("/run/tandem-nginx/shadow.sock")
    assert (shadow.user, shadow.mode) == ("www-data", 0o600)


@pytest.mark.usefixtures("app")
def test_only_nginx_and_the_instance_may_connect_to_its_socket(host, instances, spread):
    if spread:
        pytest.skip("with several servers instances listen on TCP")
    for instance in instances:
        socket = host.file(f"/run/tandem/{instance}.sock")
        assert socket.is_socket
        assert (socket.group, socket.mode) == ("www-data", 0o660)


@pytest.mark.usefixtures("app")
def test_the_release_is_roots_and_nobody_elses_to_change(host, kinds):
    current = host.check_output("readlink -f /srv/tandem/current")
    # What a link may do is for what it leads to.
    find = r"find %s ! -type l \( ! -user root -o -perm /022 \) -print -quit"
    assert host.check_output(find, current) == ""
    for folder in (current, "/srv/tandem/releases", "/srv/tandem", "/srv"):
        assert host.file(folder).user == "root"
        assert host.file(folder).mode & 0o022 == 0, folder


@pytest.mark.usefixtures("app")
def test_all_instances_run_the_current_release(host, instances):
    for instance in instances:
        pid = host.check_output("systemctl show --property=MainPID --value %s", instance)
        current = host.check_output("readlink -f /srv/tandem/current")
        with host.sudo():
            assert host.check_output("readlink /proc/%s/cwd", pid).startswith(current)


@pytest.mark.usefixtures("edge")
def test_an_operators_nginx_t_leaves_each_its_folders(host, groups):
    """Where root works nobody else can put a link; what is nginx' own is the last of a path."""
    with host.sudo():
        assert host.run("nginx -t -q").rc == 0
        around = host.check_output(
            "stat --format %U /var/lib/nginx /var/log/nginx /run/tandem-nginx"
        )
        own = host.check_output("stat --format %U /var/lib/nginx/* /var/log/nginx/tandem*.json")
    assert set(around.split()) == {"root"}
    assert set(own.split()) == {"www-data"}


@pytest.mark.usefixtures("redis")
def test_configuration_is_in_folders_of_roots(host, groups):
    with host.sudo():
        folder = host.file("/etc/tandem/redis")
        assert (folder.user, folder.mode & 0o022) == ("root", 0)
        assert {host.file(f"{folder.path}/{name}").user for name in folder.listdir()} == {"root"}


def test_logs_are_bounded(host, groups):
    assert "SystemMaxUse" in host.check_output("cat /etc/systemd/journald.conf.d/tandem.conf")
    if "edge" in groups:
        assert host.run("logrotate --debug /etc/logrotate.d/tandem").rc == 0
        with host.sudo():
            for name in ("tandem", "tandem-shadow"):
                log = host.file(f"/var/log/nginx/{name}.json")
                assert log.exists
                assert log.mode & 0o007 == 0


@pytest.mark.usefixtures("edge")
def test_no_query_string_is_logged(host, ask, groups):
    ask("/?token=planted-by-the-specification")
    with host.sudo():
        found = host.run("grep -r planted-by-the-specification /var/log/nginx")
        journal = host.run(
            "journalctl --since -2min --grep planted-by-the-specification"
            " -u nginx -u 'wsgi@*' -u 'notify@*'"
        )
    assert found.stdout == ""
    assert "planted-by-the-specification" not in journal.stdout


@pytest.mark.parametrize(
    ("name", "least"), [("net.core.somaxconn", 4096), ("net.ipv4.tcp_max_syn_backlog", 4096)]
)
def test_the_kernel_has_room_for_connections(host, name, least):
    assert host.sysctl(name) >= least


def test_processes_may_open_thousands_of_sockets(host, instances, groups):
    units = [*instances, *(["nginx"] if "edge" in groups else [])]
    for unit in units:
        limit = host.check_output("systemctl show --property=LimitNOFILE --value %s", unit)
        assert int(limit) >= 20_000, unit


REDIS = (
    'REDISCLI_AUTH="$(cat /etc/tandem/credentials/redis_password 2>/dev/null)"'
    " redis-cli -s /run/redis-tandem/redis-server.sock --no-auth-warning "
)


@pytest.mark.usefixtures("redis")
def test_redis_listens_on_its_socket_alone_or_asks_for_a_password(host, groups, spread):
    with host.sudo():
        port = host.check_output(REDIS + "config get port").split()
        anonymous = host.run("redis-cli -s /run/redis-tandem/redis-server.sock ping").stdout
    assert port == ["port", "6379" if spread else "0"]
    assert ("NOAUTH" in anonymous) == spread


@pytest.mark.usefixtures("redis")
def test_redis_is_sized_for_the_site_and_never_drops_silently(host, setting):
    with host.sudo():
        shown = host.check_output(REDIS + "config get 'max*'").split()
    found = dict(zip(shown[::2], shown[1::2], strict=True))
    assert int(found["maxclients"]) == int(setting("tandem_redis_max_clients"))
    assert int(found["maxmemory"]) >= 64 * 1024 * 1024
    assert found["maxmemory-policy"] == "noeviction"


@pytest.mark.usefixtures("postgres")
def test_postgres_is_asked_by_the_kernels_word_or_by_scram(host, groups, spread, variables):
    with host.sudo("postgres"):
        listens = host.check_output("psql -At -c 'show listen_addresses'")
        methods = host.check_output(
            "psql -At -c 'select distinct auth_method from pg_hba_file_rules order by 1'"
        )
    assert listens == (variables["tandem_private_address"] if spread else "")
    assert methods.split() == (["peer", "scram-sha-256"] if spread else ["peer"])
