"""Send each request to both sides, several times in alternating order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from tandem.facts import UPSTREAM_HEADER
from tandem.ops.bounded.work import TooMuchError, cpu
from tandem.ops.compare.client import Answer, Side
from tandem.ops.compare.difference import Outcome, Result, compare
from tandem.ops.compare.rules import Rules
from tandem.ops.compare.sources import SAFE, Request, Source

# For the answers of one address: patterns and pages may take as long as they like.
CPU_SECONDS = 10.0
Answers = dict[str, list[Answer]]
EDGE = "edge"


def _who(answer: Answer) -> str:
    """Return who answered: ``wsgi``, ``asgi``, ``edge``; ``""`` where answers do not tell."""
    return answer.header(UPSTREAM_HEADER.lower()).partition("@")[0]


@dataclass
class Replay:
    """How to ask, and what was left out."""

    wsgi: Side
    asgi: Side
    rules: Rules
    sent: Sequence[str] = ()  # secrets that go along
    repeat: int = 3
    concurrency: int = 2
    most: int = 100  # requests, each sent `repeat` times to both sides
    seconds: float = 300.0
    left_out: Counter[str] = field(default_factory=Counter)

    def run(self, source: Source) -> Iterator[tuple[int, Result]]:
        """Give results as they come, each with the place of its request.

        Raises ``UnreachableError`` as soon as a side cannot be reached.
        """
        until = time.monotonic() + self.seconds
        running: dict[Future[Answers], tuple[int, Request, bool]] = {}
        started = 0
        with ThreadPoolExecutor(self.concurrency) as pool:
            try:
                while True:
                    while len(running) < self.concurrency and started < self.most:
                        if time.monotonic() > until or (request := source.next()) is None:
                            break
                        running[pool.submit(self.ask, request)] = started, request, True
                        started += 1
                    if not running:
                        break
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        place, request, first = running.pop(future)
                        answers = future.result()
                        if {who for side in answers.values() for who in map(_who, side)} == {EDGE}:
                            self.left_out["what nginx answers itself, for both sides"] += 1
                            continue
                        result = self._judged(request, answers, source)
                        if first and self._doubtful(result) and time.monotonic() < until:
                            again = pool.submit(self.ask, request, answers)
                            running[again] = place, request, False
                        else:
                            yield place, result
            finally:
                pool.shutdown(cancel_futures=True)
                for side in (self.wsgi, self.asgi):
                    side.close_all()
        if started == self.most and source.next() is not None:
            self.left_out["what comes after --limit"] += 1
        elif time.monotonic() > until:
            self.left_out["what comes after --time-limit"] += 1

    def _judged(self, request: Request, answers: Answers, source: Source) -> Result:
        """Compare answers, and learn from the WSGI side's first; neither without an end.

        In the main thread, where a budget of the processor's time can be kept.
        """
        first = answers["wsgi"][0]
        try:
            with cpu(CPU_SECONDS):
                source.learn(request, first)
                if strangers := self._strangers(answers):
                    return Result(request.method, request.path, Outcome.UNDECIDED, strangers)
                sides = answers["wsgi"], answers["asgi"]
                return compare(request.method, request.path, *sides, self.rules, self.sent)
        except (TooMuchError, RecursionError, AssertionError, ValueError) as error:
            why = f"the answers cannot be compared: {error or type(error).__name__}"
            return Result(request.method, request.path, Outcome.UNDECIDED, why)

    def _doubtful(self, result: Result) -> bool:
        """Tell whether to ask as often again: a clock may have struck between the two sides."""
        asked = self.repeat > 1 and not result.reason and result.method in SAFE
        return asked and result.verdict is Outcome.DIFFERENT

    def ask(self, request: Request, before: Answers | None = None) -> Answers:
        """Return the answers of both sides, behind those of ``before``."""
        answers: Answers = {side: list((before or {}).get(side, ())) for side in ("wsgi", "asgi")}
        for turn in range(self.repeat):
            # Whoever comes second finds caches warm: take turns.
            for side in (self.wsgi, self.asgi)[:: 1 if turn % 2 == 0 else -1]:
                answers[side.name].append(side.ask(request.method, request.path))
            if any(side[-1].error for side in answers.values()):
                break  # it will not get better, and each try may take as long as it may
        return answers

    def _strangers(self, answers: Answers) -> str:
        """Return a sentence where the other side answered than the one that was asked."""
        for name, own in answers.items():
            for answer in own:
                who = _who(answer)
                if who in answers and who != name:
                    return (
                        f"asked for {name}, but {who} answered:"
                        f" the route cannot be forced, or {name} is down"
                    )
        return ""
