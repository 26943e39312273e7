"""What runs beside the web servers, and what is run before new code serves."""

from __future__ import annotations

import re
from typing import Any

from tandem.adopted.brokers import brokers
from tandem.facts import REDIS_SOCKET, REDIS_URL
from tandem.ops.adopt import programs
from tandem.ops.adopt.environment import REDIS_CLIENTS
from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.folder import Place, calls
from tandem.ops.adopt.interpreter import variables
from tandem.ops.adopt.project import Project
from tandem.ops.adopt.requirements import Requirements
from tandem.ops.adopt.values import Scope, plain

# An app in INSTALLED_APPS that has a worker: (name, command).
WORKERS = {
    "huey.contrib.djhuey": ("huey", "python manage.py run_huey"),
    "django_huey": ("huey", "python manage.py djangohuey"),
    "django_rq": ("rq", "python manage.py rqworker default"),
    "django_q": ("qcluster", "python manage.py qcluster"),
    "django_dramatiq": ("dramatiq", "python manage.py rundramatiq"),
    "django_tasks.backends.database": ("tasks", "python manage.py db_worker"),
    "django_tasks_db": ("tasks", "python manage.py db_worker"),
    "procrastinate.contrib.django": ("procrastinate", "python manage.py procrastinate worker"),
    "background_task": ("background", "python manage.py process_tasks"),
    "django_apscheduler": ("", ""),
}


def processes(project: Project, scope: Scope, apps: list[Any], out: Findings) -> None:
    """Note ``processes``: what the site's own files start, else Celery and its like."""
    if programs.procfile(project, out) or programs.programs(project, out):
        return
    place = scope.places.get("INSTALLED_APPS", Place("the settings"))
    for app, (name, command) in WORKERS.items():
        queues = plain(scope.get("RQ_QUEUES")) if app == "django_rq" else None
        if isinstance(queues, dict) and queues:  # that of the default one is not all
            names = [str(queue) for queue in queues if re.fullmatch(r"[\w.-]+", str(queue))]
            command = f"python manage.py rqworker {' '.join(names)}"
        if app in apps and name:
            out.entry("processes", name, command, f"{app} ({place})")
        elif app in apps:
            out.decide("processes", f"{app} ({place}) needs a process that runs its scheduler", {})
    for file in project.folder.files:
        if file.suffix != ".py" or "Celery(" not in project.folder.text(file):
            continue
        tree = project.folder.tree(file)
        call = next(calls(tree, "Celery"), None) if tree else None
        base = next((one for one in project.python_path if file.is_relative_to(one)), None)
        if call is None or base is None or "test" in file.name:
            continue
        parts = file.relative_to(base).with_suffix("").parts
        parts = parts[:-1] if parts[-1] in ("celery", "__init__") else parts
        app, where = ".".join(parts), project.folder.place(file, call)
        out.entry("processes", "worker", f"celery -A {app} worker --loglevel info", f"{where}")
        scheduler = " --scheduler django" if "django_celery_beat" in apps else ""
        text = project.folder.text(file)
        if scheduler or "CELERY_BEAT_SCHEDULE" in scope.names or "beat_schedule" in text:
            command = f"celery -A {app} beat --loglevel info --schedule /tmp/beat{scheduler}"
            out.entry("processes", "beat", command, f"a schedule is there ({where})")
        return


def redis(scope: Scope, required: Requirements, out: Findings) -> None:
    """Note ``redis``: whether anything of the site could use it."""
    used = next((name for name in REDIS_CLIENTS if name in required), "")
    given = out.value("environment") or {}
    led = next((name for name, value in given.items() if REDIS_SOCKET in value), "")
    if led and not used:
        out.found("redis", True, f"{led} leads there")
    elif used or not required.complete:
        place = required.names.get(used)
        out.found("redis", True, f"{used} is required ({place})" if used else "perhaps it is used")
    else:
        out.found("redis", False, "nothing that is required uses it")
    for name in ("CACHES", "CELERY_BROKER_URL", "RQ_QUEUES", "HUEY", "Q_CLUSTER"):
        value = scope.get(name)
        # What leads to a Redis beside the site is led to Tandem's.
        value = brokers({name: value}, REDIS_URL).get(name, value)
        if not variables(value) and re.search(r"rediss?://|'HOST': '", str(plain(value))):
            place = scope.places.get(name)
            sentence = f"{name} fixes an address ({place}); Tandem's Redis is at {REDIS_SOCKET}"
            out.decide("redis", sentence, True)


def setup(project: Project, scope: Scope, out: Findings) -> None:
    """Note ``setup``: migrations where there is a database, and a table for a cache in it."""
    commands, why = ["migrate --noinput"], []
    if "DATABASES" not in scope.names and "INSTALLED_APPS" in scope.names:
        commands, why = [], ["the settings have no database"]
    if "DatabaseCache" in str(plain(scope.get("CACHES"))):
        commands.append("createcachetable")
        why.append(f"a cache is in the database ({scope.places.get('CACHES')})")
    out.found("setup", commands, *why)
