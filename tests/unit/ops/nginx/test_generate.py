"""The nginx of a share, a mirror, a fallback and a forced side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tandem.ops.nginx.canary import arms_conf, below
from tandem.ops.nginx.existing import render as render_beside
from tandem.ops.nginx.generate import edge_config, render
from tandem.ops.nginx.locations import routes_conf
from tandem.ops.routes.force import force_conf, token, tokens, write
from tandem.ops.routes.model import Route
from tests.stack import ROOT
from tests.unit.ops.routes.test_routes import SETTINGS

KEY = "k" * 64
GROUPS = [f"{n:02}" for n in range(100)]


def location(name: str, *routes: Route) -> str:
    """Return the body of a location."""
    text = routes_conf([Route("/", "wsgi"), *routes])
    found = re.search(rf"^location {re.escape(name)} {{\n(.*?)^}}", text, re.DOTALL | re.MULTILINE)
    assert found, text
    return found[1]


def side(conf: str, share: int, forced: str, group: str) -> str:
    """Return what nginx finds in ``$arm_SHARE``: by the first expression that matches."""
    found = re.search(rf"map \$forced:\$client_group \$arm_{share} {{\n(.*?)}}", conf, re.DOTALL)
    assert found, conf
    for pattern, value in re.findall(r'"~(.+)" (\w+);', found[1]):
        if re.search(pattern, f"{forced}:{group}"):
            return value
    return re.findall(r"default (\w+);", found[1])[0]


@pytest.mark.parametrize("share", range(1, 100))
def test_a_share_is_the_groups_below_it(share: int):
    assert [group for group in GROUPS if re.fullmatch(below(share), group)] == GROUPS[:share]


def test_growing_a_share_only_moves_clients_to_asgi():
    routes = [Route("/", "wsgi"), *(Route(f"/{n}/", "asgi", share=n) for n in (0, 1, 10, 50, 100))]
    conf = arms_conf(routes)
    before: set[str] = set()
    for share in (0, 1, 10, 50, 100):
        now = {group for group in GROUPS if side(conf, share, "", group) == "asgi"}
        assert len(now) == share
        assert before <= now
        before = now


@pytest.mark.parametrize("share", [0, 10, 100])
def test_a_forced_side_comes_before_the_share(share: int):
    conf = arms_conf([Route("/", "wsgi"), Route("/a/", "asgi", share=share)])
    for forced in ("asgi", "wsgi"):
        assert {side(conf, share, forced, group) for group in GROUPS} == {forced}


def test_routes_with_the_same_share_have_one_arm():
    conf = arms_conf([Route("/", "wsgi"), *(Route(p, "asgi", share=10) for p in ("/a/", "/b/"))])
    assert conf.count("$arm_10 {") == 1
    assert "$arm_100" not in conf


def test_no_cookie_is_set_where_no_route_has_a_share():
    assert 'map $host $canary { default ""; }' in arms_conf(
        [Route("/", "wsgi"), Route("/a/", "asgi")]
    )
    assert 'default "on"' in arms_conf([Route("/", "wsgi"), Route("/a/", "asgi", share=1)])
    # The ends are no canary: nobody is chosen by group.
    assert 'default ""' in arms_conf([Route("/", "wsgi"), Route("/a/", "asgi", share=0)])


def test_the_split_ends_with_a_star_and_has_tenths():
    text = (ROOT / "deploy/nginx/canary.conf").read_text()
    splits = re.findall(r"split_clients .*? {\n(.*?)}", text, re.DOTALL)
    assert len(splits) == 2
    for split in splits:
        assert re.findall(r"(\S+) +(\d);", split) == [
            *(("10%", str(n)) for n in range(9)),
            ("*", "9"),
        ]


def test_a_route_with_a_share_tells_it_to_the_log():
    assert "set $share 10;" in location("/a/", Route("/a/", "asgi", share=10))
    assert "$share" not in location("/a/", Route("/a/", "asgi"))
    log = (ROOT / "deploy/nginx/log.conf").read_text()
    for name in ("arm", "share", "forced", "fallback"):
        assert f'"{name}":"${name}"' in log


def test_the_shadows_log_has_the_fields_of_the_log_and_its_own():
    def fields(file: str) -> set[str]:
        text = (ROOT / "deploy/nginx" / file).read_text()
        return set(re.findall(r'"(\w+)":', text[text.index("log_format") :]))

    assert fields("shadow.conf") == fields("log.conf") | {"shadow"}


def test_only_a_route_that_falls_back_has_the_snippet():
    assert "fallback.conf" in location("/a/", Route("/a/", "asgi", share=10))
    assert "fallback.conf" not in location("/a/", Route("/a/", "asgi", fallback=False))
    assert "fallback.conf" not in location("/")
    assert "fallback.conf" not in location("/a/", Route("/a/", "asgi", "mixed"))


def test_only_a_mirrored_route_has_copies():
    safe, everything = (Route("/a/", "asgi", mirror=mirror) for mirror in (True, "all"))
    assert "set $mirror safe;" in location("/a/", safe)
    assert "set $mirror all;" in location("/a/", everything)
    assert "mirror.conf" in location("/a/", safe)
    assert "mirror" not in location("/a/", Route("/a/", "asgi"))
    assert "mirror.conf" in location("/w/", Route("/w/", "wsgi", mirror=True))


@pytest.mark.parametrize("mode", ["websocket", "mixed", "sse"])
def test_sockets_and_streams_go_to_asgi_whatever_is_forced(mode: str):
    body = location("/a/", Route("/a/", "asgi", mode))
    assert "proxy_pass http://asgi;" in body
    assert "$chosen" not in body


def test_a_path_without_its_slash_is_served_as_before_the_route_came():
    inner = [Route("/a/", "asgi"), Route("/a/b/", "asgi", "websocket")]
    assert location("= /a", *inner) == location("/", *inner)
    assert location("= /a/b", *inner) == location("/a/", *inner)
    # It has a route of its own: that one is it.
    text = routes_conf([Route("/", "wsgi"), Route("/a", "asgi"), Route("/a/", "asgi", share=5)])
    assert "location = " not in text


def test_a_change_of_a_share_alone_is_another_configuration():
    one, two = (
        edge_config(render(SETTINGS, [Route("/", "wsgi"), Route("/a/", "asgi", share=n)]))
        for n in (10, 11)
    )
    assert re.fullmatch(r"[0-9a-f]{12}", one)
    assert one != two


def test_beside_another_nginx_there_is_no_share_and_no_mirror():
    websocket = (ROOT / "deploy/nginx/snippets/websocket.conf").read_text()
    for route in (Route("/a/", "asgi", share=10), Route("/a/", "asgi", mirror=True)):
        with pytest.raises(ValueError, match="the route /a/ has a share or a mirror"):
            render_beside(SETTINGS, [Route("/", "wsgi"), route], websocket)


def test_each_side_and_each_key_has_a_token_of_its_own():
    found = {token(key, side) for key in (KEY, KEY + "k") for side in ("asgi", "wsgi")}
    assert len(found) == 4
    assert tokens(force_conf(KEY)) == {side: token(KEY, side) for side in ("asgi", "wsgi")}
    assert KEY not in force_conf(KEY)


def test_tokens_fit_nginx_without_more_room():
    # map_hash_bucket_size is 64 by default, of which a pointer and a length are nginx' own.
    assert all(len(token(KEY, side)) <= 64 - 16 for side in ("asgi", "wsgi"))


def test_a_key_that_could_be_guessed_makes_no_token():
    with pytest.raises(ValueError, match="less than 32 characters"):
        force_conf("secret\n")


def test_tokens_are_readable_by_nginxs_group_only_and_written_once(tmp_path: Path):
    file = tmp_path / "force.conf"
    assert write(force_conf(KEY), file)
    assert file.stat().st_mode & 0o7777 == 0o640
    assert not write(force_conf(KEY), file)
    file.chmod(0o644)
    assert write(force_conf(KEY), file)
    assert file.stat().st_mode & 0o7777 == 0o640
    assert write(force_conf(KEY[1:]), file)
    assert list(tmp_path.iterdir()) == [file]


def test_a_request_header_of_the_force_and_the_shadow_stays_at_the_edge():
    text = (ROOT / "deploy/nginx/snippets/proxy.conf").read_text()
    for header in ("X-Tandem-Upstream", "X-Tandem-Shadow"):
        assert f'proxy_set_header {header} "";' in text
