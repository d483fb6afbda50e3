"""
What shall be at a name, and how far others' records there are respected. Pure.

    Exactly    these values and no others: addresses, DKIM keys, bounce domains
    Among      these texts among the other texts of the name: SPF, and proofs that a domain is somebody's
    IfNone     only where there is nothing of the kind: DMARC is the domain owner's policy
    NoIpv6     no IPv6 address, because the server has none
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from mstdn.cloud.errors import ProvisionError
from mstdn.dns.rules import Change, RecordSet, change_of, leftover_aaaa, record_set
from mstdn.dns.zone_file import legible


@dataclass(frozen=True)
class _Records:
    """`records.values` is empty while they are not known; `pending` then says when they will be."""

    records: RecordSet
    pending: str = ""

    @property
    def name(self) -> str:
        return self.records.name


class Exactly(_Records):
    """These values and no others."""

    def change(self, found: Sequence[RecordSet], replace: bool, task: str) -> Change | None:
        """What to change. Raises ProvisionError where the name is somebody's."""
        if self.records.type == "TXT":
            found = [_like(each, self.records) for each in found]
        return change_of(self.records, found, replace, task)


class Among(_Records):
    """TXT texts that may have company. There can be one SPF text only (RFC 7208, 3.2)."""

    def change(self, found: Sequence[RecordSet], replace: bool, task: str) -> Change | None:
        """What to change. Raises ProvisionError where another SPF text is there: merging them is up to the owner."""
        same = [each for each in found if each.type == "TXT"]
        there = [value for each in same for value in each.values]
        missing = [text for text in self.records.values if not self._is_said(text, there) and text not in there]
        if not missing:
            return None
        # Some providers keep a CNAME and texts at one name; then it was not in the way of the texts that are there.
        if not same and any(each.type == "CNAME" for each in found):
            return change_of(self.records, found, replace, task)
        ttl = same[0].ttl or self.records.ttl if same else self.records.ttl
        return Change(tuple(same), record_set(self.name, "TXT", [*there, *missing], ttl))

    def _is_said(self, text: str, there: Sequence[str]) -> bool:
        """Whether an SPF text says it already, beside other things."""
        spf = [value for value in there if is_spf(value)]
        if is_spf(text) and len(spf) > 1:
            merged = reduce(merged_spf, [*spf, text])
            raise ProvisionError(
                f"{self.name} has {len(spf)} SPF records, and receivers then trust none. They were not touched. Put "
                f'one in their place at your DNS provider: "{legible(merged)}"'
            )
        if is_spf(text) and spf:
            merged = merged_spf(spf[0], text)
            if merged == spf[0]:
                return True
            raise ProvisionError(
                f'{self.name} has an SPF record already: "{legible(spf[0])}". There may be only one, and it was not '
                "touched. Change "
                f'it at your DNS provider to: "{legible(merged)}"'
            )
        return False


class IfNone(_Records):
    """
    A DMARC policy that is made only where there is none, nor a CNAME to one. Where a name above has a policy, that is
    the domain's (RFC 7489, 6.6.3), and one of its own would overrule it: whoever publishes or proves looks there too.
    """

    @property
    def above(self) -> tuple[str, ...]:
        """The names at which such a policy may stand, from the nearest."""
        labels = self.name.removeprefix("_dmarc.").split(".")
        return tuple(f"_dmarc.{'.'.join(labels[start:])}" for start in range(1, len(labels) - 1))

    def change(self, found: Sequence[RecordSet], replace: bool, task: str) -> Change | None:
        """What to change. Raises ProvisionError where there are several, which are none (RFC 7489, 6.6.3)."""
        same = [each for each in found if each.type == "TXT"]
        there = [value for each in same for value in each.values]
        policies = sum(map(is_dmarc, there))
        if policies > 1:
            raise ProvisionError(
                f"{self.name} has {policies} DMARC records, and receivers then heed none. They were not touched. "
                "Remove all but one at your DNS provider."
            )
        if policies or any(each.type == "CNAME" for each in found):
            return None
        # Other texts at the name are no policy to anybody (RFC 7489, 6.6.3), and stay.
        ttl = same[0].ttl or self.records.ttl if same else self.records.ttl
        return Change(tuple(same), record_set(self.name, "TXT", [*there, *self.records.values], ttl))


@dataclass(frozen=True)
class NoIpv6:
    """The name has no AAAA record."""

    name: str
    pending: str = ""

    def change(self, found: Sequence[RecordSet], replace: bool, task: str) -> Change | None:
        """What to change. Raises ProvisionError where one is left over."""
        return leftover_aaaa(found, replace, task)


Wish = Exactly | Among | IfNone | NoIpv6


def is_spf(text: str) -> bool:
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def is_dmarc(text: str) -> bool:
    return text.lower().startswith("v=dmarc1")


def merged_spf(present: str, wanted: str) -> str:
    """The SPF text that is there with what is missing in it, before its final "all"."""
    there = present.split()
    said = [_plain_term(term) for term in there]
    missing = [
        term
        for term in wanted.split()[1:]
        if _plain_term(term) not in said and not re.fullmatch(r"[-~?+]?all", term.lower())
    ]
    if not missing:
        return present
    at_the_end = [term for term in there if re.fullmatch(r"[-~?+]?all|redirect=.*", term.lower())]
    return " ".join([*(term for term in there if term not in at_the_end), *missing, *at_the_end])


def _plain_term(term: str) -> str:
    """As terms are compared: case means nothing, and + is what is meant without a sign (RFC 7208, 4.6.1 and 4.6.2)."""
    return term.lower().removeprefix("+")


def dkim_tags(text: str) -> dict[str, str]:
    """The tags of a DKIM text, in which spaces mean nothing (RFC 6376, 3.2). Tags with their default are left out."""
    pairs = (part.partition("=") for part in text.split(";") if "=" in part)
    tags = {name.strip(): re.sub(r"\s", "", value) for name, _, value in pairs}
    return {name: value for name, value in tags.items() if (name, value) not in (("v", "DKIM1"), ("k", "rsa"))}


def equal_texts(one: str, other: str) -> bool:
    """True if both say the same, whatever the spaces of a DKIM key."""
    if "p=" in one and "p=" in other:
        return dkim_tags(one) == dkim_tags(other)
    return one == other


def _like(found: RecordSet, wanted: RecordSet) -> RecordSet:
    """The found record set in the words of the wanted one, where both say the same."""
    if found.type != "TXT" or len(found.values) != 1 or len(wanted.values) != 1:
        return found
    if not equal_texts(found.values[0], wanted.values[0]):
        return found
    return RecordSet(found.name, "TXT", wanted.values, found.ttl, found.special, found.raw)


def site_wishes(names: Sequence[str], ipv4: str | None, ipv6: str | None, pending: str, ttl: int) -> list[Wish]:
    """
    The addresses of the site's names. None: the server has no such address; "": it is not known yet.
    """
    wishes: list[Wish] = []
    for name in names:
        for kind, value in (("A", ipv4), ("AAAA", ipv6)):
            if value is not None:
                wishes.append(Exactly(record_set(name, kind, [value] if value else [], ttl), "" if value else pending))
        if ipv6 is None:
            wishes.append(NoIpv6(name))
    return wishes
