"""The upload page."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(client, django_user_model, settings, tmp_path):
    """Give a logged-in client that uploads into a folder of the test."""
    settings.MEDIA_ROOT = tmp_path
    client.force_login(django_user_model.objects.create_user("demo"))
    return client


def test_a_file_is_kept_and_listed(member):
    file = SimpleUploadedFile("notes.txt", b"hello")
    page = member.post("/upload/", {"file": file}, follow=True).content.decode()
    assert "notes.txt is here." in page
    assert "/media/uploads/" in page


def test_one_byte_too_many_gets_the_413_page(member, settings):
    settings.UPLOAD_LIMIT_BYTES = 10
    answer = member.post("/upload/", {"file": SimpleUploadedFile("big", b"x" * 11)})
    assert answer.status_code == 413
    assert member.post("/upload/", {"file": SimpleUploadedFile("ok", b"x" * 10)}).status_code == 302


def test_no_file_is_said_so(member):
    assert "This field is required" in member.post("/upload/", {}).content.decode()


def test_strangers_log_in_first(client):
    assert client.get("/upload/").headers["Location"].startswith("/accounts/login/")
