"""What of a lock is for servers."""

from __future__ import annotations

import tomllib

from tandem.ops.adopt.locks import needed, requirement

UV = """\
[[package]]
name = "shop"
source = { editable = "." }
dependencies = [{ name = "django", extra = ["argon2"] }, { name = "part" }]
[package.optional-dependencies]
postgres = [{ name = "psycopg" }]
docs = [{ name = "sphinx" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
prod = [{ name = "sentry-sdk" }]
[[package]]
name = "part"
source = { directory = "part" }
dependencies = [{ name = "pillow" }]
[[package]]
name = "django"
version = "5.2"
source = { registry = "x" }
dependencies = [
    { name = "asgiref", marker = "python_full_version < '3.12'" },
    { name = "tzdata", marker = "sys_platform == 'win32'" },
]
[package.optional-dependencies]
argon2 = [{ name = "argon2-cffi" }]
bcrypt = [{ name = "bcrypt" }]
"""
OTHERS = "".join(
    f'[[package]]\nname = "{name}"\nversion = "1"\nsource = {{ registry = "x" }}\n'
    for name in (
        "psycopg",
        "sphinx",
        "pytest",
        "sentry-sdk",
        "pillow",
        "asgiref",
        "argon2-cffi",
        "tzdata",
    )
)


def names(text: str) -> set[str]:
    return {package["name"] for package in needed(tomllib.loads(text))}


def test_what_only_developers_want_is_left_out_of_a_lock_of_uv():
    wanted = {"django", "argon2-cffi", "asgiref", "pillow", "psycopg", "sentry-sdk"}
    assert names(UV + OTHERS) == wanted


def test_what_only_developers_want_is_left_out_of_a_lock_of_poetry():
    text = "".join(
        f'[[package]]\nname = "{name}"\nversion = "1"\n{groups}\n'
        for name, groups in {
            "django": 'groups = ["main", "dev"]', "pytest": 'groups = ["dev"]', "old": "",
        }.items()
    )  # fmt: skip
    assert names(text) == {"django", "old"}


def test_a_version_of_another_index_is_looked_for_in_the_usual_one():
    assert requirement({"name": "torch", "version": "2.1+cpu"}) == "torch==2.1"


def test_a_package_that_no_index_has_is_named_by_its_address():
    git = {"git": "https://host/x.git?rev=v1#4f0c"}
    assert requirement({"name": "x", "version": "0", "source": git}) == (
        "x @ git+https://host/x.git@4f0c"
    )
    url = {"url": "https://host/x-1-py3-none-any.whl"}
    assert requirement({"name": "x", "version": "1", "source": url}) == f"x @ {url['url']}"
    poetry = {"type": "git", "url": "https://host/x.git", "resolved_reference": "4f0c"}
    assert requirement({"name": "x", "version": "1", "source": poetry}) == (
        "x @ git+https://host/x.git@4f0c"
    )
