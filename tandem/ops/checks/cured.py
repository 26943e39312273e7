"""What is wrong in an adopted site's own settings, and is not as it is served."""

from __future__ import annotations

from collections.abc import Iterator

from django.core import checks

from tandem.ops.checks import application, layers, settings, upstreams
from tandem.ops.checks.finding import Finding, kind
from tandem.ops.checks.site import Site

CURED = kind(
    "I054",
    "Cured by Tandem",
    why="The site's own settings are so; Tandem lays others over them, and nginx checks Origins.",
    cure="None is needed here; the finding in brackets has one for a site that is also served"
    " elsewhere.",
    cost="None.",
)


def check(site: Site) -> Iterator[Finding]:
    """Find what would be a warning if nothing were laid over the site's settings."""
    if not site.adopted:
        return
    remains = set(_by_settings(site))
    for finding in _by_settings(site.bare()):
        if finding.level >= checks.WARNING and finding not in remains:
            said = f"{finding.kind.title} ({finding.kind.code}): {finding.said}"
            yield Finding(CURED, finding.place, said)


def _by_settings(site: Site) -> Iterator[Finding]:
    """Give the findings that follow from the settings which are looked at."""
    yield from settings.check(site)
    yield from layers.check(site)
    yield from application.check(site)
    yield from upstreams.databases(site, dict(upstreams.flat("DATABASES", site.settings.DATABASES)))
