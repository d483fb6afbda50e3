"""
The languages that Mastodon's pages have; for any other it takes English, without a word.

Source: config/initializers/i18n.rb of github.com/mastodon/mastodon, its list available_locales as of August 2026 (4.7
and the main branch after it). It has not changed since 4.3 but for what SINCE says.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from mstdn.kinds.images import release_numbers
from mstdn.kinds.text import refuse
from mstdn.problems import Problem

_NAMES = (
    "af an ar ast be bg bn br bs ca ckb co cs cy da de el en en-GB eo es es-AR es-MX et eu fa fi fo fr fr-CA fy "
    "ga gd gl he hi hr hu hy ia id ie ig io is it ja ka kab kk kn ko ku kw la lt lv mk ml mr ms my nan-TW nl nn "
    "no oc pa pl pt-BR pt-PT ro ru sa sc sco si sk sl sq sr sr-Latn sv szl ta te th tr tt ug uk ur vi zgh zh-CN "
    "zh-HK zh-TW"
)
LOCALES = tuple(_NAMES.split())
# The first release, as (major, minor).
SINCE = {"nan-TW": (4, 6)}
# As others name what Mastodon names otherwise.
OTHER_NAMES = {"nb": "no", "zh-hans": "zh-CN", "zh-hant": "zh-TW", "zh-sg": "zh-CN", "zh-mo": "zh-HK", "nan": "nan-TW"}


def locale(value: str) -> str:
    """One of LOCALES."""
    if value not in LOCALES:
        raise refuse("Mastodon has no such language, and would take English", _nearest(value))
    return value


def _nearest(value: str) -> str | None:
    """Which one was probably meant: the same in another spelling, the language without its region or with one."""
    wanted = value.replace("_", "-").partition(".")[0].lower()
    known = {each.lower(): each for each in LOCALES}
    language = wanted.partition("-")[0]
    for candidate in (wanted, language):
        if found := known.get(candidate) or OTHER_NAMES.get(candidate):
            return found
    with_region = [each for each in LOCALES if each.startswith(f"{language}-")]
    near = with_region or difflib.get_close_matches(wanted, LOCALES, n=1)
    return near[0] if near else None


def the_release_has_the_locale(default_locale: str, mastodon_version: str) -> Iterator[Problem]:
    first = SINCE.get(default_locale, (0, 0))
    if release_numbers(mastodon_version) < (*first, 0):
        release = ".".join(map(str, first))
        yield Problem(
            "default_locale", f"Mastodon has it since {release}", 'default_locale = "en"', f'"{default_locale}"'
        )


Locale = Annotated[str, AfterValidator(locale), Field(title="locale")]
