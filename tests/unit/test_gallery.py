"""The gallery's page and the code that it shows."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from gallery.source import source
from gallery.styles import STYLES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", [name for style in STYLES for name in style.code])
def test_the_code_of_every_card_is_that_of_the_site(name: str):
    *_, wanted = name.replace(":", ".").split(".")
    assert f"def {wanted}" in source(name) or f"class {wanted}" in source(name)


@pytest.mark.parametrize("name", ["no.such:thing", "gallery.styles:nothing", "gallery:x"])
def test_code_that_is_not_there_is_named(name: str):
    with pytest.raises(LookupError, match=name.partition(":")[0]):
        source(name)


@pytest.mark.parametrize(
    ("who", "missing"), [("", 3), ("guest", 2), ("demo", 0)], ids=["stranger", "guest", "staff"]
)
def test_cards_that_are_not_for_everybody_say_what_is_missing(who: str, missing: int):
    client = Client()
    if who:
        client.force_login(User.objects.create(username=who, is_staff=who == "demo"))
    page = client.get("/gallery/").content.decode()
    assert page.count('data-state="refused"') == missing
    assert page.count("<article") == len(STYLES)
    assert " style=" not in page  # the Content-Security-Policy would drop it
    assert "<script>" not in page
