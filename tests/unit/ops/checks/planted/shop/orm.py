"""Synchronous database work on the event loop."""

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model, login
from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import get_object_or_404

from shop import services
from shop.models import Order
from shop.models import Order as Bought

User = get_user_model()


async def one(request):  # W042
    """Ask for one row in every way."""
    first = Order.objects.get(pk=1)  # W031
    Bought.objects.filter(code="x").exclude(pk=2).count()  # W031
    order = await Order.objects.aget(pk=1)
    order.save()  # W031
    order.tags.clear()  # W031
    made, _ = await Order.objects.aget_or_create(code="y")
    made.delete()  # W031
    new = Order(code="z")
    new.refresh_from_db()  # W031
    user = User.objects.first()  # W031
    get_object_or_404(Order, pk=3)  # W031
    login(request, user)  # W031
    return JsonResponse({"code": first.code})


async def many(request):  # W042
    """Evaluate querysets in every way."""
    orders = Order.objects.filter(code="x").order_by("pk")
    for order in orders:  # W031
        print(order)
    codes = [o.code for o in Order.objects.all()]  # W031
    codes += list(Order.objects.values_list("code", flat=True))  # W031
    if orders:  # W031
        codes.append(orders[0].code)  # W031
    print(*orders)  # W031
    with transaction.atomic():  # W039
        await sync_to_async(list)(orders)
    return JsonResponse({"codes": codes, "last": last(), "known": len(services.rested())})


def last():
    """Look harmless to whoever calls it."""
    return Order.objects.last()  # W031
