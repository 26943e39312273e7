"""The files of a site, copied out of its folder: regular ones, and none from elsewhere."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tandem.ops.adopt.findings import AdoptError
from tandem.ops.adopt.git import listed
from tandem.ops.bounded.files import RefusedError, within

# What tools leave, where no git tells.
LEFT_OUT = {".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".tox", ".cache"}
LOCKED = re.compile(r"tandem-[a-z]+\.lock")  # tandem.ops.checkout.site writes them
MOST_FILES = 200_000
MOST_FOLDERS = 200  # that are links or submodules
MOST_BYTES = 4 << 30


def files(source: Path) -> list[Path]:
    """Return what belongs to the site: what git knows, or else all but what tools leave.

    Raises ``AdoptError`` for a link that leads out of ``source``, and for too many.
    """
    return _few(_tree(source, lambda folder: listed(folder) or _walked(folder, LEFT_OUT), source))


def copy(source: Path, target: Path, include: Iterable[str] = ()) -> None:
    """Copy a site, and of what git ignores, what ``include`` names.

    Raises ``AdoptError`` as ``files``, and before anything is copied.
    """
    # The second run finds the packages that the first has locked: they are no part of the site.
    found = [f for f in files(source) if not LOCKED.fullmatch(str(f.relative_to(source)))]
    for name in include:
        one = source / name
        _inside(one, source)
        found += _few(_tree(one, _walked, source)) if one.is_dir() else [one]
    if sum(path.stat().st_size for path in found) > MOST_BYTES:
        raise AdoptError(f"the files of {source} are more than {MOST_BYTES >> 30} GiB together")
    for path in found:
        to = target / path.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)


def _tree(
    folder: Path,
    names: Callable[[Path], Iterable[Path]],
    source: Path,
    above: tuple[Path, ...] = (),
    counted: list[int] | None = None,
) -> Iterator[Path]:
    """Give the files of a folder, and of the folders that links and submodules of it are."""
    counted = [0] if counted is None else counted
    counted[0] += 1
    if counted[0] > MOST_FOLDERS:
        raise AdoptError(f"{source} has more than {MOST_FOLDERS} links to folders of its own")
    real = folder.resolve()
    for path in names(folder):
        path = folder / path.relative_to(real) if path.is_relative_to(real) else path
        if not path.exists():  # deleted since, or a link to what is on another machine
            continue
        place = _inside(path, source)
        if not path.is_dir():
            if path.is_file():  # and no pipe
                yield path
            continue
        # One that holds what is around it would never end.
        endless = any(one.is_relative_to(place) for one in (*above, real))
        if not endless and (path.is_symlink() or (path / ".git").exists()):
            yield from _tree(path, names, source, (*above, real), counted)


def _walked(folder: Path, left_out: Iterable[str] = ()) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in left_out]
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        yield from (Path(here) / name for name in [*names, *links] if name not in left_out)


def _inside(path: Path, source: Path) -> Path:
    try:
        return within(path, source)
    except RefusedError as error:
        raise AdoptError(
            f"{path} {error.strerror}; take it out, or let source in tandem.yml be a folder"
            " that holds both"
        ) from None
    except OSError as error:
        raise AdoptError(f"{path}: {error.strerror}") from None


def _few(found: Iterable[Path]) -> list[Path]:
    few: list[Path] = []
    for path in found:
        few.append(path)
        if len(few) > MOST_FILES:
            raise AdoptError(
                f"{path.parent} and what is around it are more than {MOST_FILES:,} files"
            )
    return few
