"""
NAME=value lines, as sh, Compose, Ruby's dotenv and Node's dotenv all read them.

A value stands bare where it has only plain characters, otherwise in single quotes, within which nothing is special.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@,+=")


def unfit_for_dotenv(value: str) -> str | None:
    """
    Why sh, Ruby's dotenv or Node's dotenv would not read NAME='value' as value; None if all three do.

    Both dotenv end a quoted value at the first quote without a backslash before it; sh ends it at any quote.
    """
    if "'" in value:
        return "it has a single quote, which Mastodon's settings file cannot hold"
    if value.endswith("\\"):
        return "it ends in a backslash, which Mastodon's settings file cannot hold"
    if re.search(r"[\x00\r\n]", value):
        return "it has a line break or NUL, which Mastodon's settings file cannot hold"
    return None


def dotenv_text(values: Mapping[str, str], comment: str = "") -> str:
    """
    The values as the text of a file, one a line in their order, below a comment of one line.

    Raises ValueError, without the value, for one that unfit_for_dotenv() refuses.
    """
    return "".join([f"# {comment}\n" if comment else "", *(_line(*item) for item in values.items())])


def _line(name: str, value: str) -> str:
    if wrong := unfit_for_dotenv(value):
        raise ValueError(f"{name}: {wrong}")
    return f"{name}={value}\n" if PLAIN.issuperset(value) else f"{name}='{value}'\n"


@dataclass(frozen=True)
class Line:
    """
    A line of a dotenv file that is neither empty nor a comment.

    `number`: from 1. `name`: "" where the line has none. `wrong`: why the value cannot be read, "" where it can.
    """

    number: int
    name: str
    value: str = ""
    wrong: str = ""


def dotenv_lines(text: str) -> Iterator[Line]:
    """
    What a file says. Stricter than any of the programs that may read it: all of them read alike what passes here.

    Spaces around a line and Windows' line ends are nothing.
    """
    for number, line in enumerate(map(str.strip, text.split("\n")), start=1):
        if line and not line.startswith("#"):
            yield _parsed(number, line)


def _parsed(number: int, line: str) -> Line:
    name, equals, written = line.partition("=")
    if not equals or not re.fullmatch(r"\w+", name):
        return Line(number, "", wrong="it is not of the form NAME=value")
    quoted = re.fullmatch(r"'(.*)'", written)
    value = quoted[1] if quoted else written
    if not quoted and re.search(r"[\s'\"]", written):
        return Line(number, name, wrong="the value needs single quotes around it")
    if wrong := unfit_for_dotenv(value):
        return Line(number, name, wrong=wrong)
    return Line(number, name, value)
