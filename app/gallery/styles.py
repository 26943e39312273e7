"""Every card of the gallery: what it shows, where it connects, which code makes it.

``kind`` names the module in ``static/gallery/cards/`` that brings the card to life.
"""

from __future__ import annotations

from dataclasses import dataclass

MATCH = "demo"  # the match whose scores are shown
ROOM = "gallery"  # the chat room that is shown

ROUND_TRIP = "round trip"
INTERVAL = "between events"


@dataclass(frozen=True)
class Style:
    """One card."""

    slug: str
    family: str
    title: str
    sentence: str
    kind: str
    address: str
    code: tuple[str, ...]  # module:object, for gallery.source
    measure: str = ROUND_TRIP
    ask: str = ""  # what the card sends by itself; {n} counts
    say: bool = False  # has a field for a text of one's own
    needs: str = ""  # "login" or "staff"


STYLES = (
    Style(
        slug="echo",
        family="S1 · plain ASGI view",
        title="Echo",
        sentence="An async view beside path() in the URLconf; what you send comes back.",
        kind="ask",
        address="/ws/echo/",
        code=("showcase.sockets:echo",),
        ask="echo {n}",
        say=True,
    ),
    Style(
        slug="hello",
        family="S1 · plain ASGI view",
        title="Hello and close",
        sentence="Says hello and closes: it is meant to end.",
        kind="once",
        address="/ws/hello/",
        code=("showcase.sockets:hello",),
    ),
    Style(
        slug="ticker",
        family="S1 · plain ASGI view",
        title="Ticker",
        sentence="Sends every second, unasked, for as long as the page listens.",
        kind="push",
        address="/ws/ticker/",
        code=("showcase.sockets:ticker",),
        measure=INTERVAL,
    ),
    Style(
        slug="ping",
        family="S2 · Channels",
        title="Ping pong",
        sentence="A consumer that answers PING with PONG.",
        kind="ask",
        address="/ws/ping/",
        code=("showcase.consumers:PingConsumer",),
        ask="PING",
    ),
    Style(
        slug="scores",
        family="S2 · Channels group",
        title="Live scores, pushed",
        sentence="One writes, every watcher's socket hears of it at once, on any worker.",
        kind="push",
        address=f"/ws/scores/{MATCH}/",
        code=("scores.consumers:ScoresConsumer",),
        measure=INTERVAL,
    ),
    Style(
        slug="polling",
        family="The comparison",
        title="Live scores, polled",
        sentence="The same match by asking every 5 seconds: most requests learn nothing.",
        kind="poll",
        address=f"/scores/{MATCH}/state/",
        code=("scores.views:state",),
    ),
    Style(
        slug="raw",
        family="S2 · raw ASGI",
        title="Ping pong, bare",
        sentence="Three arguments and a loop beside Django's application; no package at all.",
        kind="ask",
        address="/ws/raw/",
        code=("showcase.raw:raw_ping",),
        ask="ping",
    ),
    Style(
        slug="lower-case",
        family="S3 · decorator API",
        title="Lower case",
        sentence="A synchronous view of a legacy site, unchanged; it may wait in its own thread.",
        kind="ask",
        address="/legacy/lower-case/",
        code=("showcase.legacy:lower_case",),
        ask="MESSAGE {n}",
        say=True,
    ),
    Style(
        slug="echo-once",
        family="S3 · decorator API",
        title="Echo once",
        sentence="Returns one message and is done; the same view answers plain HTTP.",
        kind="once",
        address="/legacy/echo-once/",
        code=("showcase.legacy:echo_once",),
        ask="once {n}",
    ),
    Style(
        slug="sse-ticker",
        family="Server-Sent Events",
        title="Ticker by HTTP",
        sentence="One response that never ends; a browser that lost it resumes where it was.",
        kind="events",
        address="/events/ticker/",
        code=("showcase.events:ticker",),
        measure=INTERVAL,
    ),
    Style(
        slug="sse-notifications",
        family="Server-Sent Events",
        title="Admin changes by HTTP",
        sentence="What others change in the admin, as far as you may see it.",
        kind="events",
        address="/events/notifications/",
        code=("showcase.events:notifications",),
        measure=INTERVAL,
        needs="staff",
    ),
    Style(
        slug="notifications",
        family="S5 · a server of its own",
        title="Admin changes by socket",
        sentence="A websockets server beside Django; the first message is a token of 30 seconds.",
        kind="push",
        address="/ws/notifications/",
        code=(
            "notifications.server:NotificationServer._serve",
            "notifications.clients:Clients._send",
        ),
        measure=INTERVAL,
        needs="staff",
    ),
    Style(
        slug="chat",
        family="S4 · Channels in production",
        title="Chat",
        sentence="Stored first, then told: a room that loses nothing, here in small.",
        kind="chat",
        address=f"/ws/chat/{ROOM}/",
        code=("chat.consumers:ChatConsumer.chat_message", "chat.consumers:ChatConsumer.deliver"),
        say=True,
        needs="login",
    ),
)
