"""The names of Mastodon's accounts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from mstdn.kinds.text import or_empty, refuse


def account_name(value: str) -> str:
    """The part before the second @ of a handle of this instance: letters, digits and underscores, 30 at most."""
    name = value.removeprefix("@").partition("@")[0]
    if not re.fullmatch(r"[A-Za-z0-9_]{1,30}", value):
        guess = name if re.fullmatch(r"[A-Za-z0-9_]{1,30}", name) else None
        raise refuse("a name has letters, digits and underscores only, 30 at most, without @ and domain", guess)
    return value


AccountNameOrEmpty = Annotated[str, or_empty(account_name), Field(title="name of an account")]
