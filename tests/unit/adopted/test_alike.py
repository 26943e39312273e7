"""What replaces a site's value has the type that its code was written for."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from django.utils.functional import SimpleLazyObject

from tandem.adopted.alike import alike, replaced


class Box(dict[str, Any]):
    """A mapping as Dynaconf has them: its keys are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Text(str):
    """A text with methods of its own, as path.Path is one."""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (Path("/a"), "/b", Path("/b")),
        ("/a", Path("/b"), "/b"),
        (Text("/a"), "/b", Text("/b")),
        (("a",), ["b"], ("b",)),
        (["a"], ("b",), ["b"]),
        ({"a"}, ["b"], {"b"}),
        (Box(a=1), {"b": 2}, Box(b=2)),
        (OrderedDict(a=1), {"b": 2}, OrderedDict(b=2)),
    ],
)
def test_the_type_of_the_old_is_that_of_the_new(old, new, found):
    made = alike(old, new)
    assert made == found
    assert type(made) is type(found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, "/b"),
        ("", True),
        (1, "/b"),
        (defaultdict(list), {"b": 2}),
        (namedtuple("Pair", "a b")(1, 2), ["b"]),
        (PurePosixPath("/a"), "/b"),
        (["a"], "b"),
    ],
)
def test_what_the_old_type_cannot_hold_stays_as_it_is(old, new):
    assert alike(old, new) is new


def test_what_is_lazy_is_not_woken():
    def never() -> str:
        raise AssertionError("it would need the applications")

    lazy = SimpleLazyObject(never)
    assert alike(lazy, "/b") == "/b"
    assert replaced(lazy, lambda part, key: part) is lazy


def test_a_part_is_replaced_where_it_lies_and_the_rest_is_the_same_object():
    kept = {"x": 1}
    value = Box(a=["old", "other"], b=kept)
    new = replaced(value, lambda part, key: "new" if part == "old" else part)
    assert new == {"a": ["new", "other"], "b": kept}
    assert type(new) is Box
    assert new["b"] is kept
    assert replaced(value, lambda part, key: part) is value
