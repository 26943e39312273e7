"""The pages in a real browser."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.machine import HANG_SECONDS
from tests.stack import ROOT, Stack

SHOTS = ROOT / ".cache" / "screenshots"
expect.set_options(timeout=1000 * HANG_SECONDS)


def log_in(browser: Browser, stack: Stack, user: str, **options) -> BrowserContext:
    """Return a context of its own, logged in through the form."""
    context = browser.new_context(base_url=stack.origin, ignore_https_errors=True, **options)
    context.set_default_timeout(1000 * HANG_SECONDS)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(user)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.close()
    return context


def enter(context: BrowserContext, room: str) -> Page:
    """Open a room and wait until its socket is open."""
    page = context.new_page()
    page.goto(f"/chat/{room}/")
    expect(page.locator("#chat")).to_have_attribute("data-state", "open")
    expect(page.locator("#status")).to_contain_text("live on asgi@")
    return page


def held_by(page: Page) -> str:
    """Return the instance that holds the page's socket."""
    expect(page.locator("#chat")).to_have_attribute("data-worker", re.compile("@"))
    return page.locator("#chat").get_attribute("data-worker") or ""


def say(page: Page, text: str) -> None:
    """Type a message and press Enter."""
    page.locator("#message").fill(text)
    page.locator("#message").press("Enter")


def shown(page: Page) -> list[str]:
    """Return the texts of all messages that have an id, in order."""
    return page.locator("#log li[data-id] .text").all_inner_texts()


@pytest.fixture
def room() -> str:
    return f"browser-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def pages(browser: Browser, stack: Stack, room: str) -> Iterator[tuple[Page, Page]]:
    """Give two pages of two users whose sockets are on two workers."""
    contexts = log_in(browser, stack, "demo"), log_in(browser, stack, "guest")
    first, second = enter(contexts[0], room), enter(contexts[1], room)
    for _ in range(10):
        if held_by(first) != held_by(second):
            break
        spare = second
        second = enter(contexts[1], room)
        spare.close()
    assert held_by(first) != held_by(second)
    yield first, second
    for context in contexts:
        context.close()


def test_two_people_chat_across_two_workers(pages: tuple[Page, Page]):
    first, second = pages
    say(first, "hello <b>you</b>")
    expect(second.locator("#log")).to_contain_text("hello <b>you</b>")
    say(second, "hello back")
    expect(first.locator("#log")).to_contain_text("hello back")
    expect(first.locator("#log [data-pending]")).to_have_count(0)
    assert shown(first) == shown(second) == ["hello <b>you</b>", "hello back"]
    expect(first.locator("#presence")).to_contain_text("guest")
    SHOTS.mkdir(parents=True, exist_ok=True)
    first.screenshot(path=SHOTS / "chat.png")


def test_a_page_that_loses_its_worker_reconnects_and_misses_nothing(
    stack: Stack, pages: tuple[Page, Page]
):
    first, second = pages
    lost = held_by(first)
    say(first, "before")
    expect(second.locator("#log")).to_contain_text("before")
    pid = stack.inspect(lost.replace("@", "-"))["State"]["Pid"]
    stack.run("kill", "-9", str(pid))
    for n in range(20):
        say(second, f"meanwhile {n}")
        say(first, f"mine {n}")  # typed while the page is, at first, disconnected
    for page in pages:
        expect(page.locator("#log li[data-id]")).to_have_count(41)
        expect(page.locator("#log [data-pending]")).to_have_count(0)
    assert shown(first) == shown(second)
    assert len(set(shown(first))) == 41
    assert held_by(first)
    stack.wait_healthy(lost.replace("@", "-"))


def test_the_chat_works_without_javascript(
    browser: Browser, stack: Stack, pages: tuple[Page, Page], room: str
):
    context = log_in(browser, stack, "guest", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/chat/{room}/")
    page.locator("#message").fill("no script")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#log")).to_contain_text("no script")
    expect(pages[0].locator("#log")).to_contain_text("no script")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/upload/", "/chat/lobby/"])
def test_pages_load_without_a_complaint_and_tell_who_served_them(
    browser: Browser, stack: Stack, path: str, scheme: str
):
    context = log_in(
        browser, stack, "demo", color_scheme=scheme, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None
    )
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on(
        "request", lambda r: None if r.url.startswith(stack.origin) else complaints.append(r.url)
    )
    page.goto(path)
    expect(page.locator(".served-by")).to_contain_text("served by wsgi@")
    expect(page.locator(".served-by")).to_contain_text("release test")
    wide = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    assert not wide, "the page scrolls sideways on a phone"
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{Path(path).name or 'home'}-{scheme}.png")
    assert complaints == []
    context.close()


def test_a_file_can_be_uploaded_and_fetched(browser: Browser, stack: Stack):
    context = log_in(browser, stack, "demo")
    page = context.new_page()
    page.goto("/upload/")
    page.locator("input[type=file]").set_input_files(
        {"name": "note.txt", "mimeType": "text/plain", "buffer": b"from the browser"}
    )
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("status")).to_contain_text("note")
    href = page.locator(".files a").first.get_attribute("href")
    assert context.request.get(href).text() == "from the browser"
    context.close()


def test_an_admin_change_shows_on_the_page_of_changes_at_once(browser: Browser, stack: Stack):
    context = log_in(browser, stack, "demo")
    changes, admin = context.new_page(), context.new_page()
    changes.goto("/notifications/")
    expect(changes.locator("#changes")).to_have_attribute("data-state", "live")
    expect(changes.locator("#status")).to_contain_text("live on notify@")
    name = f"group-{uuid.uuid4().hex[:8]}"
    admin.goto("/admin/auth/group/add/")
    admin.get_by_label("Name:").fill(name)
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(changes.locator("#log")).to_contain_text(f"{name}: Added.")
    # A stop of its instance, or the other's, is not noticed but by the status line.
    stack.compose("restart", "notify")
    expect(changes.locator("#changes")).to_have_attribute("data-state", "live")
    expect(changes.locator("#log li")).to_have_count(1)
    context.close()
