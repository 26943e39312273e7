"""A consumer that never leaves its group."""

from channels.generic.websocket import AsyncWebsocketConsumer

from shop.models import Order


class Room(AsyncWebsocketConsumer):
    """A room."""

    async def connect(self):
        """Join."""
        self.user = self.scope["user"]  # W020
        await self.channel_layer.group_add("room", self.channel_name)  # W015
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None):
        """Answer."""
        await self.send(str(Order.objects.count()))  # W031
