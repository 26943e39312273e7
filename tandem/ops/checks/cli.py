"""Look for what breaks, or costs, when a site's addresses move to ASGI.

Runs in the site's own Python environment; the site need not have "tandem" in INSTALLED_APPS.
docs/checks.md lists every finding.  Exits 1 where something would break, 2 where the site cannot
be loaded, else 0.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from tandem.facts import FAILED, FINE, FOUND
from tandem.ops.bounded.files import read_text

HELP = __doc__ or ""


def main(arguments: list[str]) -> int:
    """Check a site, print what was found, return the exit status."""
    given = _parser().parse_args(arguments)
    folder = Path(given.path).resolve()
    if not folder.is_dir():
        return _refuse(f"{given.path} is no folder; --path takes the one that holds manage.py.")
    settings = given.settings or os.environ.get("DJANGO_SETTINGS_MODULE") or _guess(folder)
    if not settings:
        return _refuse(
            f"no settings: {folder} has no manage.py that names them; give --settings or"
            " DJANGO_SETTINGS_MODULE."
        )
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    # The question is how the site does under ASGI.
    os.environ.setdefault("TANDEM_UPSTREAM", "asgi@1")
    sys.path.insert(0, str(folder))
    try:
        import django

        django.setup()
        from tandem.ops.checks.audit import audit
        from tandem.ops.checks.render import as_json, text

        found = audit(given.package, given.socket_paths)
    except (Exception, SystemExit) as error:  # whatever a site does when it starts
        said = str(error).strip().rstrip(".").splitlines() or [""]
        return _refuse(
            f"cannot load the site by {settings} from {folder}: {type(error).__name__}: {said[0]};"
            " it must start with this Python, environment and folder."
        )
    print(as_json(found) if given.format == "json" else text(found, given.all))
    return FOUND if found.failed else FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tandem check", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--settings", help="the settings module (default: manage.py's)")
    parser.add_argument("--path", default=".", help="the folder that holds manage.py (default: .)")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--all", action="store_true", help="show every address on its own line")
    parser.add_argument(
        "--package", action="append", default=[], metavar="NAME",
        help="an installed package to read as the site's own code; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--socket-paths", type=str.split, metavar="'PATH …'",
        help="the paths on which nginx takes WebSockets ('make check' says which)",
    )  # fmt: skip
    return parser


def _guess(folder: Path) -> str:
    """Return the settings module that ``manage.py`` sets, or nothing."""
    try:
        text = read_text(folder / "manage.py")
    except OSError:
        return ""
    found = re.search(r"DJANGO_SETTINGS_MODULE[\"']\s*,\s*[\"']([\w.]+)", text)
    return found[1] if found else ""


def _refuse(sentence: str) -> int:
    print(f"tandem: {sentence}", file=sys.stderr)
    return FAILED
