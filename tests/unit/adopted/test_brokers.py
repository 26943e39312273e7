"""A site's clients of Redis reach Tandem's, each in its own words.

The words were tried with Celery 5.7, django-rq 4.2, Huey 3.5, Dramatiq 2.2, django-q2 1.11,
django-redis 7.0, Django's own cache, constance 4.4 and cacheops 7.2 on a real Redis.
"""

from __future__ import annotations

from typing import Any

import pytest

from tandem.adopted.brokers import brokers

SOCKET = "/run/redis-tandem/redis-server.sock"
UNIX = f"unix://{SOCKET}"
KOMBU = f"redis+socket://{SOCKET}"
TCP = "redis://:p%2Fw@10.0.0.2:6379/0"


def led(name: str, value: Any, url: str = UNIX) -> Any:
    """Return the value of a setting as it is laid over, or itself."""
    return brokers({name: value}, url).get(name, value)


@pytest.mark.parametrize(
    ("address", "database"),
    [
        ("redis://localhost:6379/3", 3),
        ("redis://127.0.0.1", 0),
        ("redis://[::1]:6379/0", 0),
        ("redis://user:secret@redis:6379/1", 1),
        ("redis:///2", 2),
        ("rediss://localhost:6379/?db=4&ssl_cert_reqs=none", 4),
    ],
)
def test_an_address_of_redis_here_becomes_that_of_tandems_with_its_database(address, database):
    plain = f"?db={database}" if database else ""
    kombu = f"?virtual_host={database}" if database else ""
    assert led("THUMBNAIL_REDIS_URL", address) == UNIX + plain
    assert led("CELERY_BROKER_URL", address) == KOMBU + kombu
    assert led("CELERY_RESULT_BACKEND", address) == KOMBU + kombu
    for name in ("THUMBNAIL_REDIS_URL", "CELERY_BROKER_URL"):
        assert led(name, address, TCP) == f"redis://:p%2Fw@10.0.0.2:6379/{database}"


def test_a_number_behind_the_given_address_is_the_database():
    assert led("CELERY_BROKER_URL", f"{UNIX}/5") == f"{KOMBU}?virtual_host=5"
    assert led("SESSIONS_URL", f"{UNIX}/5") == f"{UNIX}?db=5"
    assert led("SESSIONS_URL", f"{UNIX}?db=6") == f"{UNIX}?db=6"
    assert led("CELERY_BROKER_URL", f"{TCP}/5", TCP) == TCP[:-1] + "5"


def test_a_setting_that_repeats_the_given_address_is_put_into_celerys_words():
    assert led("CELERY_BROKER_URL", UNIX) == KOMBU
    assert led("SHOP_RESULT_BACKEND", UNIX) == KOMBU
    assert led("CELERY", {"broker_url": UNIX, "task_serializer": "json"}) == {
        "broker_url": KOMBU,
        "task_serializer": "json",
    }
    assert led("REDBEAT_REDIS_URL", UNIX) == UNIX
    assert led("CELERY_BROKER_URL", KOMBU) == KOMBU


@pytest.mark.parametrize(
    "value",
    [
        "amqp://localhost//",
        "redis://redis.example.org:6379/0",
        "redis://10.1.1.1:6379",
        "redis://localhost:6379/0;redis://10.1.1.1:6379/0",
        "redis://localhost:notaport/0",
        "redis://localhost/cache",
        "redis:///var/run/own.sock",
        "unix:///var/run/own.sock?db=1",
        "django-db",
        "rpc://",
        "a text with redis://localhost:6379 in it",
        "",
        None,
        6379,
    ],
)
def test_what_is_no_address_of_redis_here_stays(value):
    for name in ("CELERY_BROKER_URL", "SOME_URL"):
        assert led(name, value) is value


def test_caches_in_redis_are_tandems_and_others_stay():
    backend = "django.core.cache.backends.redis.RedisCache"
    local = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "a"}
    found = led(
        "CACHES",
        {
            "default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:6379"},
            "two": {"BACKEND": backend, "LOCATION": ["redis://redis/2", "redis://redis/3"]},
            "local": local,
        },
    )
    assert found["default"] == {"BACKEND": backend, "LOCATION": UNIX}
    assert found["two"]["LOCATION"] == [f"{UNIX}?db=2", f"{UNIX}?db=3"]
    assert found["local"] is local


def test_queues_that_name_host_and_port_are_led_by_what_their_library_reads():
    own = {"HOST": "localhost", "PORT": 6379, "DB": 5, "PASSWORD": "x", "DEFAULT_TIMEOUT": 9}
    assert led("RQ_QUEUES", {"default": own}) == {
        "default": {"DEFAULT_TIMEOUT": 9, "URL": f"{UNIX}?db=5"}
    }
    huey = {"name": "h", "connection": {"host": "localhost", "port": 6379, "read_timeout": 1}}
    assert led("HUEY", huey)["connection"] == {"read_timeout": 1, "url": UNIX}
    cluster = {"name": "q", "redis": {"host": "127.0.0.1", "port": "6379", "db": 8}}
    assert led("Q_CLUSTER", cluster)["redis"] == {"unix_socket_path": SOCKET, "db": 8}
    assert led("Q_CLUSTER", cluster, TCP)["redis"] == {
        "host": "10.0.0.2",
        "port": 6379,
        "db": 8,
        "password": "p/w",
    }
    options = {"BROKER": "dramatiq.brokers.redis.RedisBroker", "OPTIONS": {"url": "redis://redis"}}
    assert led("DRAMATIQ_BROKER", options)["OPTIONS"] == {"url": UNIX}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASES", {"default": {"HOST": "localhost", "PORT": 6379}}),
        ("SEARCH", {"host": "localhost", "port": 9200}),
        ("SEARCH", {"host": "localhost"}),
        ("REDIS", {"tasks": {"HOST": "localhost", "PORT": 6379}}),  # a library that is not known
        ("CACHEOPS_REDIS", {"host": "cache.example.org", "port": 6379}),
        ("CACHEOPS_REDIS", {"host": "localhost", "port": 6379, "db": "names"}),
    ],
)
def test_a_mapping_that_may_be_of_another_server_stays(name, value):
    assert led(name, value) is value
