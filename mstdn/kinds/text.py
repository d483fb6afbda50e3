"""
The kinds of value a setting can have that are plain words, and how a validator of any kind says no.

A kind is an annotated type. Its validator says what is wrong and, where it can be guessed, which value was meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mstdn.kinds.dotenv import unfit_for_dotenv


def refuse(wrong: str, instead: object = None) -> PydanticCustomError:
    """The error a validator raises. instead: the value that was probably meant, None if nobody can tell."""
    return PydanticCustomError("setting", "{wrong}", {"wrong": wrong, "instead": instead})


def or_empty(validator: Callable[[str], str]) -> AfterValidator:
    """The validator, for a setting that may also be left empty."""
    return AfterValidator(lambda value: validator(value) if value else value)


def not_a_number(value: object) -> object:
    """The value, unless it is a number: Python takes 1 for True."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refuse('it must be "auto", True or False')
    return value


def fingerprint(value: str) -> str:
    """An OpenPGP version 4 fingerprint: 40 hexadecimal digits. Spaces are removed, as gpg prints some."""
    digits = re.sub(r"\s", "", value).upper()
    if not re.fullmatch(r"[0-9A-F]{40}", digits):
        raise refuse("a key's fingerprint has 40 hexadecimal digits")
    return digits


def user_name(value: str) -> str:
    """A Unix account: what useradd of Debian accepts."""
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", value):
        raise refuse("it is not the name of a Unix account")
    return value


def package_version(value: str) -> str:
    """A Debian package version with its epoch, as apt-cache madison lists it."""
    if not re.fullmatch(r"[0-9][A-Za-z0-9.+:~-]*", value):
        raise refuse("it is not a version as apt lists it")
    return value


def one_line(value: str) -> str:
    """Text that can stand in single quotes in the environment files of Compose and Mastodon."""
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise refuse("it has a line break or another control character")
    if wrong := unfit_for_dotenv(value):
        raise refuse(wrong)
    return value


Fingerprint = Annotated[str, AfterValidator(fingerprint), Field(title="40 hexadecimal digits")]
UserName = Annotated[str, AfterValidator(user_name), Field(title="Unix account")]
PackageVersionOrEmpty = Annotated[str, or_empty(package_version), Field(title="package version or empty")]
AutoOrBoolean = Annotated[Literal["auto", True, False], BeforeValidator(not_a_number)]
OneLine = Annotated[str, AfterValidator(one_line), Field(title="text")]
