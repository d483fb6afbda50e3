"""Facts about an account of the instance."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from mstdn.docker.engine import EngineFact
from mstdn.fact import Lines, Question


@dataclass(frozen=True)
class Account:
    """
    An account of the instance. `owner`: its role may do everything. `confirmed`, `approved`, `disabled`: without the
    first two, or with the last, nobody can log in. `second_factor`: the log-in asks for a code.
    """

    name: str
    address: str
    owner: bool = False
    confirmed: bool = True
    approved: bool = True
    disabled: bool = False
    second_factor: bool = False


@dataclass(frozen=True)
class Found:
    """
    `runs`: Mastodon can be asked to change something. `role`: the name of the role that may do everything, "" without
    one. `account`: the one asked for, None without it. `taken`: another account with the mail address, "" without one.
    """

    runs: bool = False
    role: str = ""
    account: Account | None = None
    taken: str = ""


class AccountState(EngineFact[Found]):
    """What there is of an account, as the database tells it."""

    script = "owner/state"
    inside = True

    @classmethod
    def of(cls, project: str, name: str, address: str) -> Question[Found]:
        """project: name of Mastodon's Compose project. name: of the account. address: that it would get, or ""."""
        return cls.question(project, name, address)

    @override
    def read(self, lines: Lines) -> Found:
        account = None
        if "account" in lines:
            name, *flags, address = lines.one("account").split(" ", 6)
            account = Account(name, address, *(flag == "t" for flag in flags))
        return Found("web" in lines, lines.get("role"), account, lines.get("taken"))
