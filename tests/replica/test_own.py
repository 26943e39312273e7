"""What a run makes is gone afterwards, however it ends, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.own import left, owned, remove
from tests.stack import Stack


class Scratch(Stack):
    what = "scratch"


class Neighbour(Stack):
    what = "scratched"


def make_one_of_each(stack: Stack, image: str) -> None:
    """Make a container, a network and a volume, named as Compose and the tests do."""
    name = stack.project
    stack.run("docker", "network", "create", f"{name}_default")
    stack.run("docker", "volume", "create", f"{name}_data")
    stack.run("docker", "create", "--name", f"{name}-app-1", "--network", f"{name}_default",
              "--volume", f"{name}_data:/data", image)  # fmt: skip


@pytest.fixture
def neighbour(stack: Stack) -> Iterator[Neighbour]:
    """Give a stack whose name begins alike."""
    other = Neighbour()
    make_one_of_each(other, f"{stack.project}-redis")
    yield other
    remove(other)


@pytest.mark.parametrize("end", [RuntimeError, KeyboardInterrupt])
def test_what_a_run_made_goes_with_it_and_nothing_of_others(
    stack: Stack, neighbour: Neighbour, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
):
    monkeypatch.delenv("KEEP_STACK", raising=False)
    scratch, others = Scratch(), left(neighbour)
    assert [len(names) for names in others.values()] == [1, 1, 1]
    make_one_of_each(scratch, f"{stack.project}-redis")  # what a killed run has left

    def run() -> None:
        with owned(scratch):
            assert not any(left(scratch).values())
            make_one_of_each(scratch, f"{stack.project}-redis")
            raise end

    with pytest.raises(end):
        run()
    assert not any(left(scratch).values())
    assert left(neighbour) == others


def test_a_stack_is_kept_when_asked_for(stack: Stack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEEP_STACK", "1")
    scratch = Scratch()
    try:
        with owned(scratch):
            make_one_of_each(scratch, f"{stack.project}-redis")
        there = left(scratch)
        with owned(scratch):
            assert left(scratch) == there
        assert [len(names) for names in there.values()] == [1, 1, 1]
    finally:
        remove(scratch)


def test_two_runs_do_not_share_a_stack(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEEP_STACK", "1")
    with owned(Scratch()), pytest.raises(RuntimeError, match="another run tests"), owned(Scratch()):
        pass
