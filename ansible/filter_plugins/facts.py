"""What cannot be set (``tandem.facts``), for the roles: they have it as ``tandem_facts``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tandem import facts


def known(more: Mapping[str, Any]) -> dict[str, Any]:
    """Return every fact by its name in ``tandem.facts``, and ``more``: a filter takes a value."""
    found = {name: value for name, value in vars(facts).items() if name.isupper()}
    # Ansible's templates take plain values only.
    found["KINDS"], found["SIDES"] = list(facts.KINDS), list(facts.SIDES)
    found["DEBIANS"] = {name: one._asdict() for name, one in facts.DEBIANS.items()}
    return {**found, **more}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"tandem_facts": known}
