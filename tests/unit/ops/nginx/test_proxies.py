"""The settings for proxies in front, names and limits: what is taken and how a mistake is named."""

from __future__ import annotations

import re

import pytest

from tandem.ops.nginx.existing import render as render_beside
from tandem.ops.nginx.generate import render
from tandem.ops.routes.model import Route
from tandem.sizes import SIZES
from tests.stack import ROOT
from tests.unit.ops.routes.test_routes import SETTINGS

ROUTES = [Route("/", "wsgi")]


def test_without_a_proxy_nobody_is_believed():
    text = render(SETTINGS, ROUTES)["proxies.conf"]
    assert "real_ip" not in text
    assert re.search(r"by_trusted_proxy \{\s+default 0;\s+\}", text)


def test_trusted_networks_of_both_kinds_are_believed():
    settings = {**SETTINGS, "TRUSTED_PROXIES": "10.0.0.0/24, 2001:db8::/64,192.0.2.7"}
    text = render(settings, ROUTES)["proxies.conf"]
    for network in ("10.0.0.0/24", "2001:db8::/64", "192.0.2.7/32"):
        assert f"set_real_ip_from {network};" in text
        assert f"    {network} 1;" in text
    assert "real_ip_header X-Forwarded-For;" in text
    assert "real_ip_recursive on;" in text


def test_the_proxy_protocol_is_spoken_on_both_ports_but_not_within():
    settings = {**SETTINGS, "TRUSTED_PROXIES": "10.0.0.5", "PROXY_PROTOCOL": "on"}
    files = render(settings, ROUTES)
    assert "real_ip_header proxy_protocol;" in files["proxies.conf"]
    for name in ("http", "http-default", "https", "https-default"):
        lines = files[f"listen-{name}.conf"].splitlines()
        outside = [line for line in lines if re.match(r"listen (\[::\]:)?\d+ ", line)]
        assert len(outside) == 2
        assert all(line.endswith(" proxy_protocol;") for line in outside)
        assert sum("127.0.0.1:" in line and "proxy_protocol" not in line for line in lines) == 1


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES: 10.0.0.1/8 has host bits set"),
        ({"TRUSTED_PROXIES": "balancer"}, "TRUSTED_PROXIES: 'balancer' does not appear"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "is everybody"),
        ({"TRUSTED_PROXIES": "::/0"}, "is everybody"),
        ({"PROXY_PROTOCOL": "on"}, "TRUSTED_PROXIES does not say who speaks it"),
        ({"PROXY_PROTOCOL": "yes"}, "must be on or off, got 'yes'"),
        ({"SERVER_NAMES": ".example.org"}, "'.example.org' stands for all names below it"),
        ({"SERVER_NAMES": "a" * 254}, "is no host name"),
        ({"LOGIN_PATHS": "enter"}, "'enter' is no path"),
    ],
)
def test_a_mistake_is_named(changed: dict[str, str], complaint: str):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        render({**SETTINGS, **changed}, ROUTES)


def test_a_login_path_is_matched_whole():
    text = render({**SETTINGS, "LOGIN_PATHS": "/enter/,/a.b"}, ROUTES)["server.conf"]
    assert '"~^/enter/$" 1;' in text
    assert r'"~^/a\.b$" 1;' in text


def test_beside_another_nginx_answers_are_as_large():
    websocket = (ROOT / "deploy/nginx/snippets/websocket.conf").read_text()
    routes = [Route("/", "wsgi"), Route("/a/", "asgi"), Route("/e/", "asgi", "sse")]
    text = render_beside(SETTINGS, routes, websocket)["locations.conf"]
    assert text.count(f"proxy_buffer_size {SIZES['ANSWER_HEADERS_BYTES']};") == 2


def test_what_is_no_use_here_reaches_no_upstream():
    text = (ROOT / "deploy/nginx/snippets/foreign-headers.conf").read_text()
    dropped = re.findall(r'^proxy_set_header (\S+) "";', text, re.MULTILINE)
    wanted = {"Forwarded", "X-Forwarded-Protocol", "X-Forwarded-Ssl", "X-Forwarded-Scheme", "Proxy"}
    assert wanted < set(dropped)
    for user in ("snippets/proxy.conf", "snippets/copy.conf"):
        assert "foreign-headers.conf" in (ROOT / "deploy/nginx" / user).read_text()
