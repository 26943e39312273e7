"""Tokens for sockets: who gets one, and what one is good for."""

from __future__ import annotations

import time

import pytest
from django.test import Client
from sesame.utils import get_token

from tokens.models import Grant
from tokens.tokens import Login, login_of, token_for

pytestmark = pytest.mark.django_db
ADDRESS = "/accounts/socket-token/"


@pytest.fixture
def demo(django_user_model):
    """Give a user."""
    return django_user_model.objects.create_user("demo", password="before")


def test_who_is_logged_in_gets_a_token_that_names_them(client, demo):
    client.force_login(demo)
    answer = client.post(ADDRESS)
    assert answer.json()["expires_in"] == 30
    assert login_of(answer.json()["token"]) == Login(demo, client.session.session_key)
    assert "no-store" in answer["Cache-Control"]


def test_others_get_none(client):
    assert client.post(ADDRESS).status_code == 401
    assert client.get(ADDRESS).status_code == 405


def test_another_site_cannot_fetch_one(demo):
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(demo)
    assert careful.post(ADDRESS).status_code == 403


def test_a_token_ends_after_half_a_minute(demo, monkeypatch):
    token, now = token_for(demo), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 29)
    assert login_of(token) == Login(demo, None)
    monkeypatch.setattr(time, "time", lambda: now + 32)
    assert login_of(token) is None


def test_a_token_ends_with_the_password_and_with_the_account(demo):
    token = token_for(demo)
    demo.set_password("after")
    demo.save()
    assert login_of(token) is None
    token = token_for(demo)
    demo.is_active = False
    demo.save()
    assert login_of(token) is None


def test_a_token_for_something_else_opens_no_socket(demo):
    assert login_of(get_token(demo)) is None
    assert login_of(get_token(demo, scope="mail")) is None


@pytest.mark.parametrize("token", ["", "x", "é", "\0", "A" * 4000, "a b", "AAAA=", "\udcff"])
def test_nonsense_is_nobody(demo, token):
    assert login_of(token) is None


@pytest.mark.parametrize("grant", ["\ud800", "\u0663", "9" * 5000, "\0", "", "x"])
def test_a_good_token_with_a_made_up_grant_is_nobodys(demo, grant: str):
    assert login_of(f"{grant}.{token_for(demo)}") is None


def test_a_token_of_one_session_is_none_of_another(demo):
    one, other = token_for(demo, "one"), token_for(demo, "other")
    forged = other.partition(".")[0] + "." + one.partition(".")[2]
    assert login_of(one) == Login(demo, "one")
    assert login_of(forged) is None
    assert login_of(one.partition(".")[2]) is None


def test_what_was_granted_is_forgotten_when_the_token_has_ended(demo, settings):
    first = token_for(demo, "one")
    settings.SESAME_MAX_AGE = 0
    token_for(demo, "two")
    assert list(Grant.objects.values_list("session", flat=True)) == ["two"]
    settings.SESAME_MAX_AGE = 30
    assert login_of(first) is None
