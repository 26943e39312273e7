"""All checks of a site's readiness for ASGI, together."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import checks

from tandem.ops.checks import (
    application,
    assessment,
    blocking,
    consumers,
    cured,
    layers,
    middleware,
    orm,
    pages,
    process,
    request,
    ruff,
    streaming,
    upstreams,
    urls,
    views,
)
from tandem.ops.checks import settings as site_settings
from tandem.ops.checks.finding import COST, TAG, Finding, Place
from tandem.ops.checks.site import Site
from tandem.ops.checks.source import read


@dataclass(frozen=True)
class Audit:
    """What was found, and what it makes of each address."""

    findings: list[Finding]
    verdicts: list[assessment.Assessment]
    files: int  # of the site's own, read
    ruff: bool  # was there
    compared: bool  # the settings of both upstreams could be read
    settings: str  # the name of their module
    debug: bool  # is on, so that some checks of settings say nothing
    adopted: bool  # Tandem's settings are laid over the site's

    @property
    def failed(self) -> bool:
        """Whether something would break: a warning that is not of cost alone."""
        return any(f.level >= checks.WARNING and f.kind.verdict != COST for f in self.findings)


def audit(packages: Sequence[str] = (), socket_paths: Sequence[str] | None = None) -> Audit:
    """Check the site whose settings are in force.  Raises what its URLconf raises.

    ``packages`` are installed packages to read as its own, ``socket_paths`` those on which nginx
    takes WebSockets.
    """
    for name in packages:
        importlib.import_module(name)
    site = Site(tuple(packages), None if socket_paths is None else tuple(socket_paths))
    addresses = urls.addresses(site)  # imports most of the site's code
    sockets = [
        urls.Address(route, "", views.view_of(consumer, site), urlconf=False)
        for route, consumer in application.sockets(site)
    ]
    seen = [address.view for address in addresses]
    own_async = {
        v.name
        for v in seen
        if v.asynchronous and site.owns_object(v.target) and not urls.is_socket(v.callback)
    }
    found: list[Finding] = [
        *site_settings.check(site),
        *cured.check(site),
        *upstreams.check(site),
        *layers.check(site),
        *application.check(site),
        *consumers.check(site),
        *middleware.check(site, len(own_async)),
        *blocking.check(site),
        *orm.check(site),
        *request.check(site),
        *process.check(site),
        *streaming.check(site),
        *pages.check(site),
        *views.check(site, seen),
        *urls.check(site, addresses),
    ]
    found = sorted(_merged(filter(_wanted, found)), key=Finding.key)
    names = [name for name, _ in middleware.synchronous()]
    return Audit(
        found,
        assessment.judge([*addresses, *sockets], found, names),
        len(site.sources),
        ruff.command() is not None,
        upstreams.snapshots(site.running) is not None,
        site.settings_name,
        bool(settings.DEBUG),
        site.adopted,
    )


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return each finding once, with all the calls that reach it."""
    also: dict[Finding, dict[Place, None]] = {}
    for finding in findings:
        also.setdefault(finding, {}).update(dict.fromkeys(finding.also))
    return [Finding(f.kind, f.place, f.said, tuple(calls)) for f, calls in also.items()]


def _wanted(finding: Finding) -> bool:
    """Tell whether neither a comment on its line nor SILENCED_SYSTEM_CHECKS puts it away."""
    if finding.is_silenced():
        return False
    place = finding.place
    source = read_any(place.file) if place and place.line else None
    return not (source and place and source.ignores(place.line, finding.kind.code))


def read_any(file: Any) -> Any:
    """Return the source of ``file`` whatever its module is called, or ``None``."""
    return read(file)


def register() -> None:
    """Let ``manage.py check`` run the checks (``--tag async``: these alone)."""
    checks.register(_check, TAG)


def _check(app_configs: Iterable[Any] | None, **_: Any) -> list[checks.CheckMessage]:
    # Every command runs all checks before it starts, runserver and migrate too: only who
    # asks for checks waits for these.
    if sys.argv[1:2] != ["check"] or not getattr(settings, "ROOT_URLCONF", None):
        return []
    return list(audit().findings)
