"""Tell from the log of a failed build why it failed, and what helps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tandem.ops.adopt import steps
from tandem.ops.adopt.debian import COMPILER, HEADERS, LIBRARIES, MODULES, NEEDS, PROGRAMS

SHOWN = 12  # lines of the log
Tell = Callable[[re.Match[str], str], str | None]
# What Python no longer has, and since when.
GONE = {"distutils": "3.12", "imp": "3.12", "asyncore": "3.12", "cgi": "3.13", "pipes": "3.13"}


@dataclass(frozen=True)
class Cause:
    """Why a build failed: ``sentence`` names the thing and the cure, ``lines`` prove it."""

    sentence: str
    lines: tuple[str, ...]


def _known(table: dict[str, str], what: str) -> Tell:
    """Return what is said of a thing that is missing, with Debian's package if it is known."""

    def tell(found: re.Match[str], package: str) -> str | None:
        name = next(one for one in found.groups() if one)
        whose = f"{package} could not be built: " if package else ""
        # All that a known package needs, at once, and not one after the other.
        known = NEEDS.get(package.partition(" ")[0], ((), ()))[1]
        debian = dict.fromkeys([*table.get(name, "").split(), *known])
        cure = (
            f"add build_packages: [{', '.join(debian)}] to tandem.yml"
            if debian
            else f"name Debian's package that has it under build_packages in tandem.yml"
            f" ('apt-file search {name}' finds it)"
        )
        return f"{whose}{what.format(name)} is missing; {cure}"

    return tell


def _program(found: re.Match[str], package: str) -> str | None:
    """Tell of a file that is not there, if it is a program that is known."""
    return _known(PROGRAMS, "the program {}")(found, package) if found[1] in PROGRAMS else None


def _header(found: re.Match[str], package: str) -> str | None:
    name = found[1]
    last = HEADERS.get(name.rpartition("/")[2], "")  # sasl/sasl.h
    return _known({name: last, **HEADERS}, "the header {}")(found, package)


def _gone(found: re.Match[str], package: str) -> str | None:
    name = found[1]
    if name in GONE and package:
        return (
            f"{package} is too old for this Python, which has no {name} since {GONE[name]}; ask for"
            " a newer version of it, or for python: of that time in tandem.yml"
        )
    if name in ("pkg_resources", "setuptools"):
        return f"{name} is missing; add packages: ['setuptools<81'] to tandem.yml"
    if package:  # while it was built
        return (
            f"{package} could not be built: it needs {name}, and does not say so; ask for a newer"
            " version of it"
        )
    return (
        f"the site imports {name}, and nothing that it asks for brings that; add it to packages in"
        " tandem.yml"
    )


def _say(text: str) -> Tell:
    """Return a sentence with what was found and the package in it."""

    def tell(found: re.Match[str], package: str) -> str:
        groups = [one for one in found.groups() if one] or [""]
        return text.format(*groups, package=package or "a package")

    return tell


PROGRAM = r"([\w+.-]+)"
# The first that is in the log counts: what causes others is before them.
CAUSES: tuple[tuple[str, Tell], ...] = (
    (
        r"(?i)no space left on device",
        _say("the disk is full; 'docker system df' shows what could go"),
    ),
    (
        r"(?i)fatal error: Killed signal terminated program|cannot allocate memory|MemoryError$",
        _say("{package} could not be built: the memory did not suffice; give Docker more of it"),
    ),
    (
        r"(?i)certificate verify failed|invalid peer certificate|unable to get local issuer",
        _say(
            "a certificate on the way to the packages is not trusted; TANDEM_CA_BUNDLE names a"
            " file with that of your proxy (docs/replica.md)"
        ),
    ),
    (
        r"(?i)temporary failure (?:in name resolution|resolving)|could not resolve host"
        r"|network is unreachable|failed to lookup address|dns error",
        _say(
            "the packages cannot be reached from the build: there is no network, or no name server"
        ),
    ),
    (
        r"THESE PACKAGES DO NOT MATCH THE HASHES",
        _say(
            "a package is not the one that was locked; if it was made anew on purpose, delete"
            " tandem-*.lock beside tandem.yml and run it again"
        ),
    ),
    (
        r"E: Unable to locate package (\S+)",
        _say("Debian has no package {0}; correct build_packages or system_packages in tandem.yml"),
    ),
    (
        r"E: Package '?([\w.+-]+)'? has no installation candidate",
        _say("Debian has no package {0}; correct build_packages or system_packages in tandem.yml"),
    ),
    (
        r"requires a different Python: (\S+) not in '([^']+)'",
        _say(
            "{package} does not run on Python {0}, as it asks for {1}; ask for another version of"
            " it"
        ),
    ),
    (
        r"(?:fatal )?error: ([\w./+-]+\.h(?:pp)?): No such file or directory",
        _header,
    ),
    (r"Cannot open include file: '([\w./+-]+\.h)'", _header),
    (
        rf"error: command '(?:\S*/)?{PROGRAM}' failed: No such file"
        rf"|unable to execute '{PROGRAM}': No such file"
        rf"|Cannot find command '{PROGRAM}'"
        rf"|Error: {PROGRAM} executable not found"
        rf"|(?:sh|bash): (?:\d+: |line \d+: )?{PROGRAM}: (?:command )?not found"
        r"|(cmake|ninja) must be installed"
        rf"|Unknown compiler\(s\): \[\['({PROGRAM})'",
        _known(PROGRAMS, "the program {}"),
    ),
    (rf"[Ee]rror: \[Errno 2\] No such file or directory: '(?:\S*/)?{PROGRAM}'", _program),
    (
        r"(?i)can't find rust compiler|rust(?:c)? (?:compiler )?(?:is )?not (?:found|installed)"
        r"|cargo, the rust package manager, is not installed",
        _say(
            "{package} could not be built: it needs Rust; add build_packages: [cargo] to tandem.yml"
        ),
    ),
    (
        r"Can not find valid pkg-config name",
        _say(
            "{package} could not be built: the client library of MariaDB is missing; add"
            f" build_packages: [{', '.join(NEEDS['mysqlclient'][1])}] to tandem.yml"
        ),
    ),
    (
        r"(?i)make sure the libxml2 and libxslt development packages are installed",
        _say(
            "{package} could not be built: libxml2 and libxslt are missing; add"
            f" build_packages: [{', '.join(('libxml2-dev', 'libxslt1-dev', *COMPILER))}] to"
            " tandem.yml"
        ),
    ),
    (
        r"No package '([\w.+-]+)' found"
        r"|Package '?([\w.+-]+)'?,? (?:was )?not found in the pkg-config"
        r"|Dependency \"([\w.+-]+)\" not found|Dependency ([\w.+-]+) found: NO"
        r"|PackageNotFoundError: ([\w.+-]+) not found",
        _known(MODULES, "the library {}"),
    ),
    (
        r"headers or library files could not be found for ([\w]+)",
        _known(LIBRARIES, "the library {}"),
    ),
    (r"cannot find -l([\w.+-]+)", _known(LIBRARIES, "the library {}")),
    (
        r"The following required packages can not be built:\s*\*?\s*([\w.-]+)",
        _known(MODULES, "the library {}"),
    ),
    (r"ModuleNotFoundError: No module named '([\w]+)[\w.]*'", _gone),
    (
        r"No matching distribution found for (\S+)",
        _say("there is no {0} for this Python and Debian; ask for another version of it"),
    ),
    (
        r"(?:KeyError|environ\.exceptions\.ImproperlyConfigured|UndefinedValueError|MissingVariable\w*"
        r"|EnvError\w*)\W+(?:Set the |Environment variable )?[\"']?([A-Z][A-Z0-9_]{2,})\b",
        _say(
            "the site's settings read the variable {0}, which has no value; give it one under"
            " environment (or secrets) in tandem.yml"
        ),
    ),
    (
        r"(?:OperationalError|InterfaceError)\b.*(?:connection|connect)\b",
        _say(
            "the site asks a server (its database, Redis) while it is loaded, and there is none"
            " while it is built: move that into a function that is called when it serves"
        ),
    ),
    (
        r"The file '([^']+)' could not be found with <",
        _say(
            "collectstatic does not find {0}, to which a style sheet or script leads: a build of"
            " yours makes it, and include in tandem.yml has to name it if git ignores it; or the"
            " address is wrong"
        ),
    ),
    (
        r"django\.core\.exceptions\.ImproperlyConfigured: (.{1,200})",
        _say("the site's settings do not load: {0}"),
    ),
)
# Whose build or installation a line is about.
PACKAGE = re.compile(
    r"(?:Collecting|(?:Failed b|B)uilding wheel for|Running setup\.py \w+ for"
    r"|Failed to (?:download and )?build) [`']?([A-Za-z][\w.-]*(?:==[\w.+!-]+)?)"
)
STEP = re.compile(r"#(\d+) (?:\d+\.\d+(?: |$))?(.*)")
NOISE = re.compile(
    r"^\W*$|note: This|WARNING: |\[notice\]|^-+$|Looking in |^\s*[│╰]|See above for output"
)
BUILDKIT = re.compile(r"ERROR: process |\[[^]]*\d+/\d+\] ")  # what it says of a step itself
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def cause(log: str) -> Cause:
    """Return why a build failed: of BuildKit's plain progress, of pip, of uv or of the site.

    What is not known is told by the last lines of the step that failed.
    """
    lines = _failed_step(log)
    # What compilers and shells of a front end say has other cures.
    if step := steps.failed(lines):
        return Cause(step[0], tuple(step[1][-SHOWN:]))
    package = ""
    for number, line in enumerate(lines):
        if found := PACKAGE.search(line):
            package = found[1].rstrip(".").replace("==", " ")
        for pattern, tell in CAUSES:
            if (match := re.search(pattern, line)) and (sentence := tell(match, package)):
                return Cause(sentence, _around(lines, number))
    return Cause("", tuple(_matter(lines)[-SHOWN:]))


def _failed_step(log: str) -> list[str]:
    """Return the lines of the step that ended in an error, or all, without their numbers."""
    # What a build prints is a stranger's: nothing that a terminal could take for an order.
    lines = ["".join(filter(str.isprintable, ANSI.sub("", line))) for line in log.splitlines()]
    lines = [line.rstrip() for line in lines]
    failed = re.search(r"^#(\d+) ERROR", "\n".join(lines), re.M)
    steps = [STEP.fullmatch(line) for line in lines]
    if failed is None:
        return [step[2] if step else line for step, line in zip(steps, lines, strict=True)]
    said = [step[2] for step in steps if step and step[1] == failed[1]]
    return [line for line in said if not BUILDKIT.match(line)]


def _matter(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not NOISE.search(line)]


def _around(lines: list[str], number: int) -> tuple[str, ...]:
    """Return the lines that matter before line ``number``, it, and one behind."""
    before = _matter(lines[:number])[-4:]
    return (*before, lines[number], *_matter(lines[number + 1 :])[:1])
