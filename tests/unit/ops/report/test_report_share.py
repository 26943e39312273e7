"""Which clients a report counts for the share of a canary."""

from __future__ import annotations

import random

from tandem.ops.report.arms import Clients
from tests.unit.ops.report.access_lines import clients, line


def test_the_share_seen_is_of_clients_with_its_interval(told):
    busy = [line(client="2001:db8::bb", route="/a/", share="10", arm="asgi")] * 500
    [canary] = told(clients(0.1, 2000) + busy)["canaries"]
    assert canary["share_asked"] == 10
    assert canary["share_of"] == "clients"
    assert canary["share_counted"] == 2000 + canary["clients_on_both_sides"] * -1
    assert canary["share_low"] < canary["share_seen"] < canary["share_high"]
    assert abs(canary["share_seen"] - 10) < 2
    assert 2.4 < canary["share_high"] - canary["share_low"] < 2.9


def test_many_clients_are_sampled_without_bias():
    rng, sample = random.Random(4), Clients(size=1000)
    everyone = [(rng.getrandbits(64), "asgi" if n % 4 == 0 else "wsgi") for n in range(20_000)]
    for client, arm in everyone * 2:
        sample.add(client, arm)
    assert not sample.complete
    assert len(sample.seen) == 1000
    assert set(sample.seen) == set(sorted(client for client, _ in everyone)[:1000])
    assert abs(sample.on("asgi") - 250) < 3 * (1000 * 0.25 * 0.75) ** 0.5


def test_where_one_address_hides_many_clients_requests_are_counted(told):
    lines = [
        line(route="/a/", share="20", arm="asgi" if n % 5 == 0 else "wsgi") for n in range(500)
    ]
    [canary] = told(lines)["canaries"]
    assert (canary["share_of"], canary["share_seen"]) == ("requests", 20.0)


def test_only_the_latest_share_is_compared(told):
    early = clients(0.5, 300, "1")
    late = clients(0.1, 300, "10", time="2026-11-24T09:00:00+00:00")
    [canary] = told(late + early)["canaries"]
    assert canary["share_asked"] == 10
    assert canary["share_counted"] == 300
