"""Sockets that nginx passes over: real ones, in a folder of the test's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.instance import handover
from tandem.instance.address import alive, current
from tandem.instance.handover import away, back, place


@pytest.fixture
def two(tmp_path: Path) -> Iterator[dict[str, socket.socket]]:
    """Listen as asgi@1 and asgi@2."""
    listeners = {}
    for name in ("asgi@1", "asgi@2"):
        listeners[name] = socket.socket(socket.AF_UNIX)
        listeners[name].bind(str(tmp_path / f"{name}.sock"))
        listeners[name].listen(4)
    yield listeners
    for listener in listeners.values():
        listener.close()


def test_an_instance_that_is_away_refuses_and_can_still_be_asked(two, tmp_path: Path):
    queued = socket.socket(socket.AF_UNIX)
    queued.connect(str(tmp_path / "asgi@1.sock"))  # before it goes: is served
    assert away("asgi@1", tmp_path)
    with pytest.raises(ConnectionRefusedError):
        socket.socket(socket.AF_UNIX).connect(str(tmp_path / "asgi@1.sock"))
    assert alive(current("asgi@1", tmp_path))
    accepted, _ = two["asgi@1"].accept()
    queued.sendall(b"x")
    assert accepted.recv(1) == b"x"


def test_back_undoes_it_and_both_can_be_repeated(two, tmp_path: Path):
    for _ in range(2):
        away("asgi@1", tmp_path)
        away("asgi@1", tmp_path)
        back("asgi@1", tmp_path)
        back("asgi@1", tmp_path)
        assert alive(tmp_path / "asgi@1.sock")
        assert current("asgi@1", tmp_path) == tmp_path / "asgi@1.sock"


def test_the_last_of_a_kind_stays(two, tmp_path: Path):
    assert away("asgi@1", tmp_path)
    assert not away("asgi@2", tmp_path)
    assert alive(tmp_path / "asgi@2.sock")


def test_a_release_that_is_tried_is_nobodys_deputy(two, tmp_path: Path):
    (tmp_path / "asgi@2.sock").rename(tmp_path / "asgi@trial.sock")
    assert alive(tmp_path / "asgi@trial.sock")
    assert not away("asgi@1", tmp_path)


def test_what_a_reboot_or_a_new_socket_left_behind_is_not_put_in_place(two, tmp_path: Path):
    away("asgi@1", tmp_path)
    (tmp_path / "asgi@1.sock").unlink()
    fresh = socket.socket(socket.AF_UNIX)
    fresh.bind(str(tmp_path / "asgi@1.sock"))
    fresh.listen(1)
    back("asgi@1", tmp_path)
    socket.socket(socket.AF_UNIX).connect(str(tmp_path / "asgi@1.sock"))
    fresh.accept()


def test_a_new_process_waits_aside_only_if_others_serve(two, tmp_path: Path):
    assert place("asgi@1", tmp_path) == tmp_path / "draining/asgi@1.sock"
    two["asgi@2"].close()
    assert place("asgi@1", tmp_path) == tmp_path / "asgi@1.sock"


@pytest.fixture
def firewall(monkeypatch) -> dict[str, str]:
    """Stand in for nft, which needs root and a kernel: its map, as tests/servers meet it."""
    elements: dict[str, str] = {}

    def nft(command: str, element: str = "") -> str:
        if command == "add":
            port, target = element.strip("{ }").split(" : ")
            assert elements.setdefault(port, target) == target  # as nft: "File exists"
        elif command == "delete":
            elements.pop(element.strip("{ }").split(" : ")[0])
        return ", ".join(f"{port} : {target}" for port, target in elements.items())

    monkeypatch.setattr(handover, "nft", nft)
    return elements


def test_connections_for_a_port_that_is_away_go_to_its_neighbour(firewall):
    assert handover.tcp_away("8201", here=2, everywhere=4)
    assert firewall == {"8201": "8202"}
    handover.divert("8201", None)
    handover.divert("8201", None)
    assert firewall == {}


def test_connections_are_refused_where_no_neighbour_is_left(firewall):
    handover.tcp_away("8201", here=2, everywhere=4)
    handover.tcp_away("8202", here=2, everywhere=4)
    assert firewall == {"8201": "1", "8202": "1"}
    assert handover.tcp_away("8101", here=1, everywhere=2)
    assert firewall["8101"] == "1"


def test_the_last_port_of_all_servers_stays(firewall):
    assert not handover.tcp_away("8101", here=1, everywhere=1)
    assert handover.tcp_away("8201", here=2, everywhere=2)
    assert not handover.tcp_away("8202", here=2, everywhere=2)
    assert firewall == {"8201": "8202"}


def test_the_folder_admits_instances_whatever_the_umask(tmp_path: Path):
    before = os.umask(0o077)
    try:
        handover.make(tmp_path / "sockets")
        handover.make(tmp_path / "sockets")
    finally:
        os.umask(before)
    assert (tmp_path / "sockets").stat().st_mode & 0o777 == 0o755
