"""The gallery in a real browser: every style live, for everybody, without a complaint."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from gallery.styles import STYLES
from tests.browser.test_pages import SHOTS, log_in
from tests.stack import Stack

ENDS_BY_ITSELF = {"hello", "echo-once"}


def watch(page: Page, origin: str) -> list[str]:
    """Return the list that fills with complaints and with requests to anybody else."""
    complaints: list[str] = []
    page.on(
        "console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(origin) else complaints.append(r.url))
    return complaints


def expect_all_live(page: Page) -> None:
    """Wait until every card of the gallery is in the state that it should reach."""
    for style in STYLES:
        state = "closed" if style.slug in ENDS_BY_ITSELF else "open"
        card = page.locator(f"#{style.slug}")
        expect(card).to_have_attribute("data-state", state)
    for slug in ("echo", "ping", "raw", "lower-case", "hello", "echo-once", "ticker", "sse-ticker"):
        expect(page.locator(f"#{slug} .figure")).to_contain_text("ms")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_style_is_live(browser: Browser, stack: Stack, scheme: str):
    context = log_in(
        browser, stack, "demo", color_scheme=scheme, viewport={"width": 1280, "height": 1000}
    )
    page = context.new_page()
    complaints = watch(page, stack.origin)
    page.goto("/gallery/")
    expect_all_live(page)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"gallery-{scheme}.png", full_page=True)
    assert complaints == []
    context.close()


def test_it_can_be_used_by_keyboard_alone(browser: Browser, stack: Stack):
    context = log_in(browser, stack, "demo")
    page = context.new_page()
    page.goto("/gallery/")
    expect(page.locator("#echo")).to_have_attribute("data-state", "open")
    page.locator("#echo input").focus()
    page.keyboard.type("by keyboard")
    page.keyboard.press("Enter")
    expect(page.locator("#echo .said")).to_have_text("by keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # Stop
    expect(page.locator("#echo")).to_have_attribute("data-state", "closed")
    page.keyboard.press("Enter")
    expect(page.locator("#echo")).to_have_attribute("data-state", "open")
    context.close()


def test_it_fits_a_narrow_phone(browser: Browser, stack: Stack):
    context = log_in(browser, stack, "demo", viewport={"width": 360, "height": 800})
    page = context.new_page()
    for path in ("/gallery/", "/scores/demo/", "/notifications/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_a_stranger_sees_what_is_for_all_and_how_to_see_the_rest(
    browser: Browser,
    stack: Stack,
):
    context = browser.new_context(base_url=stack.origin, ignore_https_errors=True)
    page = context.new_page()
    page.goto("/gallery/")
    expect(page.locator("#echo")).to_have_attribute("data-state", "open")
    expect(page.locator("#chat")).to_contain_text("Log in to see it live")
    context.close()


def test_a_change_in_the_admin_shows_in_both_of_its_cards(
    browser: Browser,
    stack: Stack,
):
    context = log_in(browser, stack, "demo")
    page, admin = context.new_page(), context.new_page()
    page.goto("/gallery/")
    for slug in ("notifications", "sse-notifications"):
        expect(page.locator(f"#{slug}")).to_have_attribute("data-state", "open")
    expect(page.locator("#notifications .said")).to_contain_text("waiting for changes")
    admin.goto("/admin/auth/group/add/")
    admin.get_by_label("Name").fill("gallery-watchers")
    admin.get_by_role("button", name="Save", exact=True).click()
    for slug in ("notifications", "sse-notifications"):
        expect(page.locator(f"#{slug} .said")).to_contain_text("gallery-watchers")
    context.close()


def test_a_score_shows_at_once_to_whoever_watches(browser: Browser, stack: Stack):
    context = log_in(browser, stack, "demo")
    watcher, writer = context.new_page(), context.new_page()
    watcher.goto("/scores/demo/")
    expect(watcher.locator("#match")).to_have_attribute("data-state", "open")
    writer.goto("/scores/demo/")
    writer.get_by_label("Runs").fill("144")
    writer.get_by_label("Note").fill("a boundary")
    writer.get_by_role("button", name="Publish").click()
    expect(watcher.locator("[data-field=runs]")).to_have_text("144")
    expect(watcher.locator("[data-field=note]")).to_have_text("a boundary")
    context.close()


def test_older_messages_come_when_the_chat_is_scrolled_back(
    browser: Browser,
    stack: Stack,
):
    stack.manage(
        "from chat.models import post\n"
        "from django.contrib.auth.models import User\n"
        "u = User.objects.get(username='guest')\n"
        "for n in range(1, 131): post('long', u, f'line {n}')"
    )
    context = log_in(browser, stack, "demo")
    page, other = context.new_page(), log_in(browser, stack, "guest").new_page()
    page.goto("/chat/long/")
    expect(page.locator("#chat")).to_have_attribute("data-state", "open")
    expect(page.locator("#log li[data-id]")).to_have_count(50)
    for count in (100, 130):
        page.locator("#log").evaluate("log => { log.scrollTop = 0 }")
        expect(page.locator("#log li[data-id]")).to_have_count(count)
    assert page.locator("#log li .text").all_inner_texts() == [f"line {n}" for n in range(1, 131)]
    other.goto("/chat/long/")
    expect(other.locator("#chat")).to_have_attribute("data-state", "open")
    other.locator("#message").press_sequentially("hm")
    expect(page.locator("#typing")).to_have_text("guest is typing…")
    context.close()
