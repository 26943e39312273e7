"""Figures of the pages, read from the pages: each is the one in force."""

from __future__ import annotations

import re

import pytest

from chat import consumers, feed, login
from notifications import admission, clients, hub, ledger, publish, server
from tandem import leases, streams
from tandem.instance import trial
from tandem.ops.compare.options import parser as compare_options
from tandem.ops.report.gate import Limits
from tandem.ops.routes.arguments import parser as routes_options
from tandem.revocation import watch
from tests.checkout import ROOT


def page(name: str) -> str:
    """Return a page with its lines joined."""
    return re.sub(r"\s+", " ", (ROOT / "docs" / name).read_text().replace("**", ""))


def default(name: str, option: str) -> object:
    """Return the default of an option of the command that a page describes."""
    if name == "compare.md":
        return compare_options(None).get_default(option)
    return vars(routes_options().parse_args(["move", "/a/", "--to", "asgi"]))[option]


@pytest.mark.parametrize(
    ("name", "sentence", "value"),
    [
        ("chat.md", "does not read for {} s is closed with 1013", consumers.SEND_SECONDS),
        ("chat.md", "told to the others every {} s at most", consumers.TYPING_SECONDS),
        ("chat.md", '"<token>"}}` within {} s; else 4401', login.FIRST_MESSAGE_SECONDS),
        ("notifications.md", "first, within {} s", admission.FIRST_MESSAGE_SECONDS),
        ("notifications.md", "longer than {:,} bytes", server.MESSAGE_LIMIT_BYTES),
        ("notifications.md", "the newest {} at most", server.RESUME_LIMIT),
        ("notifications.md", "Every {} s, and whenever the subscription", hub.SWEEP_SECONDS),
        ("notifications.md", "an open transaction for {} minutes", ledger.GAP_SECONDS / 60),
        ("notifications.md", "more than {} KiB unread", clients.WRITE_LIMIT_BYTES / 1024),
        ("notifications.md", "its password changed: within {} s", watch.SWEEP_SECONDS),
        ("notifications.md", "it takes at most {} s longer", 2 * publish.REDIS_SECONDS),
        ("websocket.md", "Every {} s each worker compares", watch.SWEEP_SECONDS),
        ("timeouts.md", "without events sends a comment every | {} |", streams.HEARTBEAT_SECONDS),
        ("timeouts.md", "answer the close within | 10; notify: {} |", clients.CLOSE_SECONDS),
        ("deploy.md", "It must get ready within {} s", trial.START_SECONDS),
        ("deploy.md", "answer each health check within {} s", trial.PROMPT_SECONDS),
        ("routes.md", "after `--hold` seconds ({})", "hold"),
        ("routes.md", "up to `--patience` seconds ({})", "patience"),
        ("report.md", "higher by more than `--margin` | {} |", Limits.margin),
        ("report.md", "one millisecond is forgiven | {} |", Limits.tolerance),
        ("report.md", "with `--confidence` {} for the three", Limits.confidence),
        ("compare.md", "At most `--limit` addresses ({})", "limit"),
        ("compare.md", "`--concurrency` at a time ({})", "concurrency"),
        ("compare.md", "for `--time-limit` seconds ({})", "time_limit"),
        ("compare.md", "each address `--repeat` times ({})", "repeat"),
    ],
)  # fmt: skip
def test_a_figure_of_a_page_is_the_one_in_force(name: str, sentence: str, value: object):
    if isinstance(value, str):
        value = default(name, value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    assert sentence.format(value) in page(name)


def test_the_chat_looks_every_two_seconds_for_what_the_doorbell_lost():
    assert "Every two seconds each worker asks" in page("chat.md")
    assert feed.SWEEP_SECONDS == 2


def test_two_beats_of_a_lease_may_be_lost():
    assert leases.GONE_AFTER_SECONDS > 2 * leases.BEAT_SECONDS


def test_browsers_come_back_to_a_stream_after_a_random_while():
    shortest, longest = streams.RETRY_MS
    assert shortest >= 500
    assert longest >= 2 * shortest
