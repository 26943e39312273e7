"""The small programs and the check of .env, by what they print and leave."""

from __future__ import annotations

import http.server
import itertools
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from tandem.instance import probe, trial
from tandem.ops.checkout import site
from tandem.ops.checkout.programs import Failed
from tandem.ops.checkout.site import environment_of
from tests.machine import HANG_SECONDS
from tests.stack import ROOT

SETTINGS = [sys.executable, "-m", "tandem", "replica", "settings"]


def listen(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tandem.instance.listen", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_a_server_gets_its_socket_as_from_systemd(tmp_path: Path):
    path = tmp_path / "s.sock"
    path.touch()  # left behind by a killed predecessor
    code = (
        "import os, socket; s = socket.socket(fileno=3);"
        "print(s.getsockname(), os.environ['LISTEN_FDS'],"
        " os.environ['LISTEN_PID'] == str(os.getpid()))"
    )
    done = listen(str(path), sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    assert "1 True" in done.stdout
    assert path.is_socket()
    assert path.stat().st_mode & 0o777 == 0o660


def test_a_missing_folder_is_named(tmp_path: Path):
    done = listen(str(tmp_path / "no" / "s.sock"), "true")
    assert done.returncode == 1
    assert "its folder must exist and be writable" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_server_is_named(tmp_path: Path):
    done = listen(str(tmp_path / "s.sock"), "no-such-server")
    assert done.returncode == 1
    assert "cannot start no-such-server: No such file" in done.stderr


@pytest.fixture
def unix_server(tmp_path: Path):
    """Give a path at which a server answers 200 on /good/ and 503 elsewhere."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/good/" else 503)
            self.end_headers()
            self.wfile.write(b"because")

        def address_string(self) -> str:
            return "unix"

        def log_message(self, *args) -> None:
            pass

    class Server(http.server.HTTPServer):
        address_family = socket.AF_UNIX

        def server_bind(self) -> None:
            self.socket.bind(self.server_address)

    server = Server(str(tmp_path / "s.sock"), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield str(tmp_path / "s.sock")
    server.shutdown()
    server.server_close()


def test_the_probe_says_what_was_answered(unix_server: str, monkeypatch):
    monkeypatch.setattr(probe, "current", lambda name: Path(unix_server))
    assert probe.probe("wsgi@1", "/good/") == (200, "because")
    with pytest.raises(SystemExit, match="wsgi@1 answers 503 on /bad/: because"):
        probe.main(["wsgi@1", "/bad/"])


def test_an_instance_is_watched_before_it_gets_visitors(unix_server: str, monkeypatch):
    monkeypatch.setattr(trial, "PROMPT_SECONDS", HANG_SECONDS)
    monkeypatch.setattr(probe, "current", lambda name: Path(unix_server))
    assert "answers 503 on /health/live/: because" in trial.complaint("wsgi@trial")
    live, ready = (200, ""), (503, '{"checks": {"database": "ok", "migrations": "1 to run"}}')
    monkeypatch.setattr(trial, "probe", lambda _, path: live if "live" in path else ready)
    assert trial.complaint("wsgi@trial") == ""  # the database is migrated after the trial
    broken = (503, '{"checks": {"database": "gone", "migrations": "ok"}}')
    monkeypatch.setattr(trial, "probe", lambda _, path: live if "live" in path else broken)
    assert "/health/ready/" in trial.complaint("wsgi@trial")


def told(monkeypatch, *took: float) -> None:
    """Have an instance answer, on a clock of its own, after so many seconds each; then at once."""
    clock, seconds = [0.0], iter(took)

    def answer(*_) -> tuple[int, str]:
        clock[0] += next(seconds, 0.0)
        return 200, ""

    def sleep(wait: float) -> None:
        clock[0] += wait

    monkeypatch.setattr(trial, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    monkeypatch.setattr(trial, "probe", answer)


def test_an_instance_that_always_answers_slowly_is_not_good_enough(monkeypatch):
    told(monkeypatch, *[3.5] * 100)
    with pytest.raises(SystemExit, match=r"not get ready within 60 s: it took 3.5 s .*/live/"):
        trial.main(["asgi@trial"])


def test_an_instance_that_becomes_slow_is_not_good_enough(monkeypatch):
    told(monkeypatch, 0, 0, *[3.5] * 3)
    with pytest.raises(SystemExit, match=r"was ready and then failed: it took 3\.5 s"):
        trial.main(["asgi@trial"])


def test_one_late_answer_is_a_busy_machines(monkeypatch):
    told(monkeypatch, 3.5, 0, 0, 0, 0, 3.5, 3.5)
    trial.main(["asgi@trial"])


def test_an_instance_that_hangs_is_not_good_enough(monkeypatch):
    told(monkeypatch)
    answers = itertools.chain([(200, "")] * 2, itertools.repeat(TimeoutError("timed out")))

    def answer(*_) -> tuple[int, str]:
        if isinstance(found := next(answers), Exception):
            raise found
        return found

    monkeypatch.setattr(trial, "probe", answer)
    with pytest.raises(SystemExit, match="does not answer on /health/live/: timed out"):
        trial.main(["asgi@trial"])


def test_the_probe_keeps_trying_for_as_long_as_it_is_told(monkeypatch):
    answers = iter([(503, "not yet"), (503, "not yet"), (200, "")])
    monkeypatch.setattr(probe, "probe", lambda *_: next(answers))
    probe.main(["wsgi@1", "/late/", str(HANG_SECONDS)])


def test_the_probe_does_not_wait_for_a_process_that_has_ended(tmp_path: Path, monkeypatch):
    gone = subprocess.Popen(["true"])
    gone.wait()
    monkeypatch.setenv("MAINPID", str(gone.pid))
    monkeypatch.setattr(probe, "current", lambda name: tmp_path / "none.sock")
    with pytest.raises(SystemExit, match="wsgi@1 has ended instead of answering"):
        probe.main(["wsgi@1", "/", str(HANG_SECONDS)])


def test_the_probe_says_that_nothing_listens(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(probe, "current", lambda name: tmp_path / "gone.sock")
    with pytest.raises(SystemExit, match=r"wsgi@1: .*No such file"):
        probe.main(["wsgi@1", "/"])


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("HTTPS_PORT", "99999", "must be a port from 1 to 65535, got '99999'"),
        ("HTTP_PORT", "", "must be a port"),
        ("SERVER_NAMES", "a b", "must be host names separated by commas"),
        ("BIND_ADDRESS", "localhost", "must be an IPv4 address"),
        ("COMPOSE_PROJECT_NAME", "My Site", "must be lower-case letters"),
        ("WSGI_WORKERS", "0", "a whole number from 1 to 32, got '0'"),
        ("STOP_SECONDS", "30", "STOP_SECONDS (30) must be at least 30 more than"),
    ],
)
def test_a_wrong_setting_is_refused_in_a_sentence(variable: str, value: str, complaint: str):
    done = subprocess.run(
        SETTINGS,
        cwd=ROOT,
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"{variable} " in done.stderr
    assert complaint in done.stderr


def test_the_shipped_settings_are_accepted():
    subprocess.run(SETTINGS, cwd=ROOT, check=True)


def test_a_bench_that_is_not_there_is_told():
    done = subprocess.run(
        ["make", "bench", "B=nope"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("tandem: there is no bench 'nope'; B is one of: styles ")


@pytest.mark.parametrize("text", ["name: shop\n", 'name: "shop" # ours\n'])
def test_the_stack_of_a_site_has_its_name(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(site, "CONTEXTS", tmp_path / "none is laid out yet")
    (tmp_path / "tandem.yml").write_text(f"{text}settings: shop.settings\n")
    found = environment_of(tmp_path, {"NOTIFY_INSTANCES": "1"})
    assert found == {"COMPOSE_PROJECT_NAME": "tandem-shop", "NOTIFY_INSTANCES": "1"}
    assert environment_of(tmp_path, {"COMPOSE_PROJECT_NAME": "mine"}) == {
        "COMPOSE_PROJECT_NAME": "mine", "NOTIFY_INSTANCES": "0",
    }  # fmt: skip


def test_no_path_is_taken_for_the_name_of_a_site(tmp_path: Path):
    (tmp_path / "tandem.yml").write_text("name: ../../evil\nsettings: shop.settings\n")
    with pytest.raises(Failed, match="name"):
        environment_of(tmp_path, {})
