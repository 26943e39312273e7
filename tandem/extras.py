"""The extras of the distribution (``[project.optional-dependencies]`` of pyproject.toml)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MissingError(ModuleNotFoundError):
    """An extra is not installed; the text says which."""


@contextmanager
def needed(extra: str) -> Iterator[None]:
    """Stand around the imports of what an extra brings.

    Raises ``MissingError`` where it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name in ("", "tandem"):
            raise
        said = f"tandem: install tandem[{extra}] ({name} is missing)"
        raise MissingError(said, name=error.name) from None
