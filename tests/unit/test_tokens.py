"""Tokens for sockets: who gets one, and what one is good for."""

from __future__ import annotations

import time

import pytest
from django.test import Client
from sesame.utils import get_token

from tokens.tokens import token_for, user_of

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
    assert user_of(answer.json()["token"]) == demo
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
    assert user_of(token) == demo
    monkeypatch.setattr(time, "time", lambda: now + 32)
    assert user_of(token) is None


def test_a_token_ends_with_the_password_and_with_the_account(demo):
    token = token_for(demo)
    demo.set_password("after")
    demo.save()
    assert user_of(token) is None
    token = token_for(demo)
    demo.is_active = False
    demo.save()
    assert user_of(token) is None


def test_a_token_for_something_else_opens_no_socket(demo):
    assert user_of(get_token(demo)) is None
    assert user_of(get_token(demo, scope="mail")) is None


@pytest.mark.parametrize("token", ["", "x", "é", "\0", "A" * 4000, "a b", "AAAA=", "\udcff"])
def test_nonsense_is_nobody(demo, token):
    assert user_of(token) is None
