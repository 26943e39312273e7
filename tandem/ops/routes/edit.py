"""Change ``routes.yml`` as a careful hand would: its comments, order and blank lines stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import yaml

from tandem.ops.routes.model import Route, RoutesError, parse

Value = str | int | bool | None


def change(text: str, file: str, path: str, values: Mapping[str, Value]) -> str:
    """Return ``text`` with the ``values`` of the route ``path``; ``None`` takes a key out.

    A path without a route gets one, at the end.  Raises ``RoutesError`` where the result is
    not what was asked for, or is not allowed.
    """
    before = {route.path: route for route in parse(text, file)}
    changed = _change(text, path, values) if path in before else _append(text, path, values)
    after = {route.path: route for route in parse(changed, file)}
    wanted = dict(before)
    if path not in wanted:
        wanted[path] = Route(path, str(values["upstream"]))
    defaults = Route(path, wanted[path].upstream)
    given = {k: getattr(defaults, k) if v is None else v for k, v in values.items()}
    wanted[path] = replace(wanted[path], **given)  # type: ignore[arg-type]
    if after != wanted:
        raise RoutesError(f"{file}: the route {path} is written in a way that only you can change")
    return changed


def written(value: Value) -> str:
    """Return ``value`` as YAML has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _append(text: str, path: str, values: Mapping[str, Value]) -> str:
    lines = [
        f"- path: {path}",
        *(f"  {k}: {written(v)}" for k, v in values.items() if v is not None),
    ]
    return text.rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"


def _node(text: str, path: str) -> yaml.MappingNode:
    document = yaml.compose(text)
    assert document is not None  # noqa: S101 # it was parsed before
    for node in document.value:
        for key, value in node.value:
            if key.value == "path" and value.value == path:
                return node
    raise LookupError(path)


def _change(text: str, path: str, values: Mapping[str, Value]) -> str:
    for key, value in values.items():
        node = _node(text, path)
        text = (_flow if node.flow_style else _block)(text, node, key, value)
    return text


def _flow(text: str, node: yaml.MappingNode, key: str, value: Value) -> str:
    """``{path: /a/, upstream: asgi}`` is written anew."""
    words = {k.value: text[v.start_mark.index : v.end_mark.index] for k, v in node.value}
    words.pop(key, None) if value is None else words.update({key: written(value)})
    inside = ", ".join(f"{k}: {v}" for k, v in words.items())
    return f"{text[: node.start_mark.index]}{{{inside}}}{text[node.end_mark.index :]}"


def _block(text: str, node: yaml.MappingNode, key: str, value: Value) -> str:
    pairs = node.value
    for number, (k, v) in enumerate(pairs):
        if k.value != key:
            continue
        if value is not None:
            return text[: v.start_mark.index] + written(value) + text[v.end_mark.index :]
        if number == 0:  # behind the dash: the next key moves there
            return text[: k.start_mark.index] + text[pairs[1][0].start_mark.index :]
        start = text.rindex("\n", 0, k.start_mark.index) + 1
        return text[:start] + text[_line_end(text, v.end_mark.index) :]
    if value is None:
        return text
    first, last = pairs[0][0], pairs[-1][1]
    end = _line_end(text, last.end_mark.index)
    line = f"{' ' * first.start_mark.column}{key}: {written(value)}\n"
    if not text[:end].endswith("\n"):
        line = f"\n{line}"
    return text[:end] + line + text[end:]


def _line_end(text: str, index: int) -> int:
    """Return the index behind the line break that follows ``index``, or the text's end."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1
