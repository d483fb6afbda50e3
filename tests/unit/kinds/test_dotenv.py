"""NAME=value lines: what is written is what every reader of it reads."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.kinds.dotenv import Line, dotenv_lines, dotenv_text, unfit_for_dotenv

fit = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40).filter(
    lambda value: unfit_for_dotenv(value) is None
)


@given(fit)
def test_what_is_fit_is_read_by_sh_as_it_is(value: str) -> None:
    script = f'{dotenv_text({"NAME": value})}printf %s "$NAME"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert shell.stdout.decode("utf-8") == value


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,8}", fullmatch=True), fit, max_size=4))
def test_what_is_written_is_read_back(values: dict[str, str]) -> None:
    lines = list(dotenv_lines(dotenv_text(values, "a comment")))
    assert {line.name: line.value for line in lines} == values
    assert not any(line.wrong for line in lines)


@given(fit)
def test_a_value_stands_bare_only_where_compose_reads_nothing_into_it(value: str) -> None:
    line = dotenv_text({"NAME": value}).removesuffix("\n")
    # sh and Compose agree on bare words of these characters and on single quotes; Compose reads into anything else.
    assert shlex.split(line) == [f"NAME={value}"]
    assert re.fullmatch(r"NAME=([\w./:@,+=-]*|'[^']*')", line)


@pytest.mark.parametrize("value", ["it's", "two\nlines", "ends in \\", "a\0b", "a\rb"])
def test_a_value_that_cannot_be_written_is_not_written_and_not_shown(value: str) -> None:
    with pytest.raises(ValueError, match="NAME: it ") as error:
        dotenv_text({"NAME": value})
    assert value not in str(error.value)


def test_comments_blank_lines_and_windows_line_ends_are_nothing() -> None:
    text = "# first\r\n\r\n  NAME='a b' \r\nOTHER=\n"
    assert list(dotenv_lines(text)) == [Line(3, "NAME", "a b"), Line(4, "OTHER", "")]
