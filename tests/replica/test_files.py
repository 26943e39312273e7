"""A file server serves what it was given, as what it is, and nothing that acts as the site."""

from __future__ import annotations

import re

import pytest

from tests.replica.test_uploads import post
from tests.stack import Stack

SCRIPTS = ("a.js", "a.mjs", "a.cjs", "A.JS", "a.css", "a.xsl")
PAGES = ("a.html", "a.xhtml", "a.svg", "a.xml", "a.pdf", "a", "a.unknown")
TYPES = {
    "a.avif": "image/avif",
    "a.webp": "image/webp",
    "a.png": "image/png",
    "a.wasm": "application/wasm",
    "a.webmanifest": "application/manifest+json",
    "a.woff": "font/woff",
    "a.woff2": "font/woff2",
    "a.ttf": "font/ttf",
    "a.mp4": "video/mp4",
    "a.webm": "video/webm",
    "a.vtt": "text/vtt; charset=utf-8",
    "a.txt": "text/plain; charset=utf-8",
    "a.csv": "text/csv; charset=utf-8",
    "a.md": "text/markdown; charset=utf-8",
    "a.html": "text/html; charset=utf-8",
    "a.svg": "image/svg+xml; charset=utf-8",
}
STATIC = {
    "a.js": "text/javascript; charset=utf-8",
    "a.mjs": "text/javascript; charset=utf-8",
    "a.0123456789ab.mjs": "text/javascript; charset=utf-8",
    "a.css": "text/css; charset=utf-8",
    "a.json": "application/json",
}
LINKS = {
    "a file": ("/etc/tandem/tls/privkey.pem", ""),
    "a folder": ("/etc/tandem/tls", "/privkey.pem"),
    "the root": ("/", "/etc/passwd"),
    "upwards": ("../../../etc/tandem/tls/privkey.pem", ""),
    "itself": ("link-itself", ""),
}


def given(stack: Stack, folder: str, commands: str) -> None:
    """Run commands in a folder of files, as the user whose it is, where it can be written."""
    stack.run(
        "docker", "run", "--rm", "--volume", f"{stack.project}_{folder}:/files",
        f"{stack.project}-app", "sh", "-euc",
        f"umask 022; mkdir -p /files/given; cd /files/given; {commands}",
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def files(stack: Stack):
    """Give both folders all these files and links."""
    names = " ".join({*SCRIPTS, *PAGES, *TYPES, *STATIC})
    commands = [f"for name in {names}; do echo 'alert(1)' >$name; done"]
    commands += [f"ln -sfn {to} 'link-{name}'" for name, (to, _) in LINKS.items()]
    for folder in ("media", "static"):
        given(stack, folder, "; ".join(commands))
    yield
    for folder in ("media", "static"):
        given(stack, folder, "rm -rf /files/given")


@pytest.mark.parametrize("folder", ["media", "static"])
@pytest.mark.parametrize("link", LINKS)
def test_no_link_leads_out(stack: Stack, folder: str, link: str):
    """Not even where its target is the same user's, as all is in the replica."""
    with stack.client() as client:
        answer = client.get(f"/{folder}/given/link-{link}{LINKS[link][1]}")
    assert answer.status_code in (403, 404)
    assert "PRIVATE KEY" not in answer.text
    assert "root:" not in answer.text
    assert "<h1>" in answer.text


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_uploaded_script_or_style_sheet_is_none_to_a_browser(stack: Stack, name: str):
    with stack.client() as client:
        answer = client.get(f"/media/given/{name}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", PAGES)
def test_an_upload_that_could_act_is_kept_as_a_file(stack: Stack, name: str):
    with stack.client() as client:
        answer = client.get(f"/media/given/{name}")
    assert answer.headers["Content-Disposition"] == "attachment"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["a.png", "a.avif", "a.mp4", "a.txt"])
def test_a_picture_is_shown(stack: Stack, name: str):
    with stack.client() as client:
        assert "Content-Disposition" not in client.get(f"/media/given/{name}").headers


@pytest.mark.parametrize("folder", ["media", "static"])
@pytest.mark.parametrize("name", TYPES)
def test_types_are_right_in_both_folders(stack: Stack, folder: str, name: str):
    with stack.client() as client:
        answer = client.get(f"/{folder}/given/{name}")
    assert answer.headers["Content-Type"] == TYPES[name]


@pytest.mark.parametrize("name", STATIC)
def test_static_modules_and_style_sheets_are_what_browsers_insist_on(stack: Stack, name: str):
    with stack.client() as client:
        answer = client.get(f"/static/given/{name}")
    assert answer.headers["Content-Type"] == STATIC[name]
    assert answer.headers.get_list("Cache-Control") == [
        "public, max-age=31536000, immutable"
        if re.search(r"\.[0-9a-f]{12}\.", name)
        else "max-age=3600"
    ]


@pytest.mark.parametrize("folder", ["media", "static"])
@pytest.mark.parametrize("letter", ["a", "я", "報", "🙂", "%FF"])
def test_a_name_that_no_file_can_have_is_not_found(stack: Stack, folder: str, letter: str):
    with stack.client() as client:
        assert client.get(f"/{folder}/{letter * 300}.txt").status_code == 404


@pytest.mark.parametrize("letter", ["a", "я", "報"])
def test_a_file_of_a_long_name_is_taken_and_served(stack: Stack, letter: str):
    with stack.client("demo") as client:
        name = letter * 240 + ".txt"
        assert post(client, b"content of a long name", name).status_code == 302
        page = client.get("/upload/").text
        served = client.get(re.findall(r'href="(/media/[^"]+)"', page)[0])
    assert served.text == "content of a long name"
