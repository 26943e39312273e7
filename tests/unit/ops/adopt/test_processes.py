"""The processes that a site keeps beside its web servers."""

from __future__ import annotations

import pytest

from tests.unit.ops.adopt.conftest import BASE


@pytest.mark.parametrize(
    ("app", "processes"),
    [
        ("huey.contrib.djhuey", {"huey": "python manage.py run_huey"}),
        ("django_rq", {"rq": "python manage.py rqworker default"}),
        ("django_q", {"qcluster": "python manage.py qcluster"}),
        ("blog", {}),
    ],
)
def test_workers_of_known_apps_are_suggested(project, app: str, processes):
    assert project(f'INSTALLED_APPS += ["{app}"]').site.processes == processes


def test_a_celery_app_gets_a_worker_and_a_beat_where_it_has_a_schedule(project):
    celery = 'from celery import Celery\napp = Celery("shop")\n'
    assert project("", shop__celery=celery).site.processes == {
        "worker": "celery -A shop worker --loglevel info"
    }
    scheduled = project("CELERY_BEAT_SCHEDULE = {}", shop__celery=celery)
    assert "beat" in scheduled.site.processes
    assert "shop/celery.py:2" in scheduled.why("processes")


def test_a_procfile_is_followed_but_for_its_web_servers(adopt):
    made = adopt(
        BASE
        | {
            "Procfile": "web: gunicorn shop.wsgi\nrelease: python manage.py migrate\n"
            "ws: daphne shop.asgi:application -p $PORT\nmail_worker: python manage.py mail\n"
        }
    )
    assert made.site.processes == {"mail-worker": "python manage.py mail"}
    assert "Procfile:4" in made.why("processes")


STARTED = {
    "supervisord.conf": "[program:web]\ncommand=gunicorn shop.wsgi\n"
    "[program:jobs]\ncommand=/venv/bin/python3 /srv/shop/manage.py mail -f ; all\n",
    "docker/uwsgi.ini": "[uwsgi]\nmodule = shop.wsgi\nattach-daemon = ./manage.py mail -f\n"
    "attach-daemon = ./manage.py smtp --port %(_)\n",
    "contrib/shop-mail.service": "[Service]\nExecStart=/venv/bin/python manage.py mail -f\n",
    "compose.yaml": "services:\n  db:\n    image: postgres\n  jobs:\n"
    "    command: [python, manage.py, mail, -f]\n  setup:\n    command: manage.py migrate x\n",
}


@pytest.mark.parametrize(
    ("file", "name", "line"),
    list(zip(STARTED, ("jobs", "mail", "mail", "jobs"), (3, 3, 2, 4), strict=True)),
)
def test_processes_that_other_managers_start_are_found(adopt, file: str, name: str, line: int):
    made = adopt(BASE | {file: STARTED[file], "compose.dev.yaml": STARTED["compose.yaml"]})
    assert made.site.processes == {name: "python manage.py mail -f"}
    assert f"{file}:{line}" in made.why("processes")


def test_a_beat_of_celery_does_not_write_into_the_release(adopt):
    unit = "[Service]\nExecStart=/usr/bin/celery --app shop beat\n"
    made = adopt(BASE | {"beat.service": unit})
    assert made.site.processes == {"beat": "celery --app shop beat --schedule /tmp/beat"}


def test_a_worker_of_rq_serves_all_queues(project):
    made = project('INSTALLED_APPS += ["django_rq"]\nRQ_QUEUES = {"high": {}, "default": {}}')
    assert made.site.processes == {"rq": "python manage.py rqworker high default"}
