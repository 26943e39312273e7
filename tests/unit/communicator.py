"""Applications spoken to in ASGI events, without any limit in seconds but one."""

from __future__ import annotations

from typing import Any

from asgiref.testing import ApplicationCommunicator

from tests.machine import HANG_SECONDS


class Patient:
    """Waits for what must come until it hangs, whatever the method that asks would wait."""

    async def wait(self, timeout: float = HANG_SECONDS) -> None:  # noqa: ASYNC109 - asgiref's
        """Wait for the application to end; raises what it raised."""
        await super().wait(HANG_SECONDS)  # type: ignore[misc]

    async def receive_output(self, timeout: float = HANG_SECONDS) -> dict[str, Any]:  # noqa: ASYNC109
        """Return the next event that the application sends."""
        return await super().receive_output(HANG_SECONDS)  # type: ignore[misc]


class Communicator(Patient, ApplicationCommunicator):
    """An application."""
