"""Which Debian has the Python that a site asks for."""

from __future__ import annotations

from tandem.facts import DEBIANS, NEWEST_DEBIAN
from tandem.ops.adopt.model import Site
from tandem.ops.checkout.programs import Failed

BY_PYTHON = {debian.python: name for name, debian in DEBIANS.items()}


def debian(site: Site, given: str = "") -> str:
    """Return the Debian that a site is built for: ``given``, or else that with its Python.

    Raises ``Failed`` where the site asks for a Python that this Debian has not, or none has.
    """
    wanted = BY_PYTHON.get(site.python, "")
    if site.python and not wanted:
        had = ", ".join(f"{python} ({name})" for python, name in BY_PYTHON.items())
        raise Failed(
            f"{site.name} asks for Python {site.python}, which no Debian of Tandem's has; there"
            f" are {had}: let python in tandem.yml be one that the site works with."
        )
    if given and wanted and given != wanted:
        raise Failed(
            f"{site.name} asks for Python {site.python}, which {given} has not, and {wanted} has:"
            f" build it for that, or let python in tandem.yml be {DEBIANS[given].python}."
        )
    return given or wanted or NEWEST_DEBIAN
