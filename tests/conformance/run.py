"""Run many cases side by side, so that a whole profile takes seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from tests.conformance.case import Case
from tests.conformance.endpoint import Endpoint
from tests.conformance.peer import connected

Outcomes = dict[str, BaseException | None]


async def run_case(endpoint: Endpoint, case: Case) -> None:
    """Run one case; raises what is wrong."""
    async with connected(endpoint) as peer:
        if case.opened:
            await peer.opens()
        await case.run(peer)


async def _run_all(endpoint: Endpoint, cases: list[Case]) -> Outcomes:
    turns = asyncio.Semaphore(endpoint.profile.at_once)

    async def outcome(case: Case) -> BaseException | None:
        async with turns:
            try:
                await run_case(endpoint, case)
            except TimeoutError as error:
                return AssertionError(f"the server did not answer in time: {error!r}")
            except (AssertionError, OSError, EOFError, ValueError, asyncio.LimitOverrunError) as e:
                return e
        return None

    found = await asyncio.gather(*(outcome(case) for case in cases))
    return {case.id: error for case, error in zip(cases, found, strict=True)}


def run_all(endpoint: Endpoint, cases: Iterable[Case]) -> Outcomes:
    """Run ``cases`` and return, by id, what is wrong."""
    return asyncio.run(_run_all(endpoint, list(cases)))
