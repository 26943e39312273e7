"""Tasks that must not end."""

from __future__ import annotations

import asyncio

import pytest

from tandem import background
from tandem.background import failing, lasting
from tandem.health import checks
from tests.machine import HANG_SECONDS


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(background, "FIRST_WAIT_SECONDS", 0)


async def test_a_task_that_fails_begins_again_and_this_process_is_not_ready_meanwhile():
    begun, well = [], asyncio.Event()

    async def work() -> None:
        begun.append(len(begun))
        if len(begun) < 3:
            raise KeyError("unexpected")
        well.set()
        await asyncio.Event().wait()

    task = lasting("the sweep", work)
    await well.wait()
    assert begun == [0, 1, 2]
    assert failing == {"the sweep": "KeyError"}
    with pytest.raises(RuntimeError, match="the sweep: KeyError"):
        checks.tasks()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not failing
    checks.tasks()


async def test_it_is_well_again_when_it_has_worked_for_a_while(monkeypatch):
    monkeypatch.setattr(background, "SETTLED_SECONDS", 0)
    began = iter([True, False])
    at_work = asyncio.Event()

    async def work() -> None:
        if next(began):
            raise ValueError
        at_work.set()
        await asyncio.Event().wait()

    task = lasting("the beat", work)
    await at_work.wait()
    async with asyncio.timeout(HANG_SECONDS):
        while failing:  # noqa: ASYNC110 - it is a plain dictionary
            await asyncio.sleep(0)
    task.cancel()


async def test_a_library_that_cancels_itself_does_not_end_it():
    begun = []

    async def work() -> None:
        begun.append(1)
        if len(begun) == 1:
            raise asyncio.CancelledError

    await lasting("the hub", work)
    assert len(begun) == 2


async def test_work_that_is_done_ends_and_one_that_is_cancelled_stays_so():
    async def done() -> None: ...

    assert await lasting("short", done) is None
    endless = lasting("long", asyncio.Event().wait)
    await asyncio.sleep(0)
    endless.cancel()
    with pytest.raises(asyncio.CancelledError):
        await endless
