"""The edge itself: TLS, names, limits, headers, logs, static files and uploads."""

from __future__ import annotations

import pytest

from tandem.sizes import SIZES
from tests.checkout import ROOT
from tests.unit.deploy.nginx import HASHED, STATIC, Nginx, Place

CODES = "400 403 404 405 408 411 413 414 416 421 426 429 431 500 501 502 503 504 505"
HEADERS = {
    "x-request-id": ["$trusted_request_id"],
    "x-content-type-options": ["nosniff"],
    "x-upstream": ["$shown_upstream"],
    "x-release": ["$shown_release"],
    "strict-transport-security": ["$hsts"],
    "set-cookie": ["$canary_cookie"],
}


def http(nginx: Nginx) -> Place:
    """Return what holds for every server."""
    return Place("http", [nginx.http])


def main(nginx: Nginx, directive: str) -> list[list[str]]:
    """Return the arguments of a directive outside http."""
    return [d["args"] for d in nginx.main if d["directive"] == directive]


def test_tls_is_mozillas_intermediate_profile(nginx: Nginx):
    for server in nginx.servers():
        assert server.all("ssl_protocols") == [["TLSv1.2", "TLSv1.3"]]
        ciphers = server.one("ssl_ciphers").split(":")
        assert len(ciphers) == 6
        # Forward secrecy and authenticated encryption, all of them.
        assert all(c.startswith("ECDHE-") for c in ciphers)
        assert all(c.endswith(("GCM-SHA256", "GCM-SHA384", "CHACHA20-POLY1305")) for c in ciphers)
        assert server.one("ssl_ecdh_curve") == "X25519:prime256v1:secp384r1"
        assert server.one("ssl_session_tickets") == "off"
        assert server.one("ssl_session_timeout") == "1d"
        assert server.one("ssl_session_cache").startswith("shared:")
        assert server.one("ssl_prefer_server_ciphers") == "off"
        assert server.one("ssl_certificate") == "/etc/tandem/tls/fullchain.pem"
        assert server.one("ssl_certificate_key") == "/etc/tandem/tls/privkey.pem"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, "301"),
        ({"request_method": "HEAD"}, "301"),
        ({"request_method": "POST"}, "308"),  # stays a POST
        ({"uri": "/health/"}, "301"),
        ({"uri": "/health/ready/x"}, "301"),
        ({"uri": "/x/health/ready/"}, "301"),
        ({"uri": "/.well-known/acme-challenge"}, "301"),
        # Machines that ask for the health, and an authority, are answered as they come.
        ({"uri": "/health/edge/"}, ""),
        ({"uri": "/health/ready/"}, ""),
        ({"uri": "/health/notify/live/"}, ""),
        ({"uri": "/.well-known/acme-challenge/x"}, ""),
        ({"uri": "/errors/page.html"}, ""),
        # What a client claims says nothing; what a trusted proxy says does.
        ({"http_x_forwarded_proto": "https"}, "301"),
        ({"http_x_forwarded_proto": "https", "by_trusted_proxy": "1"}, ""),
        ({"scheme": "https"}, ""),
        ({"scheme": "https", "http_x_forwarded_proto": "http"}, ""),
        ({"scheme": "https", "http_x_forwarded_proto": "http", "by_trusted_proxy": "1"}, "301"),
    ],
)
def test_what_did_not_come_by_https_is_sent_there(nginx: Nginx, change: dict, wanted: str):
    asked = {"scheme": "http", "by_trusted_proxy": "0", "uri": "/", "request_method": "GET"}
    assert nginx.value("$redirect", **{**asked, **change}) == wanted


def test_http_redirects_to_the_same_address_on_every_path(nginx: Nginx):
    assert ["80"] in nginx.site.own("listen")
    assert ["[::]:80"] in nginx.site.own("listen")
    for status in ("301", "308"):
        address = [[status, "https://$host$public_port$request_uri"]]
        assert nginx.site.conditions()[f"$redirect = {status}"] == address
    # Before any other answer.
    assert list(nginx.site.conditions())[:2] == ["$redirect = 301", "$redirect = 308"]
    for server in (nginx.site, nginx.unknown):
        place = nginx.locations(server)["^~ /.well-known/acme-challenge/"]
        assert place.one("root") == "/var/lib/tandem/acme"
        assert place.one("disable_symlinks") == "on from=/var/lib/tandem/acme"
        assert not place.own("proxy_pass")


def test_a_name_that_is_not_ours_gets_421_and_nothing_else(nginx: Nginx):
    assert nginx.unknown.own("server_name") == [[""]]
    for listen in ("80", "[::]:80", "443", "[::]:443"):
        tls = ["ssl"] if listen.endswith("443") else []
        assert [listen, *tls, "default_server"] in nginx.unknown.own("listen")
        assert [listen, *tls] in nginx.site.own("listen")
    places = nginx.locations(nginx.unknown)
    assert places["/"].own("return") == [["421"]]
    # Balancers ask by bare address, and an authority before the name is ours.
    assert set(places) - {"/", "/errors/", "^~ /.well-known/acme-challenge/"} == {
        f"{how} /health/{what}/"
        for how, whats in {"=": ("edge", "live", "ready"), "^~": ("wsgi", "asgi", "notify")}.items()
        for what in whats
    }
    assert places["/errors/"].own("internal")
    assert nginx.site.own("server_name") == [["example.org", "www.example.org"]]
    assert nginx.site.one("http2") == "on"


def test_every_answer_of_the_edge_has_the_common_headers(every_mode: Nginx):
    unknown = {f"unknown {n}": p for n, p in every_mode.locations(every_mode.unknown).items()}
    for name, place in {**every_mode.locations(), **unknown}.items():
        if "internal" in {d["directive"] for d in place.chain[-1]} and "/errors/" not in name:
            continue
        found = place.headers("add_header")
        for header, values in HEADERS.items():
            assert found.get(header) == values, (name, header)
        # "always": on errors, too, but for what is said of the file itself.
        for header, _, *always in place.all("add_header"):
            of_files = ("Cache-Control", "Content-Disposition")
            assert always == ["always"] or header in of_files, (name, header)


def test_an_upstreams_own_header_is_not_doubled(every_mode: Nginx):
    for name, place in every_mode.proxied().items():
        if name != "= /tandem-shadow":
            assert place.all("proxy_hide_header") == [["X-Content-Type-Options"]], name


def test_nothing_says_what_version_serves(nginx: Nginx):
    assert http(nginx).one("server_tokens") == "off"


def test_slow_clients_do_not_collect_connections(nginx: Nginx):
    place = nginx.site
    assert place.one("client_header_timeout") == "15s"
    assert place.one("client_body_timeout") == "30s"
    assert place.one("send_timeout") == "30s"
    assert place.one("keepalive_timeout") == "65s"
    assert place.one("reset_timedout_connection") == "on"


def test_bodies_wait_on_disk_and_headers_have_bounds(nginx: Nginx):
    place = nginx.site
    assert place.one("client_body_buffer_size") == "64k"
    assert place.one("client_max_body_size") == str(25 * 1024 * 1024 + 64 * 1024)
    number, size = map(int, place.one("large_client_header_buffers").split())
    assert size == SIZES["HEADER_BYTES"]
    assert number * size == SIZES["HEADERS_BYTES"]
    for location in nginx.proxied().values():
        assert location.one("proxy_request_buffering") in ("", "on")
        assert location.one("client_max_body_size") == place.one("client_max_body_size")


def test_what_is_too_long_for_the_site_is_refused_with_a_page(nginx: Nginx):
    for variable, size in {"request_uri": "ADDRESS_BYTES", "http_cookie": "COOKIE_BYTES"}.items():
        judged = "$address_too_long" if variable == "request_uri" else "$cookie_too_long"
        for more, wanted in {0: "0", 1: "1"}.items():
            asked = {variable: "a" * (SIZES[size] + more)}
            assert nginx.value(judged, uri="/", **asked) == wanted, (judged, more)
            # Not again while the page about it is fetched.
            assert nginx.value(judged, uri="/errors/page.html", **asked) == "0", judged
    for server in (nginx.site, nginx.unknown):
        conditions = server.conditions()
        assert conditions["$address_too_long"] == [["414"]], server.name
        assert conditions["$cookie_too_long"] == [["431"]], server.name


def test_the_error_log_never_quotes_a_request(nginx: Nginx):
    assert main(nginx, "error_log") == [["stderr", "crit"]]
    # A line about a request quotes it; of connections alone, the server that has them at first.
    assert [s.name for s in nginx.servers() if s.own("error_log")] == [""]
    assert nginx.unknown.own("error_log") == [["stderr", "crit"]]
    for server in nginx.servers():
        for name, place in nginx.locations(server).items():
            assert place.one("error_log") == "/dev/null emerg", (server.name, name)


def test_every_request_is_logged_but_health_and_hashed_files(nginx: Nginx):
    assert http(nginx).all("access_log") == [["/var/log/nginx/tandem.json", "tandem"]]
    silent = {n for n, p in nginx.locations().items() if p.all("access_log") == [["off"]]}
    assert silent == {"= /health/edge/", HASHED}


def test_a_reload_leaves_no_worker_behind_and_sockets_have_room(nginx: Nginx):
    assert main(nginx, "worker_shutdown_timeout") == [["5m"]]
    assert main(nginx, "worker_processes") == [["auto"]]
    descriptors = int(main(nginx, "worker_rlimit_nofile")[0][0])
    events = Nginx._block(nginx.main, "events")
    connections = int(next(d["args"][0] for d in events if d["directive"] == "worker_connections"))
    assert 5000 <= 2 * connections <= descriptors  # two descriptors for a proxied socket


def test_nginx_is_nobody_special(nginx: Nginx):
    assert main(nginx, "user") == [["www-data"]]
    # Whoever starts it says where its pid is: root's 'nginx -t' must not write there.
    assert not main(nginx, "pid")


def test_errors_of_the_edge_are_pages_of_ours(nginx: Nginx):
    for name in ("/", "/ws/", "/events/", "/legacy/", STATIC, HASHED, "/media/"):
        found = nginx.locations()[name].all("error_page")
        assert found[0] == [*CODES.split(), "/errors/page.$error_format"], name
        # Codes of nginx' own, which no client would understand.
        assert ["494", "=431", "/errors/page.$error_format"] in found, name
        assert ["495", "496", "497", "=400", "/errors/page.$error_format"] in found, name
    pages = nginx.locations()["/errors/"]
    assert pages.own("internal")
    assert pages.one("ssi") == "on"
    assert pages.headers("add_header").get("cache-control") == ["no-store"]
    assert pages.headers("add_header").get("retry-after") == ["$error_retry_after"]
    assert pages.headers("add_header").get("upgrade") == ["$error_upgrade"]
    for name in ("page.html", "page.json"):
        assert 'var="status"' in (ROOT / "deploy/nginx/errors" / name).read_text()


def test_text_is_compressed_and_pictures_are_not(nginx: Nginx):
    for kind in ("gzip", "brotli"):
        assert http(nginx).one(kind) == "on"
        types = http(nginx).one(f"{kind}_types").split()
        assert {"text/css", "application/json", "application/javascript"} <= set(types)
        assert not [t for t in types if t.startswith(("image/", "video/")) and "svg" not in t]
        # Events of a stream must not wait for a block to be full.
        assert "text/event-stream" not in types
    assert http(nginx).one("gzip_vary") == "on"
    assert http(nginx).one("gzip_proxied") == "any"


@pytest.mark.parametrize("kind", ["wsgi", "asgi", "notify"])
def test_each_upstreams_health_can_be_asked_for_by_name(nginx: Nginx, kind: str):
    place = nginx.locations()[f"^~ /health/{kind}/"]
    assert place.one("proxy_pass") == f"http://{kind}"
    assert place.own("rewrite") == [[f"^/health/{kind}/(live|ready)/$", "/health/$1/", "break"]]


def test_the_edge_answers_for_itself(nginx: Nginx):
    place = nginx.locations()["= /health/edge/"]
    assert not place.own("proxy_pass")
    assert place.own("return") == [["200", '{"status": "live", "config": "$edge_config"}\\n']]


def test_locations_of_the_operators_own_are_read(nginx: Nginx):
    text = (ROOT / "deploy/nginx/site.conf").read_text()
    assert "include /etc/tandem/nginx/routes.d/*.conf;" in text


def test_hsts_is_sent_where_it_is_asked_for(nginx: Nginx, tmp_path):
    assert nginx.value("$hsts", scheme="https") == ""
    asked_for = Nginx(tmp_path, HSTS="max-age=31536000")
    assert asked_for.value("$hsts", scheme="https") == "max-age=31536000"
    assert asked_for.value("$hsts", scheme="http") == ""  # where browsers ignore it (RFC 6797, 7.2)
