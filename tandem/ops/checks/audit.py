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
    layers,
    middleware,
    orm,
    process,
    request,
    ruff,
    streaming,
    upstreams,
    urls,
    views,
)
from tandem.ops.checks import settings as site_settings
from tandem.ops.checks.finding import TAG, Finding, Place
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

    @property
    def failed(self) -> bool:
        """Whether a finding is a warning or worse."""
        return any(finding.level >= checks.WARNING for finding in self.findings)


def audit(packages: Sequence[str] = ()) -> Audit:
    """Check the site whose settings are in force.  Raises what its URLconf raises.

    ``packages`` are installed packages to read as its own.
    """
    for name in packages:
        importlib.import_module(name)
    site = Site(tuple(packages))
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
        upstreams.snapshots() is not None,
        site.settings_name,
        bool(settings.DEBUG),
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
