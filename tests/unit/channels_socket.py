"""Channels' consumers, spoken to in ASGI events."""

from channels.testing import WebsocketCommunicator

from tests.unit.communicator import Patient


class SocketCommunicator(Patient, WebsocketCommunicator):
    """A Channels consumer."""
