"""Liveness asks nothing; readiness asks everything."""

from __future__ import annotations

import pytest

from tandem.health import checks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh():
    checks.migrations.cache_clear()
    yield
    checks.migrations.cache_clear()


def test_ready_when_all_is_there(client):
    answer = client.get("/health/ready/")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "redis": "ok", "migrations": "ok"}
    assert "no-store" in answer["Cache-Control"]


def test_a_pending_migration_is_named(client):
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="sessions").delete()
    answer = client.get("/health/ready/")
    assert answer.status_code == 503
    assert "sessions.0001_initial; run manage.py migrate" in answer.json()["checks"]["migrations"]


def test_a_lost_redis_is_named_without_its_address(client, settings):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "tandem.channel_layer.PubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
        }
    }
    answer = client.get("/health/ready/")
    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"] == "ConnectionError"
    assert client.get("/health/live/").status_code == 200
