"""The files of group_data that are made from the settings; `make docs` writes them."""

from __future__ import annotations

import textwrap

from pydantic.fields import FieldInfo

from mstdn.kinds.part import Part
from mstdn.settings.model import FIELDS, PARTS
from mstdn.settings.telling import literal

WIDTH = 100

HEAD = '''\
"""
Every setting with its default: to read, not to change. An update of the suite replaces this file.

Your own values stand in group_data/mastodon.py (see mastodon.example.py) or, for several servers, in
instances/<name>/group_data/all.py. Made from mstdn/*/settings.py by `make docs`, as docs/settings.md is.
"""

# --- How pyinfra gets in --------------------------------------------------------------------------

# Log in as an ordinary user who may use sudo without a password. See also ssh_user in inventory.py.
_sudo = True
'''

# pyinfra leaves out of the data what a file of group data imports. To find that out it reads the whole file once more
# for each name in it (pyinfra_cli/inventory.py, 3.10): 150 times in each run, unless the file says what it gives.
FOOT = """
# --- All of these -------------------------------------------------------------------------------

# For pyinfra, which would otherwise look through this file once for each of them.
__all__ = [name for name in dir() if not name.startswith("__")]
"""

EXAMPLE_HEAD = '''\
"""
Your own values: these, and whatever else of all.py you want otherwise. An update does not touch this file.

    cp group_data/mastodon.example.py group_data/mastodon.py

It is read for the servers in the list mastodon of inventory.py. docs/settings.md has every setting. Passwords and keys
do not belong here: see secrets.example.env.
"""
'''


def all_py() -> str:
    """group_data/all.py: every setting with its default, empty for what must be set."""
    return HEAD + "".join(map(_section, PARTS)) + FOOT


def _section(part: type[Part]) -> str:
    heading = f"# --- {part.title} ".ljust(WIDTH, "-")
    settings = (
        f"\n{_comment(field)}{name} = {literal('' if field.is_required() else field.default)}\n"
        for name, field in part.model_fields.items()
    )
    return "".join(["\n", heading, "\n", *settings])


def example_py() -> str:
    """group_data/mastodon.example.py: what must be set, with an example beside it."""
    settings = (
        f'\n{_comment(FIELDS[name])}{name} = ""  # {", ".join(map(literal, FIELDS[name].examples or ()))}\n'
        for name in required()
    )
    return EXAMPLE_HEAD + "".join(settings)


def required() -> tuple[str, ...]:
    """The names of the settings that must be set."""
    return tuple(name for name, field in FIELDS.items() if field.is_required())


def _comment(field: FieldInfo) -> str:
    text = field.description or ""
    lines = textwrap.wrap(text, WIDTH + 4, break_on_hyphens=False, break_long_words=False)
    return "".join(f"# {line}\n" for line in lines)
