"""What nginx decides by looking at a request: the maps of deploy/nginx, evaluated."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address

import pytest

from tandem.ops.routes.force import token
from tests.unit.deploy.nginx import KEY, Nginx

OURS = "https://example.org:8443"
UPGRADE = {"server_protocol": "HTTP/1.1", "http_connection": "Upgrade", "http_upgrade": "websocket"}


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, "upgrade"),
        ({"http_connection": "keep-alive, Upgrade"}, "upgrade"),
        ({"http_upgrade": "h2c, WebSocket"}, "upgrade"),
        ({"http_upgrade": "h2c"}, "close"),
        ({"http_upgrade": "websockets"}, "close"),
        ({"http_upgrade": ""}, "close"),
        ({"http_connection": "keep-alive"}, "close"),
        ({"http_connection": "no-upgrade"}, "close"),
        ({"server_protocol": "HTTP/1.0"}, "close"),
        ({"server_protocol": "HTTP/2.0"}, "close"),
    ],
)
def test_websocket_is_the_only_protocol_to_upgrade_to(nginx: Nginx, change: dict, wanted: str):
    assert nginx.value("$connection_upgrade", **{**UPGRADE, **change}) == wanted
    mixed = wanted.replace("close", "")
    assert nginx.value("$mixed_connection", **{**UPGRADE, **change}) == mixed
    assert nginx.value("$mixed_upgrade", **{**UPGRADE, **change}) == (mixed and "websocket")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (OURS, "1"),
        ("https://www.example.org:8443", "1"),
        ("", "0"),
        ("null", "0"),
        ("https://example.org", "0"),
        ("http://example.org:8443", "0"),
        ("https://EXAMPLE.org:8443", "0"),
        ("https://example.org:84430", "0"),
        ("https://example.org:8443.evil.org", "0"),
        ("https://evil.org/https://example.org:8443", "0"),
        ("https://exampleXorg:8443", "0"),
    ],
)
def test_an_origin_is_compared_whole_and_with_its_case(nginx: Nginx, origin: str, allowed: str):
    assert nginx.value("$origin_allowed", http_origin=origin) == allowed
    refused = "1" if allowed == "0" else "0"
    assert nginx.value("$mixed_refused", http_origin=origin, **UPGRADE) == refused
    plain = {**UPGRADE, "http_upgrade": ""}
    assert nginx.value("$mixed_refused", http_origin=origin, **plain) == "0"


@pytest.mark.parametrize("name", ["logged_path", "logged_referer"])
@pytest.mark.parametrize(
    "address", ["/a/b", "/a/b?token=s3cret", "/a/b?x?token=s3cret", "/?s3cret"]
)
def test_no_query_string_reaches_a_log(nginx: Nginx, name: str, address: str):
    logged = nginx.value(f"${name}", request_uri=address, http_referer=address)
    assert logged == address.partition("?")[0]


def test_a_referers_fragment_is_not_logged(nginx: Nginx):
    assert nginx.value("$logged_referer", http_referer="https://a/b#s3cret") == "https://a/b"


def test_the_log_formats_hold_no_address_with_its_query(nginx: Nginx):
    formats = [d["args"] for d in nginx.http if d["directive"] == "log_format"]
    assert [f[0] for f in formats] == ["tandem", "tandem_shadow"]
    for name, escape, *parts in formats:
        assert escape == "escape=json"
        text = "".join(parts)
        variables = set(re.findall(r"\$(\w+)", text))
        told = {"request", "request_uri", "args", "query_string", "is_args", "uri", "http_referer"}
        assert not variables & told, name
        assert not {v for v in variables if v.startswith(("http_", "arg_", "cookie_"))} - {
            "http_user_agent", "http_x_request_id", "http_x_forwarded_for",
            "http_x_tandem_route", "http_x_tandem_share", "http_x_tandem_forced",
        }  # fmt: skip


def test_a_line_of_the_log_has_what_the_report_needs(nginx: Nginx):
    _, _, *parts = next(d["args"] for d in nginx.http if d["directive"] == "log_format")
    text = re.sub(r'"\$\w+"', '""', "".join(parts))
    line = json.loads(re.sub(r"\$\w+", "0", text))
    assert set(line) >= {
        "time", "id", "client", "method", "host", "path", "protocol", "status", "bytes", "seconds",
        "route", "arm", "share", "forced", "fallback", "upstream", "upstream_address",
        "upstream_status", "header_seconds", "upstream_seconds", "release", "tls", "agent",
    }  # fmt: skip


def test_an_error_page_is_logged_by_the_method_that_was_asked(nginx: Nginx):
    assert nginx.value("$logged_method", request="POST /a HTTP/1.1", request_method="GET") == "POST"


@pytest.mark.parametrize(
    "path",
    ["/accounts/login/", "/admin/login/", "/cms/Log-In", "/users/sign_in", "/api/token/", "/auth/"],
)
def test_attempts_to_log_in_are_limited_and_looking_at_the_form_is_not(nginx: Nginx, path: str):
    attempt = {"binary_remote_addr": "address", "uri": path}
    assert nginx.value("$login_attempt", request_method="POST", **attempt) == "address"
    assert nginx.value("$login_attempt", request_method="GET", **attempt) == ""
    assert nginx.value("$login_attempt", request_method="POST", uri="/chat/") == ""
    assert nginx.site.all("limit_req") == [["zone=login", "burst=50", "nodelay"]]
    assert nginx.site.one("limit_req_status") == "429"
    zones = [d["args"] for d in nginx.http if d["directive"] == "limit_req_zone"]
    assert ["$login_attempt", "zone=login:1m", "rate=5r/s"] in zones


def test_a_page_about_one_limit_is_not_refused_by_another(nginx: Nginx):
    """Its own limits take the place of the inherited ones, and count nobody."""
    page = nginx.locations()["/errors/"]
    assert page.all("limit_req") == [["zone=no_requests"]]
    assert page.all("limit_conn") == [["no_connections", "1"]]
    zones = {
        d["args"][1].split(":")[0]: d["args"][0]
        for d in nginx.http
        if d["directive"] in ("limit_req_zone", "limit_conn_zone")
    }
    for zone in ("zone=no_requests", "zone=no_connections"):
        assert nginx.value(zones[zone], uri="/errors/page.html") == ""


def test_attempts_to_log_in_are_limited_where_the_site_says_it_has_them(tmp_path):
    asked = {"binary_remote_addr": "address", "request_method": "POST"}
    nginx = Nginx(tmp_path, LOGIN_PATHS="/door/,/gate/")
    for path, wanted in {"/door/": "address", "/gate/": "address", "/door/x": ""}.items():
        assert nginx.value("$login_attempt", uri=path, **asked) == wanted, path
        # And of all clients together.
        assert nginx.value("$any_login", uri=path, **asked) == (wanted and "all"), path


def test_a_client_is_an_address_and_of_ipv6_its_network(nginx: Nginx):
    def client(address: str) -> str:
        packed = ip_address(address).packed.decode("latin-1")
        return nginx.value("$client", binary_remote_addr=packed)

    assert len(client("192.0.2.1")) == 4
    assert client("192.0.2.1") != client("192.0.2.2")
    assert client("::ffff:192.0.2.1") == client("192.0.2.1")
    assert client("2001:db8:0:1::a") == client("2001:db8:0:1:ffff::b")
    assert client("2001:db8:0:1::a") != client("2001:db8:0:2::a")


@pytest.mark.parametrize(
    ("request_line", "body", "much"),
    [
        ("GET::", "", ""),
        ("POST:0:", "", ""),
        ("POST:10:", "address", ""),
        ("POST:999999:", "address", ""),
        ("POST:1000000:", "address", "address"),
        ("POST::chunked", "address", "address"),
        ("GET::chunked", "address", "address"),
    ],
)
def test_bodies_are_counted_and_those_that_are_much(
    nginx: Nginx, request_line: str, body: str, much: str
):
    method, length, encoding = request_line.split(":")
    asked = {
        "request_method": method, "content_length": length, "http_transfer_encoding": encoding,
        "binary_remote_addr": "address",
    }  # fmt: skip
    assert nginx.value("$sends_body", **asked) == body
    assert nginx.value("$sends_much", **asked) == much


@pytest.mark.parametrize("given", ["0123456789abcdef", "x" * 64, "a-b-c-d-e-f-0-1-2-3"])
def test_a_request_id_from_outside_is_kept_if_it_looks_like_one(nginx: Nginx, given: str):
    assert nginx.value("$trusted_request_id", http_x_request_id=given, request_id="own") == given


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "0123456789abcde ", '0123456789abcdef"'])
def test_any_other_request_id_is_replaced(nginx: Nginx, given: str):
    assert nginx.value("$trusted_request_id", http_x_request_id=given, request_id="own") == "own"


def test_programs_get_errors_as_json_and_people_as_pages(nginx: Nginx):
    for accept, wanted in {
        "application/json": "json",
        "text/html,application/xhtml+xml,application/json;q=0.9": "html",
        "*/*": "html",
        "": "html",
    }.items():
        assert nginx.value("$error_format", http_accept=accept) == wanted, accept


def test_every_error_of_the_edge_has_words(nginx: Nginx):
    codes = set(nginx.site.all("error_page")[0][:-1]) - {"500"}  # of which nothing is known
    assert len(codes) > 15
    for status in codes:
        title, text = (nginx.value(f"$error_{part}", status=status) for part in ("title", "text"))
        assert title not in ("", "Error"), status
        assert text not in ("", "Something went wrong."), status


def test_a_426_names_the_protocol_and_a_429_when_to_come_back(nginx: Nginx):
    assert nginx.value("$error_upgrade", status="426", server_protocol="HTTP/1.1") == "websocket"
    # In HTTP/2 the header breaks the stream.
    assert nginx.value("$error_upgrade", status="426", server_protocol="HTTP/2.0") == ""
    assert nginx.value("$error_retry_after", status="429") == "5"
    assert nginx.value("$error_retry_after", status="503") == "5"
    assert nginx.value("$error_retry_after", status="404") == ""


def test_who_answered_is_the_instance_or_the_edge(nginx: Nginx):
    address = "unix:/run/tandem/asgi@1.sock, unix:/run/tandem/asgi@2.sock"
    assert nginx.value("$answered_by", upstream_addr=address) == "asgi@2"
    assert nginx.value("$answered_by", upstream_addr="") == "edge"


def test_the_identity_of_who_answers_can_be_switched_off(nginx: Nginx, tmp_path):
    address = "unix:/run/tandem/wsgi@1.sock"
    assert nginx.value("$shown_upstream", upstream_addr=address) == "wsgi@1"
    assert nginx.value("$shown_release").startswith("edge-")
    assert nginx.value("$shown_release", upstream_http_x_release="r7") == ""  # it says so itself
    off = Nginx(tmp_path, TANDEM_IDENTITY_HEADERS="off")
    assert off.value("$shown_upstream", upstream_addr=address) == ""
    assert off.value("$shown_release") == ""


# --- shares ---


def test_a_known_client_keeps_its_group(every_mode: Nginx):
    client = {"cookie_tandem_canary": "42", "client_tens": "9", "client_units": "9"}
    assert every_mode.value("$client_group", **client) == "42"
    for forged in ("", "4", "420", "4x", "-1"):
        client["cookie_tandem_canary"] = forged
        assert every_mode.value("$client_group", **client) == "99", forged


def test_a_page_that_is_opened_gets_a_group_of_its_own_and_programs_one_by_address(
    every_mode: Nginx,
):
    client = {"request_id": "random", "remote_addr": "192.0.2.1", "http_user_agent": "curl"}
    assert every_mode.value("$client_key", http_sec_fetch_mode="navigate", **client) == "random"
    assert every_mode.value("$client_key", http_sec_fetch_mode="cors", **client) == "192.0.2.1|curl"
    assert every_mode.value("$client_key", **client) == "192.0.2.1|curl"


def test_the_cookie_is_set_once_and_only_while_some_route_has_a_share(
    every_mode: Nginx, nginx: Nginx
):
    new = {"client_group": "07", "client_known": "no", "chosen": "asgi", "share": "37"}
    cookie = every_mode.value("$canary_cookie", **new)
    assert cookie == ("tandem_canary=07; Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax")
    assert every_mode.value("$canary_cookie", **{**new, "client_known": "yes"}) == ""
    page = {**new, "share": "", "chosen": "wsgi", "http_sec_fetch_mode": "navigate"}
    assert every_mode.value("$canary_cookie", **page) == cookie
    assert every_mode.value("$canary_cookie", **{**page, "http_sec_fetch_mode": "cors"}) == ""
    assert nginx.value("$canary_cookie", **new) == ""


def test_get_and_head_fall_back_and_nothing_else_does(every_mode: Nginx):
    for method, wanted in {"GET": "1", "HEAD": "1", "POST": "0", "PUT": "0", "DELETE": "0"}.items():
        asked = {"request_method": method, "chosen": "asgi", "forced": ""}
        assert every_mode.value("$falls_back", **asked) == wanted, method
        assert every_mode.value("$falls_back", **{**asked, "chosen": "wsgi"}) == "0"
        # Staff who forced ASGI sees its errors.
        assert every_mode.value("$falls_back", **{**asked, "forced": "asgi"}) == "0"


def test_only_what_changes_nothing_is_copied_unless_told(every_mode: Nginx):
    for method, safe in {"GET": "1", "HEAD": "1", "POST": "0", "PATCH": "0"}.items():
        assert every_mode.value("$copied", mirror="safe", request_method=method) == safe
        assert every_mode.value("$copied", mirror="all", request_method=method) == "1"
        assert every_mode.value("$copied", mirror="", request_method=method) == "0"


def test_a_copy_goes_to_the_side_that_did_not_answer(every_mode: Nginx):
    assert every_mode.value("$shadow_of", chosen="asgi") == "wsgi"
    assert every_mode.value("$shadow_of", chosen="wsgi") == "asgi"
    assert every_mode.value("$shadow_upstream", http_x_tandem_shadow="asgi") == "asgi"
    # A header cannot name anything but the two.
    assert every_mode.value("$shadow_upstream", http_x_tandem_shadow="http://evil") == "wsgi"


def test_a_signed_token_forces_a_side_and_nothing_else_does(nginx: Nginx):
    for side in ("asgi", "wsgi"):
        assert nginx.value("$forced", http_x_tandem_upstream=token(KEY, side)) == side
        assert nginx.value("$forced", cookie_tandem_upstream=token(KEY, side)) == side
        for wrong in (side, f"{side}.", token("x" * 64, side)):
            assert nginx.value("$forced", http_x_tandem_upstream=wrong) == "", wrong


def test_groups_are_tenths_of_both_digits_of_different_keys(nginx: Nginx):
    splits = [d for d in nginx.http if d["directive"] == "split_clients"]
    assert [s["args"][1] for s in splits] == ["$client_tens", "$client_units"]
    assert len({s["args"][0] for s in splits}) == 2
    for split in splits:
        assert [(d["directive"], d["args"]) for d in split["block"]] == [
            *(("10%", [str(n)]) for n in range(9)), ("*", ["9"]),
        ]  # fmt: skip
