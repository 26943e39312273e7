"""Make equal what differs by nature: tokens, nonces, cookies' values, validators of such pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tandem.ops.compare.client import Answer
from tandem.ops.compare.rules import Rules

MASK = "*"
# A value shorter than this may well be in the page for another reason.
SHORTEST_SECRET = 8
TEXTUAL = re.compile(r"text/|[/+](json|javascript|xml|x-www-form-urlencoded|ecmascript)\b")
# Each takes time that grows with the text, not with its square: what repeats has an end.
TAG = re.compile(r"<(?:input|meta)\b[^<>]{1,4000}", re.IGNORECASE)
NAMED = re.compile(r"""\bname=["']?csrf""", re.IGNORECASE)
VALUE = re.compile(
    r"""(?P<head>\b(?:value|content)=)(?P<token>"[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE
)
TOKENS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # csrfToken: "…", csrf_token='…', "X-CSRFToken": "…"
        r"""(?P<head>csrf[\w-]{0,60}["']?\s{0,20}[:=]\s{0,20})(?P<token>"[^"]{8,}"|'[^']{8,}')""",
        r"""(?P<head>\bnonce=)(?P<token>"[^"]*"|'[^']*'|[^\s"'>]+)""",
    )
]
NONCE = re.compile(r"'nonce-([^']*)'")
# Lists whose order means nothing, by what separates their items.
LISTS = {
    "vary": ",",
    "allow": ",",
    "cache-control": ",",
    "permissions-policy": ",",
    "access-control-allow-methods": ",",
    "access-control-allow-headers": ",",
    "content-security-policy": ";",
    "content-security-policy-report-only": ";",
}
# Values that follow from the body, or from the moment.
VALIDATORS = ("etag", "last-modified", "expires", "content-md5", "digest")


@dataclass(frozen=True)
class Normal:
    """An answer without what differs by nature."""

    status: int
    headers: dict[str, list[str]]
    lines: tuple[str, ...] | None  # of a text; None: only the digest can be compared
    digest: str = ""
    masked: bool = False  # something in the body was made equal
    validators: dict[str, list[str]] = field(default_factory=dict)


def normalise(answer: Answer, rules: Rules, sent: Iterable[str] = ()) -> Normal:
    """Return the answer without what differs by nature.

    ``sent`` are secrets of the request, its cookies' values, which a page may repeat.
    """
    lines, masked = None, False
    secrets = [*sent, *_secrets(answer)]
    kind = answer.header("content-type")
    if TEXTUAL.search(kind):
        text = _text(answer, kind)
        clean = _masked(text, secrets, rules)
        masked, lines = clean != text, tuple(_lines(clean, kind, answer.whole))
    headers: dict[str, list[str]] = {}
    validators: dict[str, list[str]] = {}
    for name, value in answer.headers:
        if name not in rules.headers:
            into = validators if name in VALIDATORS else headers
            into.setdefault(name, []).append(_header(name, value, secrets, rules))
    headers = {name: sorted(values) for name, values in headers.items()}
    return Normal(answer.status, headers, lines, answer.digest, masked, validators)


def _text(answer: Answer, kind: str) -> str:
    charset = re.search(r"charset=[\"']?([\w-]+)", kind)
    try:
        return answer.body.decode(charset[1] if charset else "utf-8", errors="replace")
    except LookupError:
        return answer.body.decode("utf-8", errors="replace")


def _secrets(answer: Answer) -> list[str]:
    """Return the values that this answer alone has."""
    found = [answer.header("x-request-id")]
    found += [value.partition(";")[0].partition("=")[2] for value in _all(answer, "set-cookie")]
    for name in ("content-security-policy", "content-security-policy-report-only"):
        found += [nonce for value in _all(answer, name) for nonce in NONCE.findall(value)]
    return found


def _all(answer: Answer, name: str) -> list[str]:
    return [value for key, value in answer.headers if key == name]


def _masked(text: str, secrets: Iterable[str], rules: Rules) -> str:
    text = TAG.sub(_tag, _without(text, secrets))
    for token in TOKENS:
        text = token.sub(_mask, text)
    return _patterned(text, rules)


def _tag(found: re.Match[str]) -> str:
    """Mask <input name="csrfmiddlewaretoken" value="…">, and <meta name="csrf-token" …>."""
    return VALUE.sub(_mask, found[0], 1) if NAMED.search(found[0]) else found[0]


def _mask(found: re.Match[str]) -> str:
    return f'{found["head"]}"{MASK}"'


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(set(secrets), key=len, reverse=True):
        bare = secret.strip('"')
        if len(bare) >= SHORTEST_SECRET:
            text = text.replace(bare, MASK)
    return text


def _patterned(text: str, rules: Rules) -> str:
    for pattern in rules.patterns:
        text = pattern.sub(MASK, text)
    return text


def _lines(text: str, kind: str, whole: bool) -> list[str]:
    """Return lines that a reader can compare: JSON by value, markup tag by tag."""
    if "json" in kind and whole:
        try:
            text = json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text.splitlines()
    elif "html" in kind or "xml" in kind:
        text = text.replace("><", ">\n<")
    return text.splitlines()


def _header(name: str, value: str, secrets: Iterable[str], rules: Rules) -> str:
    if name == "set-cookie":
        return _cookie(value)
    if name == "content-type":
        return re.sub(r"\s*;\s*", "; ", value.strip().lower()).replace('"', "")
    value = _patterned(_without(NONCE.sub(f"'nonce-{MASK}'", value), secrets), rules)
    if name in LISTS:
        return _unordered(value, LISTS[name])
    return value


def _unordered(value: str, separator: str) -> str:
    """Return a list in one order; of a policy's directive the sources, too."""
    items = [item.split() for item in value.lower().split(separator)]
    found = {" ".join([item[0], *sorted(item[1:])]) for item in items if item}
    return f"{separator} ".join(sorted(found))


def _cookie(value: str) -> str:
    """Return name and attributes of a cookie; an empty value, which deletes it, is kept."""
    pair, *attributes = (part.strip() for part in value.split(";"))
    name, _, content = pair.partition("=")
    kept = MASK if content.strip('"') else '""'
    shown = sorted(
        attribute.partition("=")[0].lower() + "=" + MASK
        if attribute.lower().startswith("expires=")
        else attribute.partition("=")[0].lower() + "".join(attribute.partition("=")[1:])
        for attribute in attributes
        if attribute
    )
    return "; ".join([f"{name}={kept}", *shown])
