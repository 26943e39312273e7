"""Log in through a site's own form, and keep the cookies."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from tandem.ops.compare.client import Answer, Side


class LoginError(Exception):
    """It did not work; the message says at which step."""


class Form(HTMLParser):
    """The first form that has a password field."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.user = ""
        self.password = ""
        self.complete = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the form's fields."""
        values = {name: value or "" for name, value in attrs}
        if self.complete:
            return
        if tag == "form":
            self.action, self.fields, self.user = values.get("action", ""), {}, ""
        elif tag == "input" and (name := values.get("name")):
            match values.get("type", "text").lower():
                case "password":
                    self.password = self.password or name
                case "text" | "email" | "tel" if not self.password:
                    self.user = name
                case "hidden":
                    self.fields[name] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Stop at the end of the form that asks for a password."""
        self.complete = self.complete or (tag == "form" and bool(self.password))


def log_in(side: Side, path: str, user: str, password: str, origin: str) -> dict[str, str]:
    """Return the cookies of a session.

    ``origin`` is how the site calls itself, ``https://host``, for its check of the Referer.
    Raises ``LoginError``, and ``UnreachableError`` as ``Side.ask`` does.
    """
    page = side.ask("GET", path)
    if page.error or page.status != 200:
        raise LoginError(f"{path} answers {page.error or page.status} instead of a login page")
    form = Form()
    form.feed(page.body.decode(errors="replace"))
    if not form.password or not form.user:
        raise LoginError(f"{path} has no form with a user name and a password")
    cookies = _cookies(page)
    body = urlencode({**form.fields, form.user: user, form.password: password}).encode()
    target = urljoin(path, form.action or path)
    if not target.startswith("/") or target.startswith("//"):
        raise LoginError(f"{path}: its form would send the password to {target}")
    answer = side.ask(
        "POST",
        target,
        body,
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": header(cookies),
            "Referer": origin + path,
        },
    )
    session = _cookies(answer)
    if answer.error or answer.status not in (302, 303) or not session:
        told = answer.error or f"status {answer.status}"
        raise LoginError(f"{path} did not let {user!r} in ({told}); is the password right?")
    return {**cookies, **session}


def header(cookies: dict[str, str]) -> str:
    """Return the Cookie header."""
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def parse(text: str) -> dict[str, str]:
    """Return the cookies of a Cookie header."""
    pairs = (part.strip().partition("=") for part in text.split(";"))
    return {name: value for name, _, value in pairs if name}


def _cookies(answer: Answer) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in answer.headers:
        if name == "set-cookie":
            found |= parse(value.partition(";")[0])
    return found
