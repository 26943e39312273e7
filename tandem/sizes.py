"""The ladder of sizes of deploy/sizes.env, in bytes, for whoever has to keep to it.

``from tandem.sizes import SIZES``, then ``SIZES["ADDRESS_BYTES"]``.
"""

from __future__ import annotations

from pathlib import Path


def _file() -> Path:
    """Return deploy/sizes.env of this checkout, or of the release that this package lies in."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "deploy/sizes.env").is_file():
            return folder / "deploy/sizes.env"
    raise FileNotFoundError("deploy/sizes.env is not beside the package tandem")


def read(file: Path) -> dict[str, int]:
    """Return ``{name: bytes}`` of a file of lines ``NAME=number``."""
    lines = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
    return {name: int(value) for name, _, value in lines if not name.startswith("#")}


SIZES = read(_file())
# The shortest header is "a:" and the end of its line.
HEADER_FIELDS = SIZES["HEADERS_BYTES"] // 4
