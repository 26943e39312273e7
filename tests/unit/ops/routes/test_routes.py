"""routes.yml: what it accepts, how it complains, and the nginx files made of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tandem.facts import KINDS
from tandem.ops.nginx import generate
from tandem.ops.nginx.locations import routes_conf
from tandem.ops.nginx.server import server_conf
from tandem.ops.routes.model import Route, RoutesError, load
from tests.stack import ROOT

ROOT_ROUTE = "- path: /\n  upstream: wsgi\n"
SETTINGS = {
    "SERVER_NAMES": "example.org, www.example.org",
    "ALLOWED_ORIGINS": "https://example.org,https://www.example.org",
    "HTTPS_PORT": "443",
    "WSGI_INSTANCES": "3",
    "ASGI_INSTANCES": "2",
    "NOTIFY_INSTANCES": "1",
    "SOCKETS_PER_ADDRESS": "100",
    "UPLOAD_LIMIT_MIB": "1",
    "TANDEM_RELEASE": "r1",
    "TANDEM_IDENTITY_HEADERS": "on",
}


@pytest.fixture
def routes(tmp_path: Path):
    """Give a function that loads routes from a text."""

    def read(text: str) -> list[Route]:
        file = tmp_path / "routes.yml"
        file.write_text(text)
        return load(file)

    return read


def test_the_shipped_routes_send_what_is_live_to_asgi_and_the_rest_to_wsgi():
    assert load(ROOT / "deploy/routes.yml") == [
        Route("/", "wsgi"),
        Route("/ws/", "asgi", "websocket"),
        Route("/events/", "asgi", "sse"),
        Route("/legacy/", "asgi", "mixed"),
        Route("/ws/notifications/", "notify", "websocket"),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "routes.yml:1: not YAML"),
        ("path: /\n", "routes.yml:1: must be a list of routes"),
        ("", "routes.yml:1: must be a list of routes"),
        ("- /\n", "routes.yml:1: a route is a mapping"),
        ("- path: /\n", "routes.yml:1: the route has no upstream"),
        ("- upstream: wsgi\n", "routes.yml:1: the route has no path"),
        (ROOT_ROUTE + "- path: /a/\n  upstream: daphne\n", "routes.yml:4: upstream must be wsgi"),
        (ROOT_ROUTE + "- path: /a/\n  upsteam: asgi\n", "routes.yml:4: unknown key 'upsteam'"),
        (ROOT_ROUTE + "- path: a/\n  upstream: asgi\n", "path must begin with '/'"),
        (ROOT_ROUTE + "- path: /a;b\n  upstream: asgi\n", "be plain, got '/a;b'"),
        (ROOT_ROUTE + "- path: /a\n  upstream: asgi\n  mode: sse2\n", "mode must be http or"),
        (ROOT_ROUTE + "- path: /a\n  upstream: wsgi\n  mode: websocket\n", "a WSGI server cannot"),
        (ROOT_ROUTE + "- path: /a\n  upstream: notify\n", "notify serves WebSockets only"),
        (ROOT_ROUTE + ROOT_ROUTE, "routes.yml:3: the path / has a route already, in line 1"),
        (ROOT_ROUTE + "  upstream: asgi\n", "routes.yml:3: the key 'upstream' is there twice"),
        (
            ROOT_ROUTE + "- path: /static/\n  upstream: asgi\n",
            "yml:3: nginx serves /static/",
        ),
        (ROOT_ROUTE + "- path: /health/edge/\n  upstream: asgi\n", "nginx serves /health/edge/"),
        (ROOT_ROUTE + "- path: /a//b/\n  upstream: asgi\n", "routes.yml:3: nginx takes '//'"),
        (ROOT_ROUTE + "- path: /a/../b/\n  upstream: asgi\n", "'/..' out of a path"),
        (ROOT_ROUTE + "  share: 10\n", "routes.yml:3: share is for routes of mode http to asgi"),
        (ROOT_ROUTE + "  fallback: true\n", "routes.yml:3: fallback is for routes of mode http"),
        (ROOT_ROUTE + "- path: /a/\n  upstream: asgi\n  share: 101\n", "routes.yml:5: share must"),
        (
            ROOT_ROUTE + "- path: /a/\n  upstream: asgi\n  share: true\n",
            "percent, 0 to 100, got True",
        ),
        (ROOT_ROUTE + "- path: /a/\n  upstream: asgi\n  mirror: 1\n", "mirror must be true, fal"),
        (ROOT_ROUTE + "- path: /a/\n  upstream: asgi\n  fallback: 0\n", "fallback must be true"),
        (
            ROOT_ROUTE + "- path: /a/\n  upstream: asgi\n  mode: sse\n  mirror: true\n",
            "routes.yml:6: only routes of mode http can be mirrored",
        ),
        (ROOT_ROUTE + "- [path, /a/]\n", "routes.yml:3: a route is a mapping"),
        (ROOT_ROUTE + "- path: !!python/name:os.system x\n", "routes.yml:3: not plain YAML"),
        ("- path: /a/\n  upstream: wsgi\n", "no route for '/'"),
    ],
)
def test_a_mistake_is_named_with_its_line(routes, text: str, complaint: str):
    with pytest.raises(RoutesError) as caught:
        routes(text)
    assert complaint in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(RoutesError, match=r"gone\.yml: No such file"):
        load(tmp_path / "gone.yml")


def test_each_instance_is_a_server_of_its_upstream():
    text = generate.render(SETTINGS, [Route("/", "wsgi")])["upstreams.conf"]
    assert text.count("server unix:/run/tandem/wsgi@") == 3
    assert text.count("server unix:/run/tandem/asgi@") == 2
    assert text.count("server unix:/run/tandem/notify@") == 1
    assert text.count("least_conn;") == 3


def test_a_route_to_nobody_is_an_error_that_names_the_cure():
    none = {**SETTINGS, "NOTIFY_INSTANCES": "0"}
    with pytest.raises(ValueError, match=r"/ws/n/ goes to notify.*set NOTIFY_INSTANCES.*or change"):
        generate.render(none, [Route("/", "wsgi"), Route("/ws/n/", "notify", "websocket")])
    # Without the route nginx still knows the upstream, by which its health is asked.
    text = generate.render(none, [Route("/", "wsgi")])["upstreams.conf"]
    assert "upstream notify {" in text
    assert text.count(" down;") == 1


ALL_ASGI = {**SETTINGS, "WSGI_INSTANCES": "0"}


def test_gunicorn_can_be_retired_and_nothing_falls_back_on_it():
    files = generate.render(ALL_ASGI, [Route("/", "asgi")])
    assert "fallback.conf" not in files["routes.conf"]
    assert "fallback.conf" in generate.render(SETTINGS, [Route("/", "asgi")])["routes.conf"]


@pytest.mark.parametrize(
    ("route", "why"),
    [
        (Route("/", "wsgi"), "/ goes to wsgi"),
        (Route("/", "asgi", share=90), "/ sends a share of its clients to wsgi"),
        (Route("/", "asgi", mirror=True), "/ is mirrored to wsgi"),
    ],
)
def test_but_not_while_a_route_needs_it(route: Route, why: str):
    with pytest.raises(ValueError, match=f"{why}, of which there are no instances"):
        generate.render(ALL_ASGI, [route])


def test_the_scripts_know_the_same_kinds_of_process():
    for kind in KINDS:
        assert (ROOT / f"deploy/systemd/{kind}@.service").exists()
        assert (
            f"location ^~ /health/{kind}/"
            in (ROOT / "deploy/nginx/snippets/health.conf").read_text()
        )


def test_instances_on_other_servers_are_asked_by_address_and_called_by_name():
    spread = {**SETTINGS, "WSGI_SERVERS": "app1/wsgi@1=10.0.0.2:8101,app2/wsgi@1=10.0.0.3:8101"}
    files = generate.render(spread, [Route("/", "wsgi")])
    assert "server 10.0.0.2:8101 max_fails=0;" in files["upstreams.conf"]
    assert "/run/tandem/wsgi@" not in files["upstreams.conf"]
    assert "/run/tandem/asgi@2.sock" in files["upstreams.conf"]
    assert r"~10\.0\.0\.3:8101$ app2/wsgi@1;" in files["upstream-names.conf"]


def test_old_nginx_gets_http2_in_its_own_words():
    old = generate.render({**SETTINGS, "NGINX_HTTP2": "listen"}, [Route("/", "wsgi")])
    assert "listen 443 ssl http2;" in old["listen-https.conf"]
    assert "http2 on;" not in old["listen-https.conf"]


def test_a_socket_route_gets_the_socket_snippet_and_no_other_does():
    text = routes_conf([Route("/", "wsgi"), Route("/ws/", "asgi", "websocket")])
    blocks = dict(re.findall(r"location ((?:= )?\S+) {\n(.*?)^}", text, re.DOTALL | re.MULTILINE))
    assert set(blocks) == {"/", "= /ws", "/ws/"}
    assert [name for name, body in blocks.items() if "websocket.conf" in body] == ["/ws/"]


def test_an_origin_is_matched_whole_and_literally():
    text = server_conf(SETTINGS)
    assert r'"~^https://example\.org$" 1;' in text


def test_origins_are_the_sites_names_unless_given():
    settings = {k: v for k, v in SETTINGS.items() if k != "ALLOWED_ORIGINS"}
    assert r"https://www\.example\.org$" in server_conf(settings)
    assert r"https://www\.example\.org:8443$" in server_conf(
        {**settings, "HTTPS_PORT": "8443", "ALLOWED_ORIGINS": ""}
    )


def test_a_public_port_other_than_443_is_passed_on():
    assert 'default ":8443"' in server_conf({**SETTINGS, "HTTPS_PORT": "8443"})
    assert 'public_port { default ""' in server_conf(SETTINGS)


def test_a_server_name_with_nginx_syntax_is_refused():
    with pytest.raises(ValueError, match="'a;b' is no host name"):
        generate.render({**SETTINGS, "SERVER_NAMES": "a;b"}, [Route("/", "wsgi")])


def test_writing_leaves_the_users_own_routes_alone(tmp_path: Path):
    (tmp_path / "routes.d").mkdir()
    (tmp_path / "routes.d/mine.conf").write_text("mine")
    generate.write(generate.render(SETTINGS, [Route("/", "wsgi")]), tmp_path)
    assert (tmp_path / "routes.d/mine.conf").read_text() == "mine"
    assert (tmp_path / "server.conf").read_text().startswith("# Generated from")
    assert not list(tmp_path.glob(".*.conf"))


def test_the_command_names_a_missing_setting(monkeypatch, tmp_path: Path):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WSGI_INSTANCES")
    monkeypatch.setattr("sys.argv", ["nginx", str(ROOT / "deploy/routes.yml"), str(tmp_path)])
    with pytest.raises(SystemExit, match="the setting WSGI_INSTANCES is missing"):
        generate.main()
