"""Build the archives that servers install, offline."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tandem.facts import DEBIANS, NEWEST_DEBIAN
from tandem.ops.asking.cli import first
from tandem.ops.checkout import engine, images, site
from tandem.ops.checkout.programs import CACHE, ROOT, Failed, Programs, command, say

DIST = ROOT / "dist"
EPILOG = """\
They come into dist/, and dist/release names what was built last; of an adopted site (SITE=folder)
into a folder that is printed. DEBIAN and RELEASE in the environment are the same as the options.
"""


def main(arguments: list[str]) -> int:
    """Run ``tandem release``; return the exit status."""
    programs = Programs.here()
    value = programs.environment.get
    place = site.named(programs.environment)
    parser = argparse.ArgumentParser(
        prog="tandem release", description=__doc__, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    usual = f"that with the site's Python, else {NEWEST_DEBIAN}" if place else "each"
    parser.add_argument(
        "--debian", nargs="*", metavar="NAME", default=(value("DEBIAN") or "").split(),
        help=f"of {', '.join(DEBIANS)}; default: {usual}",
    )  # fmt: skip
    parser.add_argument(
        "--name", default=value("RELEASE") or "", help="default: made of the commit and the changes"
    )
    options = parser.parse_args(arguments)
    return command(lambda: release(programs, place, options.debian, options.name))


def release(programs: Programs, place: Path | None, debians: list[str], name: str) -> None:
    """Build an archive for each Debian; one name is that of all."""
    for debian in debians:
        if debian not in DEBIANS:
            known = " or ".join(f"{n} ({d.version})" for n, d in reversed(DEBIANS.items()))
            raise Failed(f"DEBIAN must name {known}, got '{debian}'.")
    first(programs.environment)
    if place:
        debians = [site.debian(place, debian) for debian in debians or [""]]
    debians = debians or list(reversed(DEBIANS))
    engine.ensure(programs)
    dist, works = DIST, []
    for debian in debians:
        images.base_image(programs, debian)
        if place:
            programs.environment |= site.prepare(place, debian, programs)
            dist = Path(programs.environment["SITE_DIST"])
        # The packages of an adopted site may differ between them, and so what its own is called.
        name = name or programs.environment.get("TANDEM_RELEASE") or images.release_name(programs)
        dist.mkdir(parents=True, exist_ok=True)
        work = partial(build, programs, name, debian, dist)
        if place:
            work()  # the folder that an adopted site is built from is made anew for each Debian
        else:
            works.append(work)
    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(work) for work in works]:
            done.result()
    (dist / "release").write_text(f"{name}\n")


def build(programs: Programs, name: str, debian: str, dist: Path) -> None:
    """Build one archive."""
    log = CACHE / f"release-{debian}.log"
    shown = log.relative_to(ROOT)
    say(f"building release {name} for {debian} (log: {shown}).")
    value = programs.environment.get
    context = Path(value("SITE_CONTEXT") or ROOT)
    arguments = {
        "DEBIAN_RELEASE": debian, "TANDEM_RELEASE": name,
        "SITE_WHEELS": value("SITE_WHEELS") or "download",
        "SITE_CACHE": value("SITE_CACHE") or "own",
        "SITE_SYSTEM_PACKAGES": value("SITE_SYSTEM_PACKAGES") or "",
        "SITE_BUILD_PACKAGES": value("SITE_BUILD_PACKAGES") or "",
    }  # fmt: skip
    images.build(
        programs, log, f"building the release failed; the whole story is in {shown}.",
        "docker", "buildx", "build", "--progress=plain", "--target=release",
        f"--file={context}/docker/Dockerfile",
        *(f"--build-arg={key}={given}" for key, given in arguments.items()),
        *images.secret_options(images.secrets(programs.environment)),
        f"--output={dist}", context,
    )  # fmt: skip
    archive = dist / f"tandem-{name}-{debian}.tar.gz"
    print(archive.relative_to(ROOT) if archive.is_relative_to(ROOT / "dist") else archive)
