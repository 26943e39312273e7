"""Event streams: what they carry, and how they end."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.test import AsyncRequestFactory

from tandem import streams
from tandem.streams import EventStream, EventStreams, last_event_id, move_streams
from tests.machine import HANG_SECONDS
from tests.patience import eventually
from tests.unit.communicator import Communicator


async def text(response: EventStream, events: int) -> list[str]:
    found: list[str] = []
    async for part in response:
        found.append(part.decode())
        if len(found) > events:
            break
    return found


@pytest.mark.example
async def test_a_stream_numbers_its_events_and_resumes():
    from showcase.events import ticker

    request = AsyncRequestFactory().get("/", headers={"Last-Event-ID": "41"})
    response = await ticker(request)
    retry, first = await text(response, 1)
    assert retry.startswith("retry: ")
    head, data = first.strip().split("\n")
    assert head == "id: 42"
    assert json.loads(data.removeprefix("data: "))["tick"] == 42
    assert response["Cache-Control"] == "no-store"
    assert response["X-Accel-Buffering"] == "no"
    assert response["Content-Type"].startswith("text/event-stream")


@pytest.mark.parametrize("value", ["", "-1", "x", "9" * 30, "1.5"])
def test_a_senseless_id_counts_as_none(value):
    request = AsyncRequestFactory().get("/", headers={"Last-Event-ID": value})
    assert last_event_id(request) is None


async def test_a_quiet_stream_beats_and_its_generator_is_closed(monkeypatch):
    monkeypatch.setattr(streams, "HEARTBEAT_SECONDS", 0.01)
    closed = []

    async def quiet():
        try:
            await asyncio.sleep(HANG_SECONDS)
            yield None, {}
        finally:
            closed.append(True)

    parts: list[bytes] = []

    async def read():
        async for part in EventStream(quiet()):
            parts.append(part)

    reading = asyncio.create_task(read())
    await eventually(lambda: b":\n\n" in parts)
    reading.cancel()  # as Django does when the client has gone
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert closed == [True]


async def test_a_stream_may_end_by_itself():
    async def two():
        yield None, "a"
        yield None, "b"

    assert [part async for part in EventStream(two())][1:] == [b'data: "a"\n\n', b'data: "b"\n\n']


async def streaming(scope, receive, send):
    """Stream until the client goes, as Django does."""
    kind = scope["kind"]
    gone = asyncio.create_task(wait_for_disconnect(receive))
    headers = [(b"Content-Type", kind)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while not gone.done():
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await asyncio.sleep(0.01)


async def wait_for_disconnect(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


async def started(kind: bytes) -> Communicator:
    client = Communicator(EventStreams(streaming), {"type": "http", "kind": kind})
    await client.send_input({"type": "http.request", "more_body": False})
    assert (await client.receive_output())["type"] == "http.response.start"
    return client


async def test_at_a_stop_streams_end_completely_and_other_responses_go_on():
    stream, download = await started(b"text/event-stream"), await started(b"text/csv")
    assert move_streams() == 1
    assert move_streams() == 0  # it is leaving already
    while (event := await stream.receive_output())["more_body"]:
        pass
    assert event["body"] == b""
    await stream.wait()
    assert not download.future.done()
    await download.send_input({"type": "http.disconnect"})
    await download.wait()
    assert not streams._open


async def test_sockets_pass_untouched():
    seen = []

    async def application(scope, receive, send):
        seen.append((receive, send))

    await EventStreams(application)({"type": "websocket"}, "receive", "send")
    assert seen == [("receive", "send")]
