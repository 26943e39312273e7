"""Log lines: one each, whatever a client has sent, and without its query string."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from tandem import logs

FORGED = "/ws/x\nWARNING root: all is well\x1b[2K\r\x9b31m\u2028\u202e"


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """Give a logger and what it has written."""
    before = logging.getLogRecordFactory()
    logs.install()
    out = io.StringIO()
    logger = logging.Logger("test")
    logger.addHandler(logging.StreamHandler(out))
    yield logger, out
    logging.setLogRecordFactory(before)


@pytest.mark.parametrize("how", ["argument", "text"])
def test_what_a_client_sends_is_no_line_of_its_own(written, how: str):
    logger, out = written
    if how == "argument":
        logger.warning("no WebSocket at %s", FORGED)
    else:
        logger.warning(f"no WebSocket at {FORGED}")
    assert out.getvalue() == (
        "no WebSocket at /ws/x\\nWARNING root: all is well\\x1b[2K\\r\\x9b31m\\u2028\\u202e\n"
    )


def test_the_text_of_an_exception_is_one_line_and_its_traceback_is_there(written):
    logger, out = written
    try:
        raise ValueError(FORGED)
    except ValueError:
        logger.exception("failed")
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["failed", "Traceback (most recent call last):"]
    assert lines[-1].startswith("ValueError: /ws/x\\nWARNING root")
    assert not any(line.startswith("WARNING") for line in lines)
    assert "\x1b" not in out.getvalue()


def test_words_in_any_language_stay_as_they_are(written):
    logger, out = written
    logger.warning("Ünïcode, 日本語, emoji 🙂")
    assert out.getvalue() == "Ünïcode, 日本語, emoji 🙂\n"


@pytest.mark.parametrize(
    ("format_", "arguments"),
    [
        ("Error handling request %s %s", ("GET", "/reset/?token=s3cret&x=1")),
        ("Invalid request from ip=%s: %s", ("", "Invalid HTTP request line: 'GET /?t=s3cret'")),
        ("Error handling request /?s3cret", ()),
    ],
)
def test_no_query_string_is_quoted(written, format_: str, arguments: tuple[str, ...]):
    logger, out = written
    logger.addFilter(logs.WithoutQuery())
    logger.error(format_, *arguments)
    assert "s3cret" not in out.getvalue()
    assert "request" in out.getvalue()
