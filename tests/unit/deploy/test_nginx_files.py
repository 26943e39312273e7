"""Files that nginx itself serves: the site's static ones and what users have uploaded."""

from __future__ import annotations

import re

import pytest

from tests.unit.deploy.nginx import HASHED, SCRIPTS, STATIC, Nginx


def test_static_files_stay_cached_if_their_name_has_a_hash(nginx: Nginx):
    places = nginx.locations()
    assert places[STATIC].one("root") == "/srv/tandem"
    for name in (STATIC, HASHED):  # a link could lead to any file that nginx reads
        assert places[name].one("disable_symlinks") == "on from=/srv/tandem/static"
    assert places[STATIC].one("expires") == "1h"
    hashed = places[HASHED]
    assert hashed.one("root") == "/srv/tandem"
    assert hashed.headers("add_header").get("cache-control") == [
        "public, max-age=31536000, immutable"
    ]
    assert hashed.one("expires") == "off"  # or it would add a Cache-Control of its own


def test_a_site_may_serve_its_static_files_itself(tmp_path):
    assert STATIC not in Nginx(tmp_path, SITE_STATIC="").locations()


def test_an_uploaded_page_cannot_act_as_the_site(nginx: Nginx):
    for name in ("/media/", SCRIPTS):
        media = nginx.locations()[name]
        assert media.one("root") == "/srv/tandem"
        assert media.one("disable_symlinks") == "on from=/srv/tandem/media"
        policy = media.headers("add_header")["content-security-policy"][0]
        directives = {d.strip() for d in policy.split(";")}
        assert directives >= {"default-src 'none'", "sandbox"}
        assert "unsafe-inline" not in policy.replace("style-src 'unsafe-inline'", "")
        assert media.headers("add_header")["x-content-type-options"] == ["nosniff"]
        assert media.headers("add_header")["content-disposition"] == ["$upload_disposition"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("a.png", ""), ("a.JPEG", ""), ("a.mp4", ""), ("a.txt", ""), ("a.woff2", ""),
        ("a.html", "attachment"), ("a.svg", "attachment"), ("a.xhtml", "attachment"),
        ("a.xml", "attachment"), ("a.pdf", "attachment"), ("a", "attachment"),
        ("a.png.html", "attachment"), ("png", "attachment"),
    ],
)  # fmt: skip
def test_an_upload_is_shown_only_if_nothing_in_it_can_act(nginx: Nginx, name: str, wanted: str):
    assert nginx.value("$upload_disposition", uri=f"/media/{name}") == wanted


def test_an_uploaded_script_is_no_script_to_a_page_of_the_site(nginx: Nginx):
    place = nginx.locations()[SCRIPTS]
    pattern = re.compile(SCRIPTS.removeprefix("~* "), re.IGNORECASE)
    for name in ("a.js", "a.MJS", "a.cjs", "a.jsx", "a.css", "a.htc", "a.xsl", "a.xslt"):
        assert pattern.search(f"/media/{name}"), name
    assert not pattern.search("/media/a.js.txt")
    assert [d["block"] for d in place.chain[-1] if d["directive"] == "types"] == [[]]
    assert place.one("default_type") == "text/plain"
