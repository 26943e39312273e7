"""Where settings and secrets come from."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.environment import integer, names, secret
from tandem.redis_url import with_password
from tests.stack import ROOT


def test_a_secret_is_read_from_its_credential(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("s3cret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert secret("key") == "s3cret"
    assert secret("other", "none") == "none"
    with pytest.raises(ImproperlyConfigured, match="cannot read the secret 'other'"):
        secret("other")


def test_without_credentials_the_cure_is_named(monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert secret("key", "") == ""
    with pytest.raises(ImproperlyConfigured, match="start the site by its unit or container"):
        secret("key")


def test_a_password_is_put_into_an_address_whatever_its_characters():
    assert with_password("redis://10.0.0.1:6379/0", "a/b@c") == "redis://:a%2Fb%40c@10.0.0.1:6379/0"
    assert with_password("unix:///run/r.sock", "pw") == "unix://:pw@/run/r.sock"
    assert with_password("redis://h/0", "") == "redis://h/0"
    assert with_password("redis://:own@h/0", "pw") == "redis://:own@h/0"


def test_a_number_that_is_none_is_named(monkeypatch):
    monkeypatch.setenv("N", "many")
    with pytest.raises(ImproperlyConfigured, match="N must be a whole number, got 'many'"):
        integer("N", 1)
    assert integer("UNSET_NUMBER", 7) == 7
    assert names("UNSET_NAMES", "a, b,") == ["a", "b"]


def test_the_limit_of_sockets_per_user_comes_from_the_environment():
    code = "from django.conf import settings; print(settings.SOCKETS_PER_USER)"
    settings = {"DJANGO_SETTINGS_MODULE": "tests.unit.settings", "SOCKETS_PER_USER": "7"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env={**os.environ, **settings, "PYTHONPATH": f"{ROOT}:{ROOT / 'app'}"},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "7\n"
