"""What lasts, and what does not, while nothing happens; ``waits.py`` has begun it."""

from __future__ import annotations

import json

from tests.machine import HANG_SECONDS
from tests.replica.test_notifications import PATH, closed
from tests.replica.waits import Since
from tests.stack import Stack


async def test_a_token_of_before_opens_nothing(stack: Stack, old_token: Since):
    old_token.wait(31)
    socket = await stack.socket(PATH)
    await socket.send(old_token.what)
    assert await closed(socket) == 4401


def test_an_idle_socket_lives_and_still_gets_messages(idleness: Since):
    idleness.wait(15)  # three times redis-py's own socket timeout
    idleness.what.send('{"message": "awake"}')
    assert json.loads(idleness.what.recv(HANG_SECONDS))["message"] == "awake"


def test_a_silent_socket_is_open_after_90_seconds(silence: Since):
    """No ping from either side."""
    silence.wait(92)
    silence.what.send('{"watch": true}')
    while "worker" not in (frame := json.loads(silence.what.recv(HANG_SECONDS))):
        pass
    assert frame["worker"] == "asgi@1"
