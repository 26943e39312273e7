"""Helpers for consumers without a server, for reports, and for two sides to compare.

Each imports what it needs by itself: the library's tests also run where the site and what the
command needs are not (tests/library).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.channels_socket import SocketCommunicator
    from tests.unit.ops.compare.compare_sites import Pair


@pytest.fixture
def chat_socket():
    """Give a factory of sockets on the chat consumer: ``chat_socket(user, room, query)``."""
    from chat.consumers import ChatConsumer
    from tests.unit.channels_socket import SocketCommunicator

    def make(user: Any, room: str = "lobby", query: str = "after=0") -> SocketCommunicator:
        socket = SocketCommunicator(ChatConsumer.as_asgi(), f"/ws/chat/{room}/?{query}")
        socket.scope |= {"user": user, "url_route": {"kwargs": {"room": room}}}
        return socket

    return make


@pytest.fixture
def told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Give a function from lines and arguments to the report as data."""
    from tandem.ops.report import cli as report

    def tell(lines: list[str], *arguments: str) -> dict[str, Any]:
        log = tmp_path / "access.json"
        log.write_text("".join(lines))
        assert report.main([str(log), "--format", "json", *arguments]) == 0
        return json.loads(capsys.readouterr().out)

    return tell


@pytest.fixture
def sites(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Pair]:
    """Give a WSGI and an ASGI side; no settings of this checkout are in force."""
    from tests.unit.ops.compare.compare_sites import Site

    monkeypatch.chdir(tmp_path)
    for name in ("SERVER_NAMES", "TANDEM_FORCE_TOKEN_WSGI", "TANDEM_FORCE_TOKEN_ASGI"):
        monkeypatch.delenv(name, raising=False)
    pair = Site(), Site()
    yield pair
    for site in pair:
        site.shutdown()
        site.server_close()


@pytest.fixture
def compare(
    sites: Pair, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Give a function that compares paths, or what the arguments say, on both sides."""
    from tandem.ops.compare import cli

    def run(paths: str | list[str], *arguments: str) -> tuple[int, str]:
        if isinstance(paths, str):
            (tmp_path / "list").write_text(paths)
            paths = [str(tmp_path / "list")]
        wsgi, asgi = sites
        status = cli.main([*paths, "--wsgi", wsgi.url, "--asgi", asgi.url, *arguments])
        told = capsys.readouterr()
        return status, told.out + told.err

    return run
