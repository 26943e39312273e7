"""The edge itself: TLS, names, limits, headers, logs, static files and uploads."""

from __future__ import annotations

import pytest

from tests.checkout import ROOT
from tests.unit.deploy.nginx import Nginx, Place

STATIC = "/static/"
HASHED = r"~ ^/static/.+\.[0-9a-f]{12}\.\w+$"
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


def test_http_redirects_and_serves_nothing_but_an_authoritys_question(nginx: Nginx):
    plain = next(s for s in nginx.servers() if ["80", "default_server"] in s.own("listen"))
    places = nginx.locations(plain)
    assert set(places) == {"/", "^~ /.well-known/acme-challenge/"}
    assert places["/"].own("return") == [["301", "https://$host$public_port$request_uri"]]
    assert places["^~ /.well-known/acme-challenge/"].one("root") == "/var/lib/tandem/acme"
    assert ["[::]:80", "default_server"] in plain.own("listen")


def test_a_name_that_is_not_ours_gets_421_and_nothing_else(nginx: Nginx):
    unknown = next(
        s for s in nginx.servers() if ["443", "ssl", "default_server"] in s.own("listen")
    )
    assert unknown.own("server_name") == [[""]]
    assert unknown.own("return") == [["421"]]
    assert not nginx.locations(unknown)
    assert nginx.site.own("server_name") == [["example.org", "www.example.org"]]
    assert nginx.site.own("listen") == [["443", "ssl"], ["[::]:443", "ssl"]]
    assert nginx.site.one("http2") == "on"


def test_every_answer_of_the_edge_has_the_common_headers(every_mode: Nginx):
    for name, place in every_mode.locations().items():
        if "internal" in {d["directive"] for d in place.chain[-1]} and name != "/errors/":
            continue
        found = place.headers("add_header")
        for header, values in HEADERS.items():
            assert found.get(header) == values, (name, header)
        # "always": on errors, too.
        for header, _, *always in place.all("add_header"):
            assert always == ["always"] or header == "Cache-Control", (name, header)


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
    assert place.one("large_client_header_buffers") == "4 8k"
    for location in nginx.proxied().values():
        assert location.one("proxy_request_buffering") in ("", "on")
        assert location.one("client_max_body_size") == place.one("client_max_body_size")


def test_the_error_log_never_quotes_a_request(nginx: Nginx):
    assert main(nginx, "error_log") == [["stderr", "crit"]]
    for server in nginx.servers():
        assert not server.own("error_log")
        assert not any(p.own("error_log") for p in nginx.locations(server).values())


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
    assert main(nginx, "pid") == [["/run/nginx/nginx.pid"]]


def test_static_files_stay_cached_if_their_name_has_a_hash(nginx: Nginx):
    places = nginx.locations()
    assert places[STATIC].one("alias") == "/srv/tandem/static/"
    assert places[STATIC].one("expires") == "1h"
    hashed = places[HASHED]
    assert hashed.one("root") == "/srv/tandem"
    assert hashed.headers("add_header").get("cache-control") == [
        "public, max-age=31536000, immutable"
    ]
    assert not hashed.own("expires")


def test_a_site_may_serve_its_static_files_itself(tmp_path):
    assert STATIC not in Nginx(tmp_path, SITE_STATIC="").locations()


def test_an_uploaded_page_cannot_act_as_the_site(nginx: Nginx):
    media = nginx.locations()["/media/"]
    assert media.one("alias") == "/srv/tandem/media/"
    policy = media.headers("add_header")["content-security-policy"][0]
    directives = {d.strip() for d in policy.split(";")}
    assert directives >= {"default-src 'none'", "sandbox"}
    assert "unsafe-inline" not in policy.replace("style-src 'unsafe-inline'", "")
    assert media.headers("add_header")["x-content-type-options"] == ["nosniff"]


def test_errors_of_the_edge_are_pages_of_ours(nginx: Nginx):
    wanted = [
        "403",
        "404",
        "413",
        "421",
        "426",
        "429",
        "502",
        "503",
        "504",
        "/errors/page.$error_format",
    ]
    for name in ("/", "/ws/", "/events/", "/legacy/", STATIC, HASHED, "/media/"):
        assert wanted in nginx.locations()[name].all("error_page"), name
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
    assert nginx.value("$hsts") == ""
    assert Nginx(tmp_path, HSTS="max-age=31536000").value("$hsts") == "max-age=31536000"
