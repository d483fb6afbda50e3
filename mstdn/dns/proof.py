"""What the name servers answer, held against what they should."""

from __future__ import annotations

from collections.abc import Sequence

from mstdn.cloud.errors import ProvisionError
from mstdn.dns.lookup import Answer, Lookup
from mstdn.dns.rules import RecordSet, record_set, shown, zone_lines
from mstdn.dns.wishes import Among, Exactly, IfNone, NoIpv6, Wish, equal_texts, is_dmarc, is_spf, merged_spf
from mstdn.dns.zone_file import legible


def shortcomings(wishes: Sequence[Wish], lookup: Lookup) -> list[str]:
    """One sentence for each wish that not every name server fulfils. Raises ProvisionError where none answers."""
    found = []
    for wish in wishes:
        if wish.pending:
            found.append(f"{wish.name} has nothing to lead to yet: {wish.pending}. Run: pyinfra @local provision.py")
            continue
        kind = "AAAA" if isinstance(wish, NoIpv6) else wish.records.type
        complaints = [
            (answer, complaint)
            for answer in lookup.ask(wish.name, kind)
            if (complaint := complaint_about(wish, answer))
        ]
        if complaints and isinstance(wish, IfNone) and not any(each.values for each, _ in complaints):
            complaints = [] if policy_above(wish, lookup) else complaints
        if complaints:
            answer, complaint = complaints[0]
            found.append(f"The name server {answer.server} {complaint}")
    return found


def policy_above(wish: IfNone, lookup: Lookup) -> str:
    """The nearest name above that has a DMARC policy, as the world sees it; "" if none is seen."""
    for name in wish.above:
        try:
            if any(is_dmarc(value) for answer in lookup.ask(name, "TXT") for value in answer.values):
                return name
        except ProvisionError:
            # Nobody answers for it: then nobody sees a policy there.
            continue
    return ""


def complaint_about(wish: Wish, answer: Answer) -> str | None:
    """What is wrong with this answer, as the end of a sentence; None if nothing is."""
    if isinstance(wish, NoIpv6):
        if not answer.values:
            return None
        return (
            f"gives {wish.name} the IPv6 address {', '.join(answer.values)}, which is not this server's; visitors and "
            "Let's Encrypt try it first. Remove the AAAA record."
        )
    wanted = wish.records
    if answer.cname and wanted.type != "CNAME" and not isinstance(wish, IfNone):
        return f"says that {wish.name} is an alias (CNAME) of {answer.cname}. It should have {_wanted(wanted)}"
    if not answer.values and not answer.cname:
        return f"does not know {wanted.type} of {wish.name}. It should have {_wanted(wanted)}"
    if isinstance(wish, IfNone):
        return _dmarc(wish, answer)
    if isinstance(wish, Among):
        return next((told for text in wanted.values if (told := _among(text, answer, wanted))), None)
    return _exactly(wish, answer)


def _wanted(records: RecordSet) -> str:
    return f"this record, and only this: {' and '.join(zone_lines(records))}"


def _exactly(wish: Exactly, answer: Answer) -> str | None:
    wanted = wish.records
    same = answer.values == wanted.values
    if wanted.type == "TXT" and len(wanted.values) == len(answer.values) == 1:
        same = equal_texts(wanted.values[0], answer.values[0])
    if same:
        return None
    said = shown(RecordSet(wanted.name, wanted.type, answer.values, 0))
    return f"says {wanted.type} of {wanted.name} is {said}. It should have {_wanted(wanted)}"


def _among(text: str, answer: Answer, wanted: RecordSet) -> str | None:
    spf = [value for value in answer.values if is_spf(value)]
    if is_spf(text) and len(spf) > 1:
        return f"has {len(spf)} SPF records for {wanted.name}, and receivers then trust none. Merge them into one."
    if is_spf(text) and spf:
        merged = merged_spf(spf[0], text)
        if merged == spf[0]:
            return None
        return f'says that SPF of {wanted.name} is "{legible(spf[0])}". Change it to "{legible(merged)}"'
    return None if text in answer.values else f"lacks a text of {wanted.name}. Add {_line_of(text, wanted)}"


def _line_of(text: str, wanted: RecordSet) -> str:
    return zone_lines(record_set(wanted.name, "TXT", [text], wanted.ttl))[0]


def _dmarc(wish: IfNone, answer: Answer) -> str | None:
    """Any policy is the owner's; two of them are none (RFC 7489, 6.6.3)."""
    policies = [value for value in answer.values if is_dmarc(value)]
    if len(policies) > 1:
        return f"has {len(policies)} DMARC records for {wish.name}, and receivers then heed none. Remove all but one."
    return (
        None if policies or answer.cname else f"has no DMARC record for {wish.name}. Add {zone_lines(wish.records)[0]}"
    )
