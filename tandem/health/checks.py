"""What readiness means: each check raises, in a sentence, when its part is not ready."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from asgiref.sync import async_to_sync
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tandem.background import failing
from tandem.identity import identity
from tandem.postgresql import patience

logger = logging.getLogger(__name__)


def _none() -> bool:
    """Tell whether the site has no database; Django then has one that refuses everything."""
    return connection.settings_dict["ENGINE"] == "django.db.backends.dummy"


def database() -> None:
    """Ask the database a query, if there is one."""
    if _none():
        return
    before = patience.set(0)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        patience.reset(before)


def channel_layer() -> None:
    """Send the channel layer a message (to the Redis layers: Redis must answer)."""
    try:
        from channels.layers import get_channel_layer
    except ImportError:  # a site without Channels
        return
    layer = get_channel_layer()
    if layer is not None:
        async_to_sync(layer.group_send)("tandem-health", {"type": "tandem.health"})


@cache
def migrations() -> None:
    """No migration of this release is pending.

    Kept once true (``cache`` does not keep an exception): a process serves one
    release, so its migrations cannot become pending again.
    """
    if _none():
        return
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        names = ", ".join(f"{m.app_label}.{m.name}" for m, _ in plan[:5])
        raise RuntimeError(f"{len(plan)} pending: {names}; run manage.py migrate")


def tasks() -> None:
    """No background task of this process fails."""
    if failing:
        raise RuntimeError(", ".join(f"{name}: {why}" for name, why in sorted(failing.items())))


CHECKS: dict[str, Callable[[], None]] = {
    "database": database,
    "redis": channel_layer,
    "migrations": migrations,
}
# Named only when they fail: most processes have none.
QUIET: dict[str, Callable[[], None]] = {"tasks": tasks}


def failures() -> dict[str, str]:
    """Run every check; return ``{name: reason}`` of those that failed."""
    found = {}
    for name, check in (CHECKS | QUIET).items():
        try:
            check()
        except Exception as error:  # whatever a driver raises means "not ready"
            # The class only, not the text: drivers put addresses and user names there.
            reason = str(error) if isinstance(error, RuntimeError) else type(error).__name__
            found[name] = reason
    return found


def live() -> tuple[int, dict[str, Any]]:
    """Return status and JSON of liveness: 200 whenever the process can answer at all."""
    return 200, {"status": "live", **identity()}


def ready() -> tuple[int, dict[str, Any]]:
    """Return status and JSON of readiness: 503 names what is not ready and why."""
    failed = failures()
    if failed:
        logger.warning("not ready: %s", failed)
    checks = {**dict.fromkeys(CHECKS, "ok"), **failed}
    body = {"status": "not ready" if failed else "ready", "checks": checks, **identity()}
    return 503 if failed else 200, body
