"""What tasks/owner.py is told; for one run, by --data."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mstdn.kinds.accounts import AccountNameOrEmpty
from mstdn.kinds.mail import MailAddressOrEmpty
from mstdn.kinds.part import Part


class OwnerSettings(Part):
    """Whose account it is, and what happens to it. For tasks/owner.py."""

    title: ClassVar[str] = "Owner (for one run of tasks/owner.py)"

    owner_name: AccountNameOrEmpty = Field(
        "",
        examples=["alice"],
        description="The account, as its name stands before the domain: --data owner_name=alice",
    )
    owner_email: MailAddressOrEmpty = Field(
        "",
        examples=["alice@example.org"],
        description="The mail address of an account that is made: --data owner_email=alice@example.org",
    )
    owner_reset: Literal["", "password", "second_factor", "both"] = Field(
        "",
        description='For an account that is locked out: "password" gives it a new one, "second_factor" takes that '
        "away, both do both: --data owner_reset=password",
    )
    owner_promote: bool = Field(
        False, description="Make an owner of an account that is there: --data owner_promote=true"
    )
