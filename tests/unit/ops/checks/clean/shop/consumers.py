"""A consumer that leaves its group."""

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from shop.models import Order


class Room(AsyncWebsocketConsumer):
    """A room."""

    async def connect(self):
        """Join."""
        self.user = self.scope["user"]
        self.orders = await self.recent()
        await self.channel_layer.group_add("room", self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        """Leave."""
        await self.channel_layer.group_discard("room", self.channel_name)

    @database_sync_to_async
    def recent(self):
        """Ask in a thread."""
        return list(Order.objects.order_by("-pk")[:50])
