"""Work on what others wrote that ends: by itself, or at a bound of time and memory."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, TypeVar, cast

CPU_SECONDS = 60
WALL_SECONDS = 600.0  # for a file system that hangs
MEMORY_BYTES = 1 << 30
T = TypeVar("T")


class TooMuchError(Exception):
    """The bound was reached, or the work broke; a sentence says which."""


def call(
    function: Callable[..., T],
    *arguments: Any,
    seconds: int = CPU_SECONDS,
    memory: int = MEMORY_BYTES,
    expected: tuple[type[Exception], ...] = (),
) -> T:
    """Return what ``function`` returns in a process of its own, which cannot outgrow its bounds.

    ``seconds`` are of the processor, ``memory`` is bytes of data.  Raises ``expected`` errors
    as they are, and ``TooMuchError`` for all else.
    """
    here, there = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(
        target=_work, args=(there, function, arguments, seconds, memory)
    )
    process.start()
    there.close()
    answer: tuple[Any, BaseException | None]
    try:
        with here:
            ended = here.poll(WALL_SECONDS)
            answer = here.recv() if ended else (None, TooMuchError("it did not end"))
    except EOFError:
        process.join()
        answer = None, TooMuchError(_end(process.exitcode or 0, seconds))
    finally:
        process.kill()
        process.join()
    found, error = answer
    if error is None:
        return cast(T, found)
    if isinstance(error, TooMuchError) or isinstance(error, expected):  # noqa: SIM101 - mypy
        raise error
    said = (str(error).splitlines() or [""])[0][:200]
    raise TooMuchError(f"it cannot be understood ({type(error).__name__}: {said})")


@contextlib.contextmanager
def cpu(seconds: float) -> Iterator[None]:
    """Raise ``TooMuchError`` when this has used the processor for ``seconds``; main thread only.

    Regular expressions look for signals as well, so it ends one that would not.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooMuchError(f"it took more than {seconds:g} s of the processor")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _work(
    answers: Connection, function: Callable[..., Any], arguments: Any, seconds: int, memory: int
) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    with contextlib.suppress(ValueError, OSError):  # a lower one is in force
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: tuple[Any, BaseException | None]
    try:
        answer = function(*arguments), None
    except MemoryError:
        answer = None, TooMuchError(f"it needs more than {memory >> 20:,} MiB of memory")
    except (Exception, SystemExit) as error:  # whatever a stranger's text leads to
        answer = None, error
    answers.send(answer)


def _end(status: int, seconds: int) -> str:
    if -status == signal.SIGXCPU or -status == signal.SIGKILL:
        return f"it took more than {seconds} s of the processor"
    return f"reading it ended with {status}"
