"""What the resolver calls at an address: a function, a class, something around either."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial, partialmethod
from pathlib import Path
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.db import connections

from tandem.ops.checks.consumers import lacks_as_asgi
from tandem.ops.checks.finding import NOT_READY, Finding, Place, kind
from tandem.ops.checks.site import Site

ATOMIC = kind(
    "W042",
    "ATOMIC_REQUESTS with an asynchronous view",
    why="Django raises RuntimeError: it cannot wrap such a view in a transaction.",
    cure="@transaction.non_atomic_requests on the view, or a synchronous one.",
    cost="The view's writes are no longer one transaction, unless one function by sync_to_async"
    " holds them together.",
    verdict=NOT_READY,
)
DRF = kind(
    "W043",
    "Asynchronous view of Django REST framework",
    why="REST framework calls handlers synchronously: this one returns a coroutine instead of a"
    " response, and fails.",
    cure="Write it as def, which serves well under ASGI; or take adrf's classes.",
    cost="A thread per request, as under WSGI.",
    verdict=NOT_READY,
)
WRAPPED = kind(
    "W046",
    "Synchronous decorator on an asynchronous view",
    why="Django sees a synchronous view and gets a coroutine for a response: the page fails.",
    cure="Write the decorator for both (asgiref.sync.iscoroutinefunction tells which), or await"
    " in it.",
    cost="None.",
    verdict=NOT_READY,
)


@dataclass(frozen=True)
class View:
    """What answers at an address.

    ``target`` is the function or class that somebody wrote; ``callback`` what Django calls.
    ``spans`` are the lines of code that a visit may run, as far as that is evident.
    """

    name: str
    target: Any
    callback: Callable[..., Any]
    asynchronous: bool
    place: Place | None
    spans: tuple[tuple[Path, int, int], ...]

    def covers(self, place: Place) -> bool:
        """Tell whether ``place`` is code of this view."""
        return any(
            place.file == file and first <= place.line <= last for file, first, last in self.spans
        )


def view_of(callback: Any, site: Site) -> View:
    """Return what ``callback`` of a URL pattern is."""
    target = unwrapped(callback)
    if not isinstance(target, type) and not site.owns_object(target):
        behind = list(_behind(target, site))
        target = behind[0] if len(behind) == 1 else target
    else:
        behind = []
    spans = [span for thing in behind or [target] for span in _spans(thing, site)]
    name = getattr(target, "__qualname__", type(target).__qualname__)
    module = getattr(target, "__module__", "") or ""
    place = Place(spans[0][0], spans[0][1]) if spans else None
    return View(
        f"{module}.{name}",
        target,
        callback,
        bool(iscoroutinefunction(callback)),
        place,
        tuple(spans),
    )


def unwrapped(callback: Any) -> Any:
    """Return the function or class behind decorators, partials, ``as_view()`` and viewsets."""
    for _ in range(50):
        for name in ("cls", "view_class", "consumer_class"):  # REST framework, Django, Channels
            if isinstance(getattr(callback, name, None), type):
                return getattr(callback, name)
        if isinstance(callback, partial | partialmethod):
            callback = callback.func
        elif hasattr(callback, "__wrapped__"):
            callback = callback.__wrapped__
        else:
            break
    return callback


def _behind(target: Any, site: Site) -> Iterator[Any]:
    """Give the site's functions that a framework's view calls: closures, django-ninja's own way."""
    holders = [getattr(target, "__self__", None)]
    holders += [c.cell_contents for c in getattr(target, "__closure__", None) or () if _filled(c)]
    for holder in holders:
        operations = getattr(holder, "operations", None)
        functions = [holder, *(operations if isinstance(operations, list | tuple) else ())]
        for function in functions:
            function = getattr(function, "view_func", function)
            if inspect.isfunction(function) and site.owns_object(function):
                yield inspect.unwrap(function)


def _filled(cell: Any) -> bool:
    try:
        return bool(cell.cell_contents is not None)
    except ValueError:  # nothing yet
        return False


def _spans(target: Any, site: Site) -> Iterator[tuple[Path, int, int]]:
    things = [target]
    if isinstance(target, type):
        things = [base for base in target.__mro__ if base is target or site.owns_object(base)]
    elif not (inspect.isfunction(target) or inspect.ismethod(target)):
        things = [type(target)]
    yield from filter(None, map(_span, things))


@cache
def _span(thing: Any) -> tuple[Path, int, int] | None:
    """Return file, first and last line of a function or class, if there is a file."""
    try:
        file = inspect.getsourcefile(thing)
        lines, first = inspect.getsourcelines(thing)
    except (TypeError, OSError):
        return None
    return (Path(file).resolve(), first, first + len(lines) - 1) if file else None


def check(site: Site, views: list[View]) -> Iterator[Finding]:
    """Judge the site's own views, each once."""
    atomic = [a for a in connections.databases if connections.databases[a].get("ATOMIC_REQUESTS")]
    done: set[Any] = set()
    for view in views:
        key = view.target if isinstance(view.target, type) else id(view.callback)
        if hasattr(view.callback, "consumer_class") or lacks_as_asgi(view.callback):  # no view
            continue
        if key in done or view.place is None or not site.owns_object(view.target):
            continue
        done.add(key)
        yield from _rest_handlers(view)
        if view.asynchronous and atomic:
            exempt: set[str] = getattr(view.callback, "_non_atomic_requests", set())
            if left := [alias for alias in atomic if alias not in exempt]:
                said = f"{view.name} is asynchronous, {', '.join(map(repr, left))} is atomic."
                yield Finding(ATOMIC, view.place, said)
        coroutine = inspect.iscoroutinefunction(view.target)
        if coroutine and not view.asynchronous and not _adapts(view.callback):
            said = f"{view.name} is a coroutine, what Django calls is not."
            yield Finding(WRAPPED, view.place, said)


def _rest_handlers(view: View) -> Iterator[Finding]:
    if not isinstance(view.target, type) or not _rest(view):
        return
    actions = getattr(view.callback, "actions", None) or {}
    for name in (*getattr(view.target, "http_method_names", ()), *actions.values()):
        handler = getattr(view.target, name, None)
        if iscoroutinefunction(handler):
            said = f"{view.name}.{name} is a coroutine."
            yield Finding(DRF, _line(handler) or view.place, said)


def _rest(view: View) -> bool:
    """Tell whether the view is REST framework's, and not of a package that made it async."""
    bases = getattr(view.target, "__mro__", ())
    modules = {base.__module__.partition(".")[0] for base in bases}
    return "rest_framework" in modules and "adrf" not in modules


def _adapts(callback: Any) -> bool:
    """Tell whether a wrapper on the way may run coroutines itself, as async_to_sync does.

    Of objects that are no functions nobody can tell: they are trusted.
    """
    for _ in range(50):
        if isinstance(callback, partial):
            callback = callback.func
            continue
        if not inspect.isfunction(callback):
            return True
        code = callback.__code__
        if {"async_to_sync", "run"} & {*code.co_names, *code.co_freevars}:
            return True
        if not hasattr(callback, "__wrapped__"):
            return False
        callback = callback.__wrapped__
    return False


def _line(handler: Any) -> Place | None:
    try:
        target = inspect.unwrap(handler)
        file = inspect.getsourcefile(target)
        return Place(Path(file).resolve(), inspect.getsourcelines(target)[1]) if file else None
    except (TypeError, OSError):
        return None
