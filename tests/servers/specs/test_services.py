"""What runs, and comes back after a boot."""

from __future__ import annotations

import os
import re

import pytest


def test_every_process_of_the_site_runs_and_starts_at_boot(host, processes):
    if not processes:
        pytest.skip("the site has no processes of its own on this server")
    for process in processes:
        assert host.service(process).is_running, process
        assert host.service(process).is_enabled, process


@pytest.mark.usefixtures("app")
def test_every_instance_runs_and_starts_at_boot(host, instances):
    for instance in instances:
        assert host.service(instance).is_running, instance
        assert host.service(instance).is_enabled, instance
        assert host.service(f"{instance}.socket").is_enabled, instance


def test_the_parts_of_this_server_run_and_start_at_boot(host, groups):
    wanted = {
        "edge": ["nginx"],
        "redis": ["redis-server@tandem"],
        "postgres": ["postgresql"],
        "wsgi": ["tandem.target"],
        "asgi": ["tandem.target"],
        "notify": ["tandem.target"],
    }
    for group, units in wanted.items():
        for unit in units if group in groups else []:
            assert host.service(unit).is_running, unit
            assert host.service(unit).is_enabled, unit
    assert host.service("tandem-firewall").is_enabled


def test_no_unit_has_failed(host):
    assert host.check_output("systemctl --failed --no-legend --plain") == ""


def test_security_updates_and_renewals_have_their_timers(host, variables, setting):
    timers = ["apt-daily.timer", "apt-daily-upgrade.timer", "logrotate.timer"]
    if variables.get("tandem_tls") == "acme":
        timers.append("certbot.timer")
    for timer in timers:
        assert host.service(timer).is_enabled, timer
    period = host.check_output("apt-config dump APT::Periodic::Unattended-Upgrade")
    updates = setting("base_automatic_security_updates", "base")
    assert f'"{int(updates)}"' in period


@pytest.mark.usefixtures("app")
def test_the_processes_of_the_site_are_not_roots_and_not_each_others(host, instances):
    for instance in instances:
        user = host.check_output("systemctl show --property=User --value %s", instance)
        assert user == f"tandem-{instance.split('@')[0]}"


def test_exposure_is_low(host, instances, groups):
    limits = dict.fromkeys(instances, 2.0) | {"tandem-firewall": 2.0}
    if "edge" in groups:
        limits["nginx"] = 3.0
    if "redis" in groups:
        limits["redis-server@tandem"] = 3.0
    for unit, limit in limits.items():
        said = host.check_output(
            "systemd-analyze security --no-pager %s | tail -1", f"{unit}.service"
        )
        assert float(said.split(":")[1].split()[0]) <= limit, said


def test_units_are_accepted_without_a_warning(host, instances, groups):
    units = [f"{instance}.{unit}" for instance in instances for unit in ("service", "socket")]
    units += ["tandem-firewall.service"]
    units += ["nginx.service", "nginx.socket", "nginx-shadow.socket"] if "edge" in groups else []
    units += ["redis-server@tandem.service"] if "redis" in groups else []
    for unit in units:
        said = host.run("systemd-analyze verify --man=no %s", unit)
        assert "/etc/systemd/system" not in said.stderr, said.stderr


@pytest.mark.usefixtures("edge")
def test_no_worker_of_nginx_can_hang_waiting_for_a_connection(host):
    """A blocking accept() that another worker has won waits for the next connection."""
    main = host.check_output("systemctl show --property=MainPID --value nginx.service")
    for descriptor in range(3, 8):  # deploy/nginx/start.sh
        flags = host.check_output(
            "sed -n 's/^flags:[[:space:]]*//p' /proc/%s/fdinfo/%s", main, str(descriptor)
        )
        assert int(flags, 8) & os.O_NONBLOCK, f"descriptor {descriptor}: flags {flags}"


def seconds(span: str) -> int:
    """Return a span of time as systemd writes it, ``1min 10s``, in seconds."""
    units = {"min": 60, "s": 1}
    return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)(min|s)\b", span))


@pytest.mark.usefixtures("app")
def test_what_is_under_way_may_end_before_the_kill(host, instances, setting):
    for instance in instances:
        stop = host.check_output("systemctl show --property=TimeoutStopUSec --value %s", instance)
        # docs/timeouts.md: the departure of the sockets, and 30 s for what is under way.
        assert seconds(stop) == int(setting("tandem_socket_drain_seconds")) + 30


@pytest.mark.usefixtures("app")
def test_a_site_that_fails_is_tried_again_for_ever(host, instances):
    for instance in instances:
        shown = host.check_output(
            "systemctl show -p Restart -p StartLimitIntervalUSec %s", instance
        )
        assert "Restart=always" in shown
        assert "StartLimitIntervalUSec=0" in shown


@pytest.mark.usefixtures("app")
def test_memory_is_limited_and_the_site_dies_before_the_database(host, instances):
    for instance in instances:
        shown = host.check_output("systemctl show -p MemoryMax -p OOMScoreAdjust %s", instance)
        assert "MemoryMax=infinity" not in shown
        assert int(shown.split("OOMScoreAdjust=")[1].split()[0]) > 0
