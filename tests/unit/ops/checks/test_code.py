"""What the checks of code take for granted, line by line."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chat.models import Message  # the example site's
from tandem.ops.checks import blocking, consumers, orm, process, request, streaming
from tandem.ops.checks.finding import Finding, Place
from tandem.ops.checks.source import Source

Check = Callable[[Any], Iterator[Finding]]


def found(check: Check, code: str) -> list[tuple[str, int]]:
    """Return ``(code, line)`` of what ``check`` finds in a module of this text."""
    text = textwrap.dedent(code)
    source = Source(Path("/site/views.py"), ast.parse(text), text.splitlines(), "views")
    return sorted((f.kind.code, f.place.line if f.place else 0)
                  for f in check(SimpleNamespace(sources=[source])))  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "Message.objects.get(pk=1)",
        "Message._default_manager.count()",
        "Message.objects.using('other').filter(pk=1).order_by('pk').first()",
        "[m for m in Message.objects.all()]",
        "sorted(Message.objects.all())",
        "{m.pk for m in Message.objects.all() | Message.objects.none()}",
        "sum(m.pk for m in Message.objects.all())",
        "Message.objects.all()[0]",
        "1 in Message.objects.values_list('pk', flat=True)",
        "(await Message.objects.aget(pk=1)).save()",
        "Message(text='x').full_clean()",
        "apps.get_model('chat', 'Message').objects.exists()",
        "(lambda: 1)() or Message.objects.exists()",
        "helper()",
        "self.method()",
    ],
)
def test_a_query_on_the_event_loop_is_found(line: str):
    code = f"""
        from django.apps import apps
        from chat.models import Message
        def helper():
            return Message.objects.count()
        class View:
            def method(self):
                return Message.objects.last()
            async def get(self, request):
                {line}
    """
    (only,) = found(orm.check, code)
    assert only[0] == "W031"
    assert Message.objects is not None


@pytest.mark.parametrize(
    "line",
    [
        "Message.objects.filter(pk=1).order_by('pk')",
        "await Message.objects.aget(pk=1)",
        "await sync_to_async(Message.objects.get)(pk=1)",
        "await sync_to_async(lambda: Message.objects.get(pk=1))()",
        "await database_sync_to_async(helper)()",
        "await asyncio.to_thread(helper)",
        "[m async for m in Message.objects.all()]",
        "Message.objects.all()[:5]",
        "partial(Message.objects.get, pk=1)",
        "settings.get('x'), {}.get('x'), cache.get('x')",
        "form.save()",
        "message.save()",  # nobody knows what a parameter without annotation is
        "Message.objects.in_thread()",  # a manager's own method may do anything
        "other = Message.objects.all(); other = [1]; list(other)",
        "Message.DoesNotExist(), Message._meta.get_fields()",
        "await threaded()",
        "threaded()",
        "later()",
        "kept()",
    ],
)
def test_what_is_no_query_or_not_on_the_event_loop_is_left_alone(line: str):
    code = f"""
        import asyncio
        from functools import partial
        from asgiref.sync import sync_to_async
        from channels.db import database_sync_to_async
        from django.conf import settings
        from chat.models import Message
        def helper():
            return Message.objects.count()
        @database_sync_to_async
        def threaded():
            return Message.objects.count()
        def later():
            yield Message.objects.count()
        known = None
        def kept():
            global known
            known = known or Message.objects.first()
            return known
        async def view(request, message, form, cache):
            {line}
        def plain(request):
            return Message.objects.count()
    """
    assert found(orm.check, code) == []


@pytest.mark.parametrize(
    ("annotation", "codes"), [("Message", ["W031"]), ("Message | None", ["W031"]), ("dict", [])]
)
def test_an_annotation_makes_an_instance_evident(annotation: str, codes: list[str]):
    code = f"""
        from chat.models import Message
        async def view(message: {annotation}):
            message.save()
    """
    assert [c for c, _ in found(orm.check, code)] == codes


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sleep(1)", "W032"),
        ("t.sleep(1)", "W032"),
        ("urllib.request.urlopen('x')", "W033"),
        ("requests.Session()", "W033"),
        ("Redis()", "W033"),
        ("open('x')", "W034"),
        ("subprocess.run(['x'])", "W035"),
        ("async_to_sync(view)()", "W037"),
        ("call_command('x')", "W037"),
    ],
)
def test_a_blocking_call_is_known_by_whatever_name_it_is_imported(
    line: str, code: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(blocking.ruff, "command", lambda: None)
    text = f"""
        import requests, subprocess, urllib.request
        from redis import Redis
        import time as t
        from time import sleep
        from asgiref.sync import async_to_sync
        from django.core.management import call_command
        async def view(request):
            {line}
    """
    assert found(blocking.check, text) == [(code, 9)]


@pytest.mark.parametrize(
    "line",
    [
        "await asyncio.to_thread(sleep, 1)",
        "fetch = async_to_sync(view)",
        "def inner(): sleep(1)",
        "sleep(1)  # noqa: ASYNC251",
        "self.open('x'); path.open",
    ],
)
def test_what_does_not_block_the_event_loop_is_left_alone(
    line: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(blocking.ruff, "command", lambda: None)
    text = f"""
        import asyncio
        from time import sleep
        from asgiref.sync import async_to_sync
        async def view(self, path):
            {line}
    """
    assert found(blocking.check, text) == []


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("request.user.pk", ["W036"]),
        ("user = request.user; user.pk", ["W036"]),
        ("request.session['a']", ["W036"]),
        ("if not request.user: pass", ["W036"]),
        ("user = await request.auser(); user.pk", []),
        ("await greet(request.user)", []),
        ("request.user = await request.auser(); request.user.pk", []),
        ("await request.session.aget('a')", []),
        ("request.META['wsgi.input']", ["W053"]),
        ("request.META['wsgi.input'] = b''", []),
        ("request.environ", ["W053"]),
        ("hasattr(request, 'environ') and 1", []),
        ("if hasattr(request, 'environ'): request.environ", []),
    ],
)
def test_what_a_request_loads_or_lacks_is_known(body: str, codes: list[str]):
    code = f"""
        async def view(request):
            {body}
    """
    assert [c for c, _ in found(request.check, code)] == codes


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        ("rows()", ["W041"]),
        ("(r for r in rows())", ["W041"]),
        ("map(str, [1])", ["W041"]),
        ("['a', 'b']", ["W041"]),
        ("arows()", []),
        ("(r async for r in arows())", []),
        ("given", []),  # nobody knows
        ("streaming_content=rows()", ["W041"]),
    ],
)
def test_only_what_evidently_is_a_synchronous_iterator_is_found(content: str, codes: list[str]):
    code = f"""
        from django.http import StreamingHttpResponse
        def rows():
            yield 1
        async def arows():
            yield 1
        def view(request, given):
            return StreamingHttpResponse({content})
    """
    assert [c for c, _ in found(streaming.check, code)] == codes


def test_a_group_that_another_method_or_function_leaves_is_left():
    code = """
        from channels.generic.websocket import AsyncWebsocketConsumer
        async def leave(socket):
            await socket.channel_layer.group_discard("g", socket.channel_name)
        class Good(AsyncWebsocketConsumer):
            async def connect(self):
                await self.channel_layer.group_add("g", self.channel_name)
            async def disconnect(self, code):
                await leave(self)
    """
    assert found(consumers.check, code) == []
    assert found(consumers.check, code.replace("group_discard", "group_send")) == [("W015", 7)]


def test_thread_locals_of_asgiref_are_no_threads():
    code = """
        from asgiref.local import Local as local
        current = local()
        class threading:
            local = dict
        other = threading.local()
    """
    assert found(process.check, code) == []


def test_a_finding_prints_as_a_line_of_a_file_from_here():
    assert str(Place(Path.cwd() / "shop" / "views.py", 12)) == "shop/views.py:12"
    assert str(Place(Path("/elsewhere/views.py"))) == "/elsewhere/views.py"
