"""Static files, uploads and the path that tells whether the site works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tandem.ops.adopt.findings import Findings
from tandem.ops.adopt.folder import Place
from tandem.ops.adopt.interpreter import Interpreter
from tandem.ops.adopt.project import Project
from tandem.ops.adopt.sockets import beginning
from tandem.ops.adopt.values import UNKNOWN, Scope, UrlPattern, plain

# Paths that are made to be asked for.
HEALTH = re.compile(
    r"^/(\w+/){0,2}(_?health(z|check|-check|_check)?|ht|ping|livez?|alive|up|status)/?$"
)


def static(scope: Scope, out: Findings) -> None:
    """Note ``static``."""
    apps = plain(scope.get("INSTALLED_APPS"))
    place = scope.places.get("INSTALLED_APPS", Place("the settings"))
    known = isinstance(apps, list | tuple) and UNKNOWN not in apps
    if known and "django.contrib.staticfiles" not in apps:
        out.found("static", False, f"django.contrib.staticfiles is not in use ({place})")
    else:
        out.found("static", True, *_serving(scope))
        _static_url(scope, out)


def _serving(scope: Scope) -> list[str]:
    middleware = plain(scope.get("MIDDLEWARE"))
    if isinstance(middleware, list | tuple) and any("whitenoise" in str(one) for one in middleware):
        place = scope.places.get("MIDDLEWARE")
        return [f"WhiteNoise may stay ({place}): nginx serves them before it is asked"]
    return ["collected when a release is built, served by nginx"]


def _static_url(scope: Scope, out: Findings) -> None:
    url, place = plain(scope.get("STATIC_URL")), scope.places.get("STATIC_URL")
    if isinstance(url, str) and url.strip("/") != "static":
        out.found("static", True, f"STATIC_URL {url} ({place}) becomes /static/")
    for name in ("STATICFILES_STORAGE", "STORAGES"):
        text = str(plain(scope.get(name)))
        if re.search(r"s3boto|S3Storage|S3Static|gcloud|azure_storage", text):
            out.decide(
                "static",
                f"{name} ({scope.places.get(name)}) puts files elsewhere than on this disk",
            )


def build(project: Project, scope: Scope, apps: list[Any], out: Findings) -> None:
    """Note ``build``: what else a release needs that is not in the repository."""
    if "compressor" in apps and plain(scope.get("COMPRESS_OFFLINE")) is True:
        place = scope.places.get("COMPRESS_OFFLINE")
        out.item(
            "build", "compress", f"pages fail without what it makes: COMPRESS_OFFLINE ({place})"
        )
    catalogs = [file for file in project.folder.files if file.parent.name == "LC_MESSAGES"]
    texts = [file for file in catalogs if file.suffix == ".po"]
    if texts and not any(file.suffix == ".mo" for file in catalogs):
        place = project.folder.place(texts[0])
        out.item("build", "compilemessages", f"translations are not compiled ({place})")
        out.item("build_packages", "gettext", f"compilemessages ({place})")


def health(project: Project, interpreter: Interpreter, scope: Scope, out: Findings) -> None:
    """Note ``health``: a path made for it, else the front page."""
    name = scope.get("ROOT_URLCONF")
    urls = interpreter.module(name) if isinstance(name, str) else None
    for path, place in _paths(urls.get("urlpatterns"), "/") if urls else ():
        if HEALTH.match(path):
            out.found("health", path, f"found in {place}")
            return
    out.found("health", "/", "no path made for it was found; the front page will do")


def _paths(patterns: Any, prefix: str, depth: int = 0) -> Iterator[tuple[str, Place]]:
    for route in patterns if isinstance(patterns, list | tuple) and depth < 8 else ():
        if isinstance(route, UrlPattern):
            text, whole = beginning(route.pattern, route.is_regex)
            if not whole:
                continue
            if not isinstance(route.target, list | tuple):
                yield prefix + text.lstrip("/"), route.place
            yield from _paths(route.target, prefix + text.lstrip("/"), depth + 1)
