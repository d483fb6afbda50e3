"""Whether others believe a sender: what the DNS says of his domain (SPF, DKIM, DMARC). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mstdn.mail.dns_messages import Texts

PROVIDER = "Your mail provider names the record."


def address_of(sender: str) -> str:
    """The address of a sender, who may have a name before it."""
    return sender.rpartition("<")[2].rstrip("> ")


def domain_of(sender: str) -> str:
    """The domain of a sender."""
    return address_of(sender).rpartition("@")[2].lower()


def names(domain: str) -> tuple[str, ...]:
    """The names whose TXT records tell: the domain, the place of its DKIM keys, and where a policy may stand."""
    return (domain, f"_domainkey.{domain}", *(f"_dmarc.{each}" for each in _with_parents(domain)))


def _with_parents(domain: str) -> Iterator[str]:
    """A domain without a policy of its own has that of its organisation (RFC 7489, section 6.6.3)."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        yield ".".join(labels[start:])


def doubts(domain: str, found: Mapping[str, Texts]) -> Iterator[str]:
    """Why receivers may take the domain's mail for spam, each with what to do. found: by name."""
    yield from _spf(domain, found[domain])
    # A name below which there is something exists, even if it says nothing itself (RFC 8020).
    if not found[f"_domainkey.{domain}"].exists:
        yield (
            f"There is no DKIM key below _domainkey.{domain}, so the mail is either not signed or signed for another "
            f"domain, and large receivers distrust it. {PROVIDER}"
        )
    yield from _dmarc(domain, found)


def _spf(domain: str, found: Texts) -> Iterator[str]:
    records = [each for each in found.values if each.lower().split(" ")[0] == "v=spf1"]
    if not records:
        yield (
            f"{domain} has no SPF record (TXT v=spf1 …), so receivers cannot tell who may send for it. {PROVIDER} If "
            "it sends with an address of its own for bounces, its SPF counts and this one is optional."
        )
    elif len(records) > 1:
        yield f"{domain} has {len(records)} SPF records, and receivers then ignore all of them: make one of them."
    else:
        terms = records[0].lower().split()
        if "+all" in terms or "all" in terms:
            yield f'The SPF record of {domain} lets everybody send ("{records[0]}"): end it with ~all or -all.'
        elif not any(term in ("-all", "~all", "?all") or term.startswith("redirect=") for term in terms):
            yield f'The SPF record of {domain} does not end ("{records[0]}"): add ~all.'


def _dmarc(domain: str, found: Mapping[str, Texts]) -> Iterator[str]:
    for each in _with_parents(domain):
        records = [text for text in found[f"_dmarc.{each}"].values if text.replace(" ", "").startswith("v=DMARC1")]
        if len(records) > 1:
            yield f"_dmarc.{each} has {len(records)} DMARC records, and receivers then ignore all: keep one."
        if records:
            return
    yield f'{domain} has no DMARC policy, which large receivers ask for: TXT _dmarc.{domain} "v=DMARC1; p=none".'
