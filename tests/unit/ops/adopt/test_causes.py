"""A failed build says which package or file, why, and what helps.

The lines are those that pip, uv, the compilers, Debian's tools and Django wrote.
"""

from __future__ import annotations

import pytest

from tandem.ops.adopt.causes import SHOWN, cause

PIP = """\
Collecting {package}
  Downloading {package}.tar.gz (1 kB)
  Installing build dependencies: finished with status 'done'
  Getting requirements to build wheel: started
  error: subprocess-exited-with-error
  × Getting requirements to build wheel did not run successfully.
  │ exit code: 1
  ╰─> [30 lines of output]
      {line}
      [end of output]
  note: This error originates from a subprocess, and is likely not a problem with pip.
error: metadata-generation-failed
"""


def built(text: str) -> str:
    """Return a text as BuildKit writes what the step 17 says, between the lines of another."""
    numbered = "\n".join(f"#17 1.{n:03} {line}" for n, line in enumerate(text.splitlines()))
    other = "#16 0.1 fatal error: other.h: No such file or directory"
    return f'{other}\n{numbered}\n#17 ERROR: process "/bin/sh -c x" did not complete\n'


@pytest.mark.parametrize(
    ("package", "line", "thing", "cure"),
    [
        (
            "psycopg2==2.9.9",
            "Error: pg_config executable not found.",
            "pg_config",
            "[libpq-dev, gcc, libc6-dev, python3-dev]",
        ),
        (
            "mysqlclient==2.3.2",
            "/bin/sh: 1: pkg-config: not found",
            "pkg-config",
            "[pkg-config, libmariadb-dev, gcc, libc6-dev, python3-dev]",
        ),
        (
            "python-ldap==3.4.8",
            "error: [Errno 2] No such file or directory: 'x86_64-linux-gnu-gcc'",
            "x86_64-linux-gnu-gcc",
            "libldap-dev, libsasl2-dev",
        ),
        (
            "psycopg2==2.9.9",
            "./psycopg/psycopg.h:35:10: fatal error: Python.h: No such file or directory",
            "Python.h",
            "python3-dev",
        ),
        (
            "psycopg2==2.9.9",
            "error: command 'gcc' failed: No such file or directory",
            "gcc",
            "gcc, libc6-dev, python3-dev, libpq-dev",
        ),
        (
            "uwsgi==2.0.28",
            "FileNotFoundError: [Errno 2] No such file or directory: 'gcc'",
            "gcc",
            "gcc, libc6-dev, python3-dev",
        ),
        (
            "mysqlclient==2.2.4",
            "Exception: Can not find valid pkg-config name.",
            "MariaDB",
            "libmariadb-dev, pkg-config, gcc, libc6-dev, python3-dev",
        ),
        (
            "python-ldap==3.4.4",
            "Modules/common.h:15:10: fatal error: lber.h: No such file or directory",
            "lber.h",
            "libldap-dev",
        ),
        (
            "python-ldap==3.4.4",
            "x.c:1:10: fatal error: sasl/sasl.h: No such file or directory",
            "sasl/sasl.h",
            "libsasl2-dev",
        ),
        (
            "xmlsec==1.3.14",
            "pkgconfig.pkgconfig.PackageNotFoundError: xmlsec1 not found",
            "xmlsec1",
            "libxmlsec1-dev",
        ),
        (
            "pycairo==1.27.0",
            '../cairo/meson.build:31:12: ERROR: Dependency "cairo" not found, tried pkgconfig',
            "cairo",
            "libcairo2-dev",
        ),
        (
            "lxml==4.9.2",
            "Error: Please make sure the libxml2 and libxslt development packages are installed.",
            "libxslt",
            "libxml2-dev, libxslt1-dev",
        ),
        (
            "pillow==9.0.0",
            "The headers or library files could not be found for jpeg,",
            "jpeg",
            "libjpeg-dev",
        ),
        ("bcrypt==4.0.0", "error: can't find Rust compiler", "Rust", "cargo"),
        ("site-theme", "ERROR: Cannot find command 'git' - do you have 'git'", "git", "[git]"),
        (
            "gdal==3.6.2",
            "FileNotFoundError: [Errno 2] No such file or directory: 'gdal-config'",
            "gdal-config",
            "libgdal-dev",
        ),
        ("dlib==19.24", "RuntimeError: cmake must be installed to build", "cmake", "[cmake]"),
        (
            "aiohttp==3.8.1",
            "ModuleNotFoundError: No module named 'distutils'",
            "no distutils since 3.12",
            "newer version",
        ),
        (
            "old-thing==1.0",
            "ModuleNotFoundError: No module named 'numpy'",
            "needs numpy",
            "newer version",
        ),
        (
            "celery==5.2",
            "ERROR: Package 'celery' requires a different Python: 3.13.5 not in '<3.12'",
            "Python 3.13.5",
            "another version",
        ),
        (
            "thing==1.0",
            "cc1plus: fatal error: Killed signal terminated program cc1plus",
            "memory",
            "give Docker more",
        ),
    ],
)
def test_a_package_that_cannot_be_built_is_named_with_the_cure(package, line, thing, cure):
    found = cause(built(PIP.format(package=package, line=line)))
    assert line in " ".join(found.lines)
    name = package.partition("==")[0]
    assert found.sentence.startswith(f"{name} ") or thing == "git"
    assert thing in found.sentence
    assert cure in found.sentence


@pytest.mark.parametrize(
    ("line", "thing", "cure"),
    [
        ("E: Unable to locate package libpq5-dev", "libpq5-dev", "correct build_packages"),
        ("E: Package 'libfoo' has no installation candidate", "libfoo", "correct build_packages"),
        ("write error: No space left on device", "disk", "docker system df"),
        (
            "ssl.SSLCertVerificationError: [SSL] certificate verify failed: unable to get issuer",
            "certificate",
            "TANDEM_CA_BUNDLE",
        ),
        ("Temporary failure in name resolution", "reached", "network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE", "locked", "delete tandem-*"),
        ("ERROR: No matching distribution found for foo==9", "foo==9", "another version"),
        ("ModuleNotFoundError: No module named 'crispy_forms'", "crispy_forms", "packages"),
        ("KeyError: 'STRIPE_KEY'", "STRIPE_KEY", "environment"),
        (
            "environ.exceptions.ImproperlyConfigured: Set the MAIL_HOST environment variable",
            "MAIL_HOST",
            "environment",
        ),
        (
            "decouple.UndefinedValueError: SENTRY_DSN not found. Declare it as envvar or define",
            "SENTRY_DSN",
            "environment",
        ),
        (
            "django.db.utils.OperationalError: connection to server on socket failed",
            "database",
            "function",
        ),
        (
            "whitenoise.storage.MissingFileError: The file 'css/a.png' could not be found with"
            " <whitenoise.storage.CompressedManifestStaticFilesStorage object at 0x7f>.",
            "css/a.png",
            "include",
        ),
        (
            "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must be there.",
            "SECRET_KEY",
            "do not load",
        ),
        ("/bin/sh: 1: npm: not found", "npm", "[npm]"),
    ],
)
def test_what_fails_beside_the_packages_is_named_with_the_cure(line, thing, cure):
    found = cause(built(f"first\n{line}\n"))
    assert thing in found.sentence
    assert cure in found.sentence
    assert line in found.lines


def test_a_file_that_is_no_program_is_not_taken_for_one():
    line = "FileNotFoundError: [Errno 2] No such file or directory: 'README.md'"
    found = cause(built(PIP.format(package="thing==1.0", line=line)))
    assert found.sentence == ""
    assert f"      {line}" in found.lines


def test_the_first_cause_counts_and_not_what_it_leads_to():
    log = PIP.format(package="mysqlclient==2.2.4", line="Error: pg_config executable not found.")
    found = cause(f"{log}\nModuleNotFoundError: No module named 'MySQLdb'\n")
    assert "pg_config" in found.sentence


def test_what_is_not_known_is_told_by_the_last_lines_of_the_step_that_failed():
    many = "\n".join(f"line {n}" for n in range(100))
    found = cause(
        built(f"{many}\n\n  ╰─> [1 line]\nnote: This is none\n\x1b[31mRed: it broke\x1b[0m\n")
    )
    assert found.sentence == ""
    assert found.lines == (*(f"line {n}" for n in range(100 - SHOWN + 1, 100)), "Red: it broke")


def test_a_log_that_is_empty_or_of_no_build_tells_nothing():
    assert cause("").lines == ()
    assert cause("\n\n").sentence == ""
