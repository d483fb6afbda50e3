"""What becomes of an account, and what Mastodon's refusals mean. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mstdn.owner.facts import Account, Found

Reset = Literal["", "password", "second_factor", "both"]
TASK = "pyinfra inventory.py tasks/owner.py --data owner_name="


@dataclass(frozen=True)
class Step:
    """
    What is to be done. `arguments`: of "tootctl accounts", none for nothing. `password`: it makes one. `said`: a
    sentence about it, for people. `refused`: why nothing is done, and what to do; "" where something may be done.
    """

    arguments: tuple[str, ...] = ()
    password: bool = False
    said: str = ""
    refused: str = ""


def step(found: Found, name: str, address: str, reset: Reset, promote: bool) -> Step:
    """
    The step from what is to what is asked for.

    name: of the account. address: that it gets when it is made. reset: what is given to it anew. promote: it becomes an
    owner if it is none.
    """
    if not name:
        return Step(
            refused=f"Whose account? To make an owner: {TASK}alice --data owner_email=alice@example.org. For one that "
            f"is locked out: {TASK}alice --data owner_reset=password (or second_factor, or both)."
        )
    if not found.runs:
        return Step(refused="Mastodon does not run on this server. Deploy it first: pyinfra inventory.py deploy.py")
    if not found.role:
        return Step(
            refused="The instance has no role that may do everything. Give one the permission Administrator under "
            "Preferences, Administration, Roles; or put the seeds back, in its directory: docker compose exec web "
            "bin/rails db:seed"
        )
    if found.account is None:
        return _of_nobody(found, name, address, reset, promote)
    return _of_account(found.account, found.role, address, reset, promote)


def _of_nobody(found: Found, name: str, address: str, reset: Reset, promote: bool) -> Step:
    if reset or promote:
        return Step(
            refused=f"There is no account {name} on this instance: is the name right? To make an owner of that name: "
            f"{TASK}{name} --data owner_email=ADDRESS, without owner_reset and owner_promote."
        )
    if not address:
        return Step(
            refused=f"There is no account {name} yet, and to make one its mail address is needed: {TASK}{name} --data "
            "owner_email=ADDRESS"
        )
    if found.taken:
        return Step(
            refused=f"{address} is the address of {found.taken} already. Name another one, or make that account an "
            f"owner: {TASK}{found.taken} --data owner_promote=true"
        )
    arguments = ("create", name, "--email", address, "--confirmed", "--role", found.role, "--approve")
    return Step(arguments, password=True, said=f"the account {name} does not exist")


def _of_account(account: Account, role: str, address: str, reset: Reset, promote: bool) -> Step:
    name = account.name
    again = f"A new password: {TASK}{name} --data owner_reset=password"
    if not account.owner and not reset and not promote:
        return Step(
            refused=f"{name} exists and is no owner. To make it one: {TASK}{name} --data owner_promote=true. To let "
            f"whoever has it in again: {TASK}{name} --data owner_reset=password (or second_factor, or both)."
        )
    options: list[str] = []
    said: list[str] = []
    password = reset in ("password", "both")
    if promote and not account.owner:
        options += ["--role", role]
        said.append(f"{name} is no owner")
    if password:
        options.append("--reset-password")
        said.append(f"{name} gets a new password")
    if reset in ("second_factor", "both") and account.second_factor:
        options.append("--disable-2fa")
        said.append(f"the log-in of {name} asks for a second factor")
    if account.owner or promote:
        # An owner who cannot log in is none. Of others it may be on purpose.
        for wrong, option, words in (
            (not account.confirmed, "--confirm", f"the address of {name} is not confirmed"),
            (not account.approved, "--approve", f"{name} is not approved"),
            (account.disabled, "--enable", f"{name} is disabled"),
        ):
            if wrong:
                options.append(option)
                said.append(words)
    if options:
        return Step(("modify", name, *options), password, ", ".join(said))
    notes = [f"{name} is an owner" if account.owner else f"{name} exists"]
    if reset:
        notes.append("its log-in asks for no second factor")
    elif address and address.lower() != account.address.lower():
        notes.append(f"its address is {account.address}, and that is not changed here")
    return Step(said=f"{', '.join(notes)}. {again}")


def explanation(words: str) -> str:
    """What tootctl's refusal means and what to do; "" where its own words are all there is."""
    lowered = words.lower()
    if "killed" in lowered:
        return (
            "As a rule the kernel ends it when memory is full: try in a quiet moment, or set a larger web_memory_mib."
        )
    if "unreachable" in lowered:
        return (
            "Mastodon looks for the mail server of the address (MX, or else A) before it takes it, and finds none: is "
            "the part after the @ right, and does this server's DNS answer?"
        )
    if "taken" in lowered:
        return "Somebody has that name or address already, perhaps an account that was deleted: choose another name."
    if "blocked" in lowered or "blacklisted" in lowered or "disallowed" in lowered:
        return "The instance's own moderation blocks that address (Preferences, Moderation, E-mail domain blocks)."
    if "too_long" in lowered or "invalid" in lowered or "reserved" in lowered:
        return "Mastodon does not take that name or address."
    if "pg::" in lowered or "redis" in lowered:
        return "Look at the rest of the instance first: pyinfra inventory.py tasks/status.py"
    return ""
