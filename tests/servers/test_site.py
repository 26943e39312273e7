"""The provisioned site, as its users meet it: a real browser, HTTPS and WSS."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.test_gallery import expect_all_live
from tests.servers.rehearsal import HANG_SECONDS, Rehearsal
from tests.stack import ROOT, settle_network

pytestmark = pytest.mark.timeout(2 * HANG_SECONDS)
SITES = {"trixie": "trixie.test", "bookworm": "bookworm.test"}


@pytest.fixture(params=SITES)
def host(request, servers: Rehearsal) -> str:
    """Give each server in turn, with a user ``ops`` (password ``ops``) who may do all."""
    servers.execute(
        request.param,
        'DJANGO_SUPERUSER_PASSWORD=ops; tandem-manage shell -v0 -c "'
        "from django.contrib.auth import get_user_model as g;"
        "U = g(); U.objects.filter(username='ops').exists()"
        " or U.objects.create_superuser('ops', password='ops')\"",
    )
    return request.param


@pytest.fixture
def pages(host: str, servers: Rehearsal) -> Iterator[tuple[Page, Page]]:
    """Give two pages in two logged-in contexts of one Chromium."""
    name = SITES[host]
    settle_network()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", f"--host-resolver-rules=MAP {name} {servers.address(host)}"],
        )
        opened = []
        for _ in range(2):
            context = browser.new_context(base_url=f"https://{name}", ignore_https_errors=True)
            page = context.new_page()
            page.goto("/accounts/login/")
            page.get_by_label("Username").fill("ops")
            page.get_by_label("Password").fill("ops")
            page.get_by_role("button", name="Log in").click()
            expect(page.get_by_role("button", name="Log out")).to_be_visible()
            opened.append(page)
        yield opened[0], opened[1]
        browser.close()


@pytest.mark.alone  # Chromium drops what it loads when a network changes
def test_two_people_chat_over_wss_across_two_workers(pages: tuple[Page, Page], host: str):
    for page in pages:
        page.goto("/chat/servers/")
        expect(page.locator("#chat")).to_have_attribute("data-state", "open", timeout=15_000)
        # Open comes first, and with the first frame who holds the socket.
        expect(page.locator("#chat")).to_have_attribute("data-worker", re.compile("asgi@"))
    held = {page.locator("#chat").get_attribute("data-worker") for page in pages}
    assert held == {"asgi@1", "asgi@2"}
    text = f"hello from {os.urandom(4).hex()}"
    pages[0].locator("#message").fill(text)
    pages[0].locator("#message").press("Enter")
    expect(pages[1].get_by_text(text)).to_be_visible()
    shots = ROOT / ".cache" / "screenshots"
    shots.mkdir(parents=True, exist_ok=True)
    pages[1].screenshot(path=shots / f"server-{host}.png")


@pytest.mark.alone
def test_every_realtime_style_is_live(pages: tuple[Page, Page], host: str):
    page = pages[0]
    page.goto("/gallery/")
    expect_all_live(page)
    page.screenshot(path=ROOT / ".cache" / "screenshots" / f"gallery-{host}.png", full_page=True)


@pytest.mark.alone
def test_uploads_static_files_and_the_admin_work_inside_the_sandbox(
    pages: tuple[Page, Page], host: str
):
    page = pages[0]
    failed: list[str] = []
    page.on("response", lambda r: failed.append(r.url) if r.status >= 400 else None)
    page.goto("/upload/")
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"kept" * 100_000}
    )
    page.get_by_role("button", name=re.compile("upload", re.IGNORECASE)).click()
    link = page.locator("a[href^='/media/uploads/']").first
    read = "async path => await (await fetch(path)).text()"
    assert page.evaluate(read, link.get_attribute("href")) == "kept" * 100_000
    page.goto("/admin/chat/message/")
    expect(page.locator("#content")).to_contain_text("message")
    assert failed == []


@pytest.mark.parametrize("server", SITES)
def test_nothing_else_can_be_reached_from_outside(servers: Rehearsal, server: str):
    """Every port but three is silent or closed, asked from another machine."""
    address = servers.address(server)
    done = subprocess.run(
        ["bash", "-c", f"for p in {{1..1024}} 5432 6379 8000 8001 8080 8443 9000;"
         f" do (timeout 2 bash -c \"exec 3<>/dev/tcp/{address}/$p\" 2>/dev/null && echo $p) & "
         "(( p % 100 )) || wait; done; wait"],
        capture_output=True, text=True, timeout=HANG_SECONDS,
    )  # fmt: skip
    assert set(done.stdout.split()) == {"22", "80", "443"}
