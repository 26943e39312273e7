"""A requirements file of pip and all that it includes, none of it from outside of the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tandem.ops.adopt.findings import AdoptError
from tandem.ops.bounded.files import LOCK_BYTES, read_text, within

INCLUDE = re.compile(r"(?:-r|--requirements?|-c|--constraints?)[ =\t]*(\S.*)")
FOLDER = re.compile(r"(?:-e|--editable|-f|--find-links)[ =\t]*(\S.*)")
# Behind a name and an @, or alone.
ADDRESS = re.compile(r"(?:[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*)?((?:git\+)?file:\S*|[./~]\S*)")
MOST = 200


def included(file: Path, source: Path) -> dict[Path, str]:
    """Return each file that is read for ``file``, itself first, with its text.

    Raises ``AdoptError`` for one that is not in ``source``, and for what a line takes from
    elsewhere on this machine; what it takes from the network is the index' or the author's affair.
    """
    texts: dict[Path, str] = {}
    waiting = [(file, f"{file}")]
    while waiting:
        one, named = waiting.pop()
        try:
            place = within(one, source)
            if place in texts:
                continue
            texts[place] = read_text(place, source, LOCK_BYTES)
        except OSError as error:
            raise AdoptError(f"{named}: {one} {error.strerror}") from None
        if len(texts) > MOST:
            raise AdoptError(f"{file} includes more than {MOST} files")
        if place.suffix in (".txt", ".in", ".pip", ""):
            waiting += [
                (place.parent / name, f"{place}:{line}")
                for line, name in _included(texts[place], place, source)
            ]
    return texts


def _included(text: str, file: Path, source: Path) -> Iterator[tuple[int, str]]:
    for number, line in _lines(text):
        include, folder = INCLUDE.fullmatch(line), FOLDER.fullmatch(line)
        led = ADDRESS.match(folder[1] if folder else line)
        if include and not re.match(r"https?:", include[1]):
            yield number, re.sub(r"^file:(//)?", "", include[1].strip())
        elif not include and led:
            _stays(led[1], file, number, source)


def _stays(address: str, file: Path, number: int, source: Path) -> None:
    """Refuse the address of a folder or a package that is not in ``source``."""
    path = re.sub(r"^(git\+)?file:(//)?|[\[#;@].*", "", address)
    leads = file.parent / path
    if "~" in path[:1] or not leads.resolve().is_relative_to(source.resolve()):
        raise AdoptError(f"{file}:{number}: {address} leads out of {source}; take the line out")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Give logical lines with their numbers, without comments."""
    start, whole = 1, ""
    for number, line in enumerate(text.splitlines(), 1):
        whole += line
        if whole.endswith("\\"):
            whole = whole[:-1]
            continue
        yield start, re.sub(r"(^|\s)#.*", "", whole).strip()
        start, whole = number + 1, ""
    yield start, re.sub(r"(^|\s)#.*", "", whole).strip()
