"""What upstreams are told and for how long they are waited for, in every location."""

from __future__ import annotations

import pytest

from tandem.streams import HEARTBEAT_SECONDS
from tests.unit.deploy.nginx import Nginx, Place

SET_BY_NGINX = {
    "host": "$site_host$public_port",
    "x-forwarded-for": "$remote_addr",
    "x-forwarded-proto": "https",  # what is not is redirected
    "x-real-ip": "$remote_addr",
    "x-request-id": "$trusted_request_id",
}
# What a client claims about a proxy, or about who it is to nginx, and sites would believe.
NEVER_PASSED_ON = [
    "forwarded", "x-forwarded", "x-forwarded-by", "x-forwarded-host", "x-forwarded-port",
    "x-forwarded-prefix", "x-forwarded-protocol", "x-forwarded-scheme", "x-forwarded-server",
    "x-forwarded-ssl", "x-forwarded-uri", "x-scheme", "x-url-scheme", "front-end-https",
    "cloudfront-forwarded-proto", "cf-visitor", "cf-connecting-ip", "cf-connecting-ipv6",
    "true-client-ip", "client-ip", "x-client-ip", "x-cluster-client-ip",
    "x-original-forwarded-for", "forwarded-for", "forwarded-for-ip", "fastly-client-ip", "x-host",
    "x-http-host-override", "x-original-host", "x-original-url", "x-rewrite-url",
    "x-script-name", "proxy", "x-tandem-upstream", "x-tandem-shadow",
]  # fmt: skip
COPY = "= /tandem-shadow"
# Requests with a body, and attempts to log in, at once; snippets/body-limits.conf.
BODIES = [["bodies", "50"], ["large", "4"], ["logins", "4"], ["all_logins", "8"]]


def seconds(value: str) -> float:
    """Return nginx's time in seconds."""
    number = value.rstrip("smhd")
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    return float(number) * units[value.removeprefix(number)]


def to_upstreams(nginx: Nginx) -> dict[str, Place]:
    """Return the locations that ask Gunicorn, Uvicorn or the notification server."""
    return {name: place for name, place in nginx.proxied().items() if name != COPY}


def zones(nginx: Nginx) -> dict[str, str]:
    """Return by what the zones of limit_conn count: ``{"requests": "$client"}``."""
    found = [d["args"] for d in nginx.http if d["directive"] == "limit_conn_zone"]
    return {name.removeprefix("zone=").partition(":")[0]: key for key, name in found}


@pytest.mark.parametrize("header", SET_BY_NGINX)
def test_what_nginx_knows_is_set_whatever_the_client_claims(every_mode: Nginx, header: str):
    for name, place in to_upstreams(every_mode).items():
        assert place.headers().get(header) == [SET_BY_NGINX[header]], name


@pytest.mark.parametrize("header", NEVER_PASSED_ON)
def test_what_a_client_may_not_claim_is_not_passed_on(every_mode: Nginx, header: str):
    for name, place in to_upstreams(every_mode).items():
        assert place.headers().get(header) == [], name


def test_a_name_that_is_not_ours_is_never_passed_on(nginx: Nginx):
    asked = {"host": "evil.example"}
    assert nginx.value("$site_host", server_name="", **asked) == "example.org"
    # Chosen by its name, so it is one of server_name.
    ours = {"host": "www.example.org", "server_name": "example.org"}
    assert nginx.value("$site_host$public_port", **ours) == "www.example.org:8443"


def test_no_other_upstream_header_is_set_than_the_known_ones(every_mode: Nginx):
    known = {*SET_BY_NGINX, *NEVER_PASSED_ON, "connection", "upgrade"}
    for name, place in to_upstreams(every_mode).items():
        assert set(place.headers()) == known, name


def test_only_locations_of_sockets_forward_an_upgrade(every_mode: Nginx):
    websocket = (["websocket"], ["$connection_upgrade"])
    mixed = (["$mixed_upgrade"], ["$mixed_connection"])
    wanted = {"/ws/": websocket, "/ws/notifications/": websocket, "/mixed/": mixed}
    wanted["= /ws/notifications"] = websocket  # belongs to the route /ws/ around it
    for name, place in to_upstreams(every_mode).items():
        headers = place.headers()
        assert (headers["upgrade"], headers["connection"]) == wanted.get(name, ([], [])), name


def test_upstreams_are_asked_by_http_1_1_with_the_address_as_it_was_sent(every_mode: Nginx):
    for name, place in to_upstreams(every_mode).items():
        assert place.one("proxy_http_version") == "1.1", name
        # With a path behind it nginx would send a normalised address.
        upstream = place.one("proxy_pass").removeprefix("http://")
        assert upstream in ("wsgi", "asgi", "notify", "$chosen"), name


def test_a_request_that_was_sent_is_not_sent_again_unless_it_is_idempotent(every_mode: Nginx):
    for name, place in to_upstreams(every_mode).items():
        assert place.one("proxy_next_upstream") == "error timeout", name
        assert 2 <= int(place.one("proxy_next_upstream_tries")) <= 10, name
        assert seconds(place.one("proxy_next_upstream_timeout")) <= 30, name


def test_a_connection_that_does_not_come_is_waited_for_shortly(every_mode: Nginx):
    for name, place in to_upstreams(every_mode).items():
        assert place.one("proxy_connect_timeout") == "500ms", name


def test_only_sockets_may_be_silent_for_a_day_and_streams_for_longer_than_their_beat(
    every_mode: Nginx,
):
    for name, place in to_upstreams(every_mode).items():
        read, send = (seconds(place.one(f"proxy_{side}_timeout")) for side in ("read", "send"))
        kind = name.removeprefix("= ")
        if kind.startswith("/ws/"):
            assert read == 86_400, name
        elif kind.startswith("/events/"):
            assert 2 * HEARTBEAT_SECONDS < read <= 3600, name
        else:
            assert read == 60, name
        assert send == 60, name


def test_what_is_live_is_not_buffered_and_all_else_is(every_mode: Nginx):
    live = {"/ws/", "/ws/notifications/", "= /ws/notifications", "/events/", "/mixed/"}
    for name, place in to_upstreams(every_mode).items():
        assert (place.one("proxy_buffering") == "off") == (name in live), name


def test_every_location_with_sockets_or_streams_is_limited_for_each_address(every_mode: Nginx):
    for name in ("/ws/", "/ws/notifications/", "/events/", "/mixed/"):
        limits = every_mode.locations()[name].all("limit_conn")
        assert limits == [["client_sockets", "77"], *BODIES], name
    assert zones(every_mode)["client_sockets"] == "$client"
    assert every_mode.site.one("limit_conn_status") == "429"


def test_every_other_request_is_limited_for_each_address(every_mode: Nginx):
    long_lived = {"/ws/", "/ws/notifications/", "= /ws/notifications", "/events/", "/mixed/"}
    for name, place in to_upstreams(every_mode).items():
        if name not in long_lived:
            assert place.all("limit_conn") == [*BODIES, ["requests", "1000"]], name
    keys = {name: zones(every_mode)[name] for name in ("requests", *(zone for zone, _ in BODIES))}
    assert keys == {
        "requests": "$client",
        "bodies": "$sends_body",
        "large": "$sends_much",
        "logins": "$login_attempt",
        "all_logins": "$any_login",
    }


def test_nobody_is_served_from_a_cache_and_a_client_that_leaves_is_let_go(every_mode: Nginx):
    for name, place in to_upstreams(every_mode).items():
        assert place.one("proxy_cache") in ("", "off"), name
        assert place.one("proxy_ignore_client_abort") in ("", "off"), name


def test_a_close_frame_is_not_overtaken_by_a_reset(every_mode: Nginx):
    for name in ("/ws/", "/ws/notifications/", "/mixed/"):
        assert every_mode.locations()[name].one("lingering_close") == "always", name


def test_sockets_are_refused_without_upgrade_and_from_foreign_pages(every_mode: Nginx):
    for name in ("/ws/", "/ws/notifications/"):
        assert every_mode.locations()[name].conditions() == {
            "$connection_upgrade != upgrade": [["426"]],
            "$origin_allowed = 0": [["403"]],
        }
    assert every_mode.locations()["/mixed/"].conditions() == {"$mixed_refused": [["403"]]}


def test_an_instance_is_passed_over_at_once_and_the_least_busy_is_asked(nginx: Nginx):
    for kind in ("wsgi", "asgi", "notify"):
        block = nginx.upstreams()[kind]
        names = [d["directive"] for d in block]
        assert "least_conn" in names
        assert "zone" in names  # or each nginx worker would count for itself
        servers = [d["args"] for d in block if d["directive"] == "server"]
        assert servers == [[f"unix:/run/tandem/{kind}@{n}.sock", "max_fails=0"] for n in (1, 2)]


def test_idle_connections_end_before_the_workers_end_them(nginx: Nginx):
    for kind in ("wsgi", "asgi", "notify"):
        block = {d["directive"]: d["args"] for d in nginx.upstreams()[kind]}
        assert int(block["keepalive"][0]) >= 8
        assert block["keepalive_timeout"] == ["2s"]


def test_the_fallback_is_one_more_question_for_wsgi_alone(every_mode: Nginx):
    for name in ("@asgi", "@asgi_mirrored"):
        place = every_mode.locations()[name]
        assert place.all("error_page") == [["502", "503", "504", "=", "@wsgi_again"]]
        assert place.one("proxy_intercept_errors") == "on"
        assert place.one("recursive_error_pages") == "on"
        assert place.one("proxy_pass") == "http://asgi"
    again = every_mode.locations()["@wsgi_again"]
    assert again.one("proxy_pass") == "http://wsgi"
    assert again.own("set") == [["$fallback", "wsgi"]]
    assert again.one("proxy_intercept_errors") != "on"  # what WSGI says is the answer
    canary = every_mode.locations()["/canary/"]
    assert canary.conditions() == {"$falls_back": [["418"]]}
    assert ["418", "=", "$asgi_location"] in canary.all("error_page")
    assert canary.one("recursive_error_pages") == "on"  # 418 now, 502 perhaps later
    # error_page is not inherited where there is one: a POST has the edge's own pages, too.
    assert any("/errors/page.$error_format" in page for page in canary.all("error_page"))
    assert not every_mode.locations()["/alone/"].conditions()  # fallback: false


def test_errors_of_upstreams_pass_unchanged_where_there_is_no_fallback(every_mode: Nginx):
    for name, place in to_upstreams(every_mode).items():
        if name not in ("@asgi", "@asgi_mirrored"):
            assert place.one("proxy_intercept_errors") != "on", name


def test_copies_can_delay_nobody_and_end_by_themselves(every_mode: Nginx):
    copy = every_mode.locations()[COPY]
    assert copy.own("internal")
    assert copy.conditions() == {"$copied = 0": [["204"]]}
    assert copy.one("proxy_next_upstream") == "off"
    for timeout in ("connect", "send", "read"):
        assert copy.one(f"proxy_{timeout}_timeout") == "1s"
    headers = copy.headers()
    assert headers.get("x-tandem-upstream") == []
    assert headers.get("x-forwarded-for") == ["$remote_addr"]
    assert headers.get("x-forwarded-proto") == ["https"]
    assert headers.get("x-request-id") == ["$trusted_request_id"]  # the log's own id
    assert headers.get("x-tandem-shadow") == ["$shadow_of"]
    for name in ("/canary/", "/watched/", "@asgi_mirrored"):
        assert every_mode.locations()[name].all("mirror") == [["/tandem-shadow"]], name
    for name in ("/", "/moved/", "/alone/", "@asgi", "@wsgi_again"):
        assert not every_mode.locations()[name].all("mirror"), name


def test_the_shadow_is_behind_a_socket_of_nginx_alone_and_bounded(every_mode: Nginx):
    shadow = next(s for s in every_mode.servers() if s.own("keepalive_timeout"))
    assert shadow.own("listen") == [["unix:/run/tandem-nginx/shadow.sock"]]
    assert shadow.all("limit_conn") == [["shadows", "64"]]
    place = every_mode.locations(shadow)[COPY]
    assert place.own("internal")
    assert seconds(place.one("proxy_read_timeout")) == 5
    assert place.headers()["x-tandem-shadow"] == ["on"]
    assert place.headers()["x-forwarded-for"] == ["$http_x_forwarded_for"]
    assert place.headers()["upgrade"] == place.headers()["connection"] == []
    assert place.one("proxy_next_upstream") == "error"
    assert place.all("access_log") == [["/var/log/nginx/tandem-shadow.json", "tandem_shadow"]]
