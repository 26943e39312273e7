"""Tell why a step of a front end failed: by what npm, its like and Node's programs say."""

from __future__ import annotations

import re

# The last line of docker/front-end.sh.
FAILED = re.compile(r"tandem: (the step '.*' in \S+ ended with \d+)")
CURES: tuple[tuple[str, str], ...] = (
    (r"(?i)heap out of memory", "the memory did not suffice; give Docker more of it"),
    (r"ENOSPC|(?i:no space left)", "the disk is full; 'docker system df' shows what could go"),
    (
        r"(?i)self[- ]signed certificate|unable to (?:get local issuer|verify the first)",
        "a certificate on the way to the packages is not trusted; TANDEM_CA_BUNDLE names a file"
        " with that of your proxy (docs/replica.md)",
    ),
    (
        r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|network request to",
        "the packages cannot be reached from the build",
    ),
    (
        r"No matching version found for node-",
        "the registry has no such Node; correct node in tandem.yml",
    ),
    (r"No matching version found for (\S+?)\.?$", "the registry has no {0}"),
    (r"E404.*'(\S+)' is not in this registry|404.*'(\S+?)' is not in", "the registry has no {0}"),
    (
        r"npm ci` can only install|ERR_PNPM_OUTDATED_LOCKFILE"
        r"|lockfile (?:needs to be|would have been)",
        "package.json and its lock file differ; install anew where the site is developed, and keep"
        " the lock",
    ),
    (r"ERESOLVE", "its packages do not go together, as npm says"),
    (
        r"The engine \"node\" is incompatible|Unsupported engine|requires Node|Node\.js version",
        "it needs another Node; give node in tandem.yml that version",
    ),
    (
        r"(?i)gyp ERR! (?:find Python|stack Error: not found: make)|not found: make\b",
        "a package is compiled; add build_packages: [make, g++] to tandem.yml",
    ),
    (r"spawn git ENOENT|\bgit: (?:command )?not found", "add build_packages: [git] to tandem.yml"),
    (
        r"(?:sh|bash): (?:\d+: |line \d+: )?([\w@./-]+): (?:command )?not found",
        "there is no program {0}; package.json has to ask for the package that brings it",
    ),
    (
        r"npm (?:ERR!|error) Missing script: \"([^\"]+)\"",
        "package.json has no script {0}; correct front_ends in tandem.yml",
    ),
    (
        r"(?i)(?:Cannot find (?:module|package)|Can't resolve|failed to resolve import)"
        r" ['\"]([^'\"]+)",
        "{0} is not there; package.json has to ask for it, or git ignores it",
    ),
)  # fmt: skip
# What npm says of itself, and where Node was.
NOISE = re.compile(
    r"^\W*$|^npm (?:ERR!|error) (?:A complete log|code |path |command |errno|Lifecycle|.*/_logs/)"
    r"|^npm (?:notice|warn)|^\s+at .*node:|^node:internal|^ +throw |^Node\.js v|^> "
)


def failed(lines: list[str]) -> tuple[str, list[str]] | None:
    """Return the sentence on the step that failed and the lines that matter; else nothing."""
    at = next((n for n, line in enumerate(lines) if FAILED.match(line)), None)
    if at is None or not (step := FAILED.match(lines[at])):
        return None
    said = lines[:at]
    for pattern, cure in CURES:
        for number, line in enumerate(said):
            if found := re.search(pattern, line):
                name = next((one for one in found.groups() if one), "")
                around = [*_matter(said[:number])[-4:], line, *_matter(said[number + 1 :])[:4]]
                return f"{step[1]}: {cure.format(name)}", around
    return step[1], _matter(said)


def _matter(lines: list[str]) -> list[str]:
    return [line for line in lines if not NOISE.search(line)]
