"""Any value through the real parser of each format, and back; or a refusal."""

from __future__ import annotations

import subprocess

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tandem.ops import encode
from tandem.ops.adopt.document import SiteError
from tandem.ops.adopt.model import loads
from tandem.ops.adopt.write import scalar
from tests.unit.adopted.test_site import site

# What no encoder takes, and is tried apart.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
ODD = [
    "'",
    '"',
    "\\",
    "$HOME `x` $(x) ${x}",
    "a\nb",
    "\u2028\x85\x7f\t",
    "}",
    "!x",
    "~",
    "😀",
    "-n",
]
FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def bash(script: str, *names: str, **variables: str) -> list[str]:
    """Return variables as bash has them after ``script``."""
    shown = " ".join(f'"${name}"' for name in names)
    done = subprocess.run(
        ["bash", "-euc", f"{script}\nprintf '%s\\0' {shown}"],
        env=variables, check=True, capture_output=True,
    )  # fmt: skip
    return done.stdout.decode().split("\0")[:-1]


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_a_value_is_what_the_shell_gets(values: list[str]):
    values = [*values, *ODD]
    names = [f"v{number}" for number in range(len(values))]
    for line in (encode.assignment, encode.default):
        script = "\n".join(map(line, names, values))
        assert bash(script, *names) == values


@given(TEXTS)
def test_a_value_is_what_yaml_reads(value: str):
    for one in (value, *ODD):
        assert yaml.safe_load(encode.quoted(one)) == one
        assert yaml.safe_load(f"key: {scalar(one)}\n") == {"key": one}


@given(st.dictionaries(TEXTS, st.lists(TEXTS)))
def test_compose_reads_values_and_takes_no_dollar_for_a_variable(data: dict[str, list[str]]):
    found = yaml.safe_load(encode.compose(data))
    assert found == {k: [v.replace("$", "$$") for v in values] for k, values in data.items()}


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x\udfff"])
def test_what_no_format_can_carry_is_refused(value: str):
    for encoder in (
        encode.shell, encode.quoted, encode.redis, encode.postgresql,
        lambda value: encode.systemd("ONE", value),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"has a NUL|has half a character"):
            encoder(value)


@FEW
@given(TEXTS)
def test_a_value_of_tandem_yml_reaches_the_site_or_is_refused(value: str):
    text = f"name: shop\nsettings: a\nenvironment:\n  ONE: {encode.quoted(value)}\n"
    try:
        described = loads(text, site.ROOT)
    except SiteError as error:
        assert "must be one line without control characters" in str(error)  # noqa: PT017
        return
    assert bash(site.site_env(described), "ONE") == [value]


@pytest.mark.parametrize("name", ["HOME", "LANG", "USER", "SHELL"])
def test_what_every_process_has_already_is_the_sites_all_the_same(name: str):
    described = loads(f"name: shop\nsettings: a\nenvironment: {{{name}: theirs}}\n", site.ROOT)
    assert bash(site.site_env(described), name, **{name: "the place's"}) == ["theirs"]


@pytest.mark.parametrize("name", ["PATH", "UID", "BASH_ENV", "IFS", "PYTHONPATH", "SITE_SETTINGS"])
@pytest.mark.parametrize("key", ["environment: {%s: x}", "secrets: [%s]"])
def test_a_name_of_the_shells_or_of_tandems_is_refused(name: str, key: str):
    with pytest.raises(SiteError, match=f"{name} belongs to the shell or to Tandem"):
        loads(f"name: shop\nsettings: a\n{key % name}\n", site.ROOT)
