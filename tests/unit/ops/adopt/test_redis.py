"""How the variables of a site lead to Tandem's Redis."""

from __future__ import annotations


def test_celery_and_caches_reach_redis_in_their_own_words(project):
    made = project(
        """
        import os, environ
        env = environ.Env()
        CELERY_BROKER_URL = os.environ["CELERY_BROKER_URL"]
        CACHES = {"default": env.cache("CACHE_URL")}
        """,
        "django\nredis\n",
    )
    assert made.site.redis
    assert made.site.environment == {
        "CELERY_BROKER_URL": "redis+socket:///run/redis-tandem/redis-server.sock",
        "CACHE_URL": "redis:///run/redis-tandem/redis-server.sock",
    }


def test_a_broker_that_has_no_default_is_redis_and_another_kind_stays(project):
    line = 'import os\nCELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL"{})'
    assert "CELERY_BROKER_URL" in project(line.format("")).site.environment
    assert project(line.format(', "amqp://mq"')).site.environment == {}


REDIS = "unix:///run/redis-tandem/redis-server.sock"


def test_a_site_that_does_without_redis_is_not_given_it(project):
    settings = """
        import os, environ
        env = environ.Env()
        CACHES = {"default": env.cache(default="locmemcache://")}
        THUMBNAIL_REDIS_URL = env("THUMBNAIL_REDIS_URL", default=None)
        """
    made = project(settings)
    assert made.site.environment == {}
    assert not made.site.redis
    assert project(settings, "django\nredis\n").site.environment == {
        "CACHE_URL": "redis:///run/redis-tandem/redis-server.sock",
        "THUMBNAIL_REDIS_URL": REDIS,
    }


def test_redis_that_a_variable_must_lead_to_is_there(project):
    made = project('import os\nQUEUE = os.environ["QUEUE_REDIS_URL"]')
    assert made.site.environment == {"QUEUE_REDIS_URL": REDIS}
    assert made.site.redis


def test_what_a_function_makes_of_the_address_of_redis_is_followed(project):
    made = project(
        """
        import os
        def both(address):
            if address is None:
                return ("redis://localhost:6379", "redis://localhost:6379")
            if "unix" in address.lower():
                _, path = address.split(":", maxsplit=1)
                return (f"redis+socket:{path}", address)
            return (address, address)
        CELERY_BROKER_URL, LAYERS = both(os.getenv("SHOP_REDIS"))
        USE_REDIS = os.getenv("USE_REDIS")
        """,
        "django\nredis\n",
    )
    assert made.site.environment == {"SHOP_REDIS": REDIS}
    assert made.undecided == []


def test_a_number_behind_the_address_is_no_question(project):
    settings = """
        import os
        CACHES = {"default": {"BACKEND": "x", "LOCATION": os.environ["REDIS_URL"] + "/0"}}
        """
    made = project(settings, "django\nredis\n")
    assert made.site.redis
    assert made.undecided == []
