"""Asking an assertion of the roles, without a play."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.provisioning.rendering import Server, tasks


@pytest.fixture
def preflight() -> Callable[..., bool]:
    """Give a function that tells whether an assertion of the roles, by its name, holds."""

    def holds(name: str, server: Server, **more: object) -> bool:
        found = [task for _, task in tasks() if task.get("name") == name]
        assert len(found) == 1, name
        that = found[0]["ansible.builtin.assert"]["that"]
        for sentence in that if isinstance(that, list) else [that]:
            if not server.value(f"{{{{ {sentence} }}}}", **{**found[0].get("vars", {}), **more}):
                return False
        return True

    return holds
