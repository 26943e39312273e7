"""The same work, where it belongs: each line looks like one that is wrong."""

import asyncio

from asgiref.sync import sync_to_async
from django.db import transaction
from django.http import JsonResponse

from shop.models import Order
from shop.services import arecent, recent
from shop.services import first as first_of_all


async def one(request):
    """Ask for one row in every way."""
    first = await Order.objects.aget(pk=1)
    await sync_to_async(Order.objects.get)(pk=1)
    await sync_to_async(lambda: Order.objects.filter(code="x").count())()
    await asyncio.to_thread(Order.objects.first)
    await first.asave()
    await first.tags.aclear()
    await Order.objects.filter(code="x").aupdate(code="y")
    cache = {"first": first}
    cache.get("first")
    cache.update(last=first)

    def work():
        with transaction.atomic():
            Order.objects.create(code="z").delete()
            return Order.objects.last()

    last = await sync_to_async(work)()
    user = await request.auser()
    await asyncio.gather(sync_to_async(recent)(), arecent(), first_of_all())
    return JsonResponse({"code": last.code, "user": user.username})


async def many(request):
    """Go through querysets in every way."""
    orders = Order.objects.filter(code="x").order_by("pk")
    codes = [order.code async for order in orders]
    async for order in orders[:5]:
        codes.append(order.code)
    found = await sync_to_async(list)(orders)
    for order in found:
        codes.append(order.code)
    if found and await orders.aexists():
        codes.append(found[0].code)
    return JsonResponse({"codes": codes})


def plain(request):
    """Ask as ever: a synchronous view runs in a thread."""
    with transaction.atomic():
        return JsonResponse({"codes": [order.code for order in Order.objects.all()]})
