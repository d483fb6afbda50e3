"""From wishes to a plan: the zone, what is there, the steps for a provider or the lines for a person."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Sequence
from functools import partial

from mstdn.cloud.errors import ProvisionError
from mstdn.cloud.steps import Plan, Step
from mstdn.dns.lookup import Cut, Lookup
from mstdn.dns.proof import policy_above
from mstdn.dns.provider import DnsProvider
from mstdn.dns.rules import PROTECTED, Change, RecordSet, Zone, meaning, record_set, shown, zone_for, zone_lines
from mstdn.dns.wishes import IfNone, NoIpv6, Wish, is_dmarc


def plan_to_publish(
    wishes: Sequence[Wish],
    provider: DnsProvider,
    lookup: Lookup,
    *,
    dns_zone: str,
    replace: bool,
    task: str,
    agrees: str,
) -> Plan:
    """
    What to change so that every wish is fulfilled. `task`: the file to run again, for sentences.

    Raises ProvisionError with everything that is in the way, all at once.
    """
    zones: dict[str, Zone] = {}
    found: dict[str, Sequence[RecordSet]] = {}
    steps: list[Step] = []
    lines: list[str] = []
    warnings: list[str] = []
    refusals: list[str] = []
    for wish in wishes:
        name = wish.name
        if name not in zones:
            # A selector that is not known yet has no record, and its place in the name is no name to ask for.
            known = "<" not in name
            zones[name], warning = _zone(
                name if known else name.rpartition("_domainkey.")[2], provider, lookup, dns_zone
            )
            warnings += [warning] if warning else []
            found[name] = provider.records(zones[name], name) if known else ()
        try:
            # By hand everything is told, what has to go too: whoever enters it sees it.
            change = wish.change(_in_view(found[name], wish, zones[name]), replace or provider.by_hand, task)
            _may_be_changed(change, provider)
        except ProvisionError as refusal:
            refusals.append(str(refusal))
            continue
        if change is None or (isinstance(wish, IfNone) and _policy_above(wish, provider, lookup)):
            continue
        # What is planned counts as done: two addresses of a name do not both remove the alias that was there.
        left = [each for each in found[name] if each not in change.remove]
        found[name] = [*left, change.add] if change.add else left
        if provider.by_hand:
            lines += _by_hand(change, wish)
        else:
            steps.append(_step(change, wish, provider, zones[name]))
    # Of what is there then: one that is replaced is not left as it is.
    for each in found.values():
        warnings += _proxied(each)
    if refusals:
        raise ProvisionError("\n".join(dict.fromkeys(refusals)))
    if dns_zone and "." not in dns_zone and dns_zone not in [zone.id for zone in zones.values()]:
        warnings.append(
            f'dns_zone = "{dns_zone}" is the ID of no zone that these names lie in; it counted for nothing here.'
        )
    place = f"{provider.title}: zone {', '.join(dict.fromkeys(map(str, zones.values())))}"
    if lines:
        lines = ["! Enter these records there, then run again:", *lines]
    return Plan(place, tuple(steps), tuple(lines), agrees, tuple(dict.fromkeys(warnings)))


def _policy_above(wish: IfNone, provider: DnsProvider, lookup: Lookup) -> str:
    """The name above that has a DMARC policy, in the account or as the world sees it; "" if none has."""
    if provider.by_hand:
        return policy_above(wish, lookup)
    for name in wish.above:
        for zone in provider.zones(name):
            for each in provider.records(zone, name):
                if each.type == "CNAME" or any(map(is_dmarc, each.values if each.type == "TXT" else ())):
                    return name
    return policy_above(wish, lookup)


def _in_view(found: Sequence[RecordSet], wish: Wish, zone: Zone) -> Sequence[RecordSet]:
    """
    A zone has other records at its own name, so what is called a CNAME there is none to the world, and no text is in
    its way. Source: developers.cloudflare.com/dns/cname-flattening.
    """
    if wish.name != zone.name or isinstance(wish, NoIpv6) or wish.records.type != "TXT":
        return found
    return [each for each in found if each.type != "CNAME"]


def _may_be_changed(change: Change | None, provider: DnsProvider) -> None:
    """Raises ProvisionError for a record that its owner protected, whatever may be replaced."""
    for each in change.remove if change else ():
        if each.special == PROTECTED:
            raise ProvisionError(
                f"{each.name} has {each.type} {shown(each)}, which is {PROTECTED} at {provider.title}. It was not "
                "touched. Take the protection off in the console, and run again."
            )


def proven_by_the_account(wishes: Sequence[Wish], provider: DnsProvider, lookup: Lookup, dns_zone: str) -> list[Wish]:
    """
    Those wishes that are fulfilled at names that the provider itself answers for, with addresses of its own: there the
    name servers prove nothing. Raises ProvisionError.
    """
    found: dict[str, Sequence[RecordSet]] = {}
    for name in dict.fromkeys(wish.name for wish in wishes):
        found[name] = provider.records(_zone(name, provider, lookup, dns_zone)[0], name)
    return [
        wish
        for wish in wishes
        if any(each.special == "proxied" for each in found[wish.name]) and _is_fulfilled(wish, found[wish.name])
    ]


def _is_fulfilled(wish: Wish, found: Sequence[RecordSet]) -> bool:
    try:
        return not wish.pending and wish.change(found, replace=False, task="") is None
    except ProvisionError:
        return False


def _zone(name: str, provider: DnsProvider, lookup: Lookup, dns_zone: str) -> tuple[Zone, str]:
    """The zone, and a warning where the delegation could not be looked at."""
    zones = provider.zones(name)
    try:
        cut = lookup.delegation(name)
    except ProvisionError as refusal:
        return zone_for(name, zones, dns_zone, None, provider.title), f"The delegation was not compared. {refusal}"
    delegated = [zone for zone in zones if zone.name == cut.name]
    if delegated and not any(set(zone.name_servers) & set(cut.servers) for zone in delegated):
        delegated = _by_other_names(delegated, cut, lookup)
    if delegated:
        return zone_for(name, delegated, dns_zone, cut.servers, provider.title), ""
    if zones and len(cut.name) > max(len(zone.name) for zone in zones):
        raise ProvisionError(
            f"{cut.name} is a zone of its own, delegated to {', '.join(cut.servers)}, and the account at "
            f"{provider.title} "
            f"does not have it. Add records there, or remove its NS records in {zones[0].name}."
        )
    return zone_for(name, zones, dns_zone, (), provider.title), ""


def _by_other_names(zones: Sequence[Zone], cut: Cut, lookup: Lookup) -> list[Zone]:
    """
    The zones, each with the name servers of the delegation where these are only other names of its own: providers let
    one have name servers called after one's domain (Route 53: "white-label name servers").
    """
    asked = lookup.addresses_of(cut.servers)
    return [
        dataclasses.replace(zone, name_servers=cut.servers) if asked & lookup.addresses_of(zone.name_servers) else zone
        for zone in zones
    ]


def _proxied(found: Sequence[RecordSet]) -> list[str]:
    return [
        f"{each.name} is proxied by Cloudflare (the orange cloud), and that is left as it is. Certificates then "
        "depend on "
        'Cloudflare\'s settings; to have visitors come directly, switch the record to "DNS only".'
        for each in found
        if each.special == "proxied"
    ]


def _step(change: Change, wish: Wish, provider: DnsProvider, zone: Zone) -> Step:
    gone = ", ".join(f"{each.type} {meaning(each)}" for each in change.remove)
    if change.add is None:
        return Step("~", change.remove[0].type, wish.name, f"removed: {gone}", partial(provider.change, zone, change))
    value = wish.pending or shown(change.add)
    instead = f" instead of {gone}" if gone else ""
    sign = "~" if gone else "+"
    return Step(
        sign,
        change.add.type,
        wish.name,
        f"{change.add.ttl} s → {value}{instead}",
        partial(_publish, provider, zone, change, wish),
    )


def _publish(provider: DnsProvider, zone: Zone, change: Change, wish: Wish) -> None:
    """What a record leads to is known at its turn, or the step before it did not do what it said."""
    if wish.pending:
        raise ProvisionError(f"{wish.name} is to lead to {wish.pending}, and it is not there. Run again.")
    provider.change(zone, change)


def _by_hand(change: Change, wish: Wish) -> list[str]:
    """What stays as it is, such as a text of others at the name, is nobody's work."""
    wanted = {(change.add.type, value) for value in change.add.values} if change.add else set()
    there = {(each.type, value) for each in change.remove for value in each.values}
    lines = [
        f"    remove:  {each.name}. {each.type} {shown(left)}"
        for each in change.remove
        if (left := _without(each, wanted))
    ]
    if change.add is not None and wish.pending:
        lines.append(f"    {change.add.name}. IN {change.add.type} ({wish.pending})")
    elif change.add is not None and (new := _without(change.add, there)):
        lines += [f"    {line}" for line in zone_lines(new)]
    return lines


def _without(records: RecordSet, others: Container[tuple[str, str]]) -> RecordSet | None:
    """The record set without the values that are among others'; None if nothing is left."""
    left = [value for value in records.values if (records.type, value) not in others]
    return record_set(records.name, records.type, left, records.ttl) if left else None
