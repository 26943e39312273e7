"""Names of uploads: any that a client can send is one that a file can have."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client, override_settings

from tandem.adopted.overlay import overlay
from tandem.storage import ShortNames, TemporaryFileUploadHandler, short

NAMES = {
    "plain": "report.pdf",
    "long": "a" * 250 + ".pdf",
    "longest": "a" * 255,
    "cyrillic": "я" * 251 + ".pdf",
    "chinese": "報" * 251 + ".pdf",
    "emoji": "🙂" * 251 + ".pdf",
    "combined": "é" * 120 + ".pdf",
    "long extension": "a." + "я" * 240,
    "many extensions": "a" + ".tar" * 60,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_file_can_be_stored_twice_under_any_name(tmp_path: Path, name: str):
    storage = ShortNames(tmp_path)
    found = {storage.save(f"uploads/2026/{name}", ContentFile(b"x")) for _ in range(2)}
    assert len(found) == 2
    assert all(storage.exists(one) for one in found)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_temporary_file_can_have_any_name(tmp_path: Path, name: str):
    with override_settings(FILE_UPLOAD_TEMP_DIR=tmp_path):
        handler = TemporaryFileUploadHandler()
        handler.new_file("file", name, "text/plain", 1, None)
        handler.file.close()


def test_a_name_that_fits_stays_and_one_that_does_not_keeps_its_kind():
    assert short("2026/report.pdf") == "2026/report.pdf"
    assert short("報" * 200 + ".pdf").endswith("報.pdf")
    assert len(short("報" * 200 + ".pdf").encode()) <= 255 - 8


def test_an_adopted_site_stores_so_too_unless_it_has_a_storage_of_its_own():
    place = {"MEDIA_ROOT": "/srv/tandem/media", "SERVER_NAMES": "localhost"}
    laid = overlay({}, place)
    assert laid["STORAGES"]["default"]["BACKEND"] == "tandem.storage.ShortNames"
    assert "tandem.storage.TemporaryFileUploadHandler" in laid["FILE_UPLOAD_HANDLERS"]
    own = {"STORAGES": {"default": {"BACKEND": "storages.backends.s3.S3Storage"}}}
    assert "STORAGES" not in overlay(own, place)


@pytest.mark.example
@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_the_upload_page_takes_any_name(client: Client, django_user_model, tmp_path, name: str):
    client.force_login(django_user_model.objects.create_user("uploader"))
    file = ContentFile(b"x", name=name)
    with override_settings(MEDIA_ROOT=tmp_path, FILE_UPLOAD_TEMP_DIR=None):
        # 400: nothing of it may be in a name (Django), or its extensions alone fill one.
        assert client.post("/upload/", {"file": file}).status_code in (302, 400)
