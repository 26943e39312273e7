"""Log lines that a client cannot forge, and that keep its secrets."""

from __future__ import annotations

import logging
import re
import traceback

# In a request line, or an address: from "?" to what ends it.
QUERY = re.compile(r"\?[^\s'\"]*")


def printable(text: str) -> str:
    """Return ``text`` with what is no printable character escaped, newlines among it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class SafeRecord(logging.LogRecord):
    """A record of one line, whatever is in it, whoever formats it.

    Addresses are decoded where they are logged, so a client can put a newline, and a
    line of its own behind it, or a terminal's escapes into them.
    """

    _exc_text: str | None = None

    def getMessage(self) -> str:  # noqa: N802 - logging's name
        """Return the message."""
        return printable(super().getMessage())

    @property
    def exc_text(self) -> str | None:
        """The traceback; each of its lines is ours, but the exception's text may be a client's."""
        if self._exc_text is None and self.exc_info and self.exc_info[0] is not None:
            parts = traceback.format_exception(*self.exc_info)
            lines = [line for part in parts[:-1] for line in part.splitlines()]
            lines.append(parts[-1].rstrip("\n"))
            self._exc_text = "\n".join(map(printable, lines))
        return self._exc_text

    @exc_text.setter
    def exc_text(self, value: str | None) -> None:
        self._exc_text = value


class WithoutQuery(logging.Filter):
    """Takes the query string out of every address in a message: tokens travel there."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, with its message made."""
        record.msg, record.args = QUERY.sub("?…", record.getMessage()), ()
        return True


def install() -> None:
    """Make every record of this process safe."""
    logging.setLogRecordFactory(SafeRecord)
