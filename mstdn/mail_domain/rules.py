"""What must hold between the settings of the sending domain."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

from mstdn.cloud.rules import missing_keys
from mstdn.dns.zone_file import parse_line
from mstdn.problems import Problem


def domain_of(sender: str) -> str:
    """The domain of a sender such as smtp_from_address, or ""."""
    return sender.rpartition("@")[2].rstrip("> ").lower()


def the_mail_provider_has_its_key(mail_domain_provider: str, secrets: Container[str]) -> Iterator[Problem]:
    yield from missing_keys("mail_domain_provider", mail_domain_provider, secrets)


def a_domain_sends(mail_domain_provider: str, mail_domain: str, smtp_from_address: str) -> Iterator[Problem]:
    if not mail_domain_provider:
        return
    sender = domain_of(smtp_from_address)
    if not mail_domain and not sender:
        yield Problem(
            "mail_domain", "neither it nor smtp_from_address says which domain sends", 'mail_domain = "example.org"'
        )
    elif mail_domain and sender and sender != mail_domain and not sender.endswith(f".{mail_domain}"):
        # Receivers compare the two (DMARC alignment; mastodon#15895).
        yield Problem(
            "mail_domain",
            f"smtp_from_address is at {sender}, which is not {mail_domain} nor under it: such mail is refused or "
            "marked as junk",
            f'mail_domain = "{sender}", or another smtp_from_address',
            f'"{mail_domain}"',
        )


def records_are_known_by_hand(mail_domain_provider: str, mail_domain_records: Sequence[str]) -> Iterator[Problem]:
    if mail_domain_provider == "manual" and not mail_domain_records:
        yield Problem(
            "mail_domain_records",
            'mail_domain_provider = "manual" publishes and proves these records, and there are none',
            "the records that your mail provider's console shows, each as one line of a zone file",
        )


def bounces_come_back_to_the_domain(
    mail_domain_provider: str, mail_domain_bounce: str, mail_domain: str, smtp_from_address: str
) -> Iterator[Problem]:
    domain = mail_domain or domain_of(smtp_from_address)
    if mail_domain_provider and domain and mail_domain_bounce and not mail_domain_bounce.endswith(f".{domain}"):
        yield Problem("mail_domain_bounce", f"it is not under {domain}", f'mail_domain_bounce = "bounce.{domain}"')


def no_record_of_mail_takes_the_sites_place(
    mail_domain_provider: str,
    mail_domain_bounce: str,
    mail_domain_records: Sequence[str],
    local_domain: str,
    web_domain: str,
    alternate_domains: Sequence[str],
) -> Iterator[Problem]:
    """Addresses and an alias at one name cannot both be; each run would put the one in the other's place."""
    site = {web_domain or local_domain, *alternate_domains}
    if not mail_domain_provider:
        return
    if mail_domain_bounce in site and mail_domain_bounce:
        yield Problem("mail_domain_bounce", "it is a name of the site, which leads to the server", "another name")
    for record in mail_domain_records:
        name, kind, _ = parse_line(record)
        if name in site and kind in ("A", "AAAA", "CNAME"):
            wrong = f"{name} is a name of the site, which leads to the server, and cannot have another {kind} record"
            yield Problem("mail_domain_records", wrong, "the records of your mail provider without this one", record)


def a_name_has_one_policy(mail_domain_provider: str, mail_domain_records: Sequence[str]) -> Iterator[Problem]:
    """Of each kind (RFC 7208, 3.2; RFC 7489, 6.6.3)."""
    if not mail_domain_provider:
        return
    texts = [(name, value.lower()) for name, kind, value in map(parse_line, mail_domain_records) if kind == "TXT"]
    for version, kind in (("v=spf1", "SPF"), ("v=dmarc1", "DMARC")):
        names = [name for name, value in texts if value.startswith(version)]
        for name in dict.fromkeys(each for each in names if names.count(each) > 1):
            wrong = f"{name} has {names.count(name)} {kind} records here, and receivers then heed none"
            yield Problem("mail_domain_records", wrong, "one record that says what all of them say")


def sparkpost_takes_the_mail(
    mail_domain_provider: str, mail_domain_region: str, smtp_server: str, smtp_login: str, smtp_authentication: str
) -> Iterator[Problem]:
    """Source: developers.sparkpost.com/api/smtp."""
    if mail_domain_provider != "sparkpost" or not smtp_server:
        return
    right = {"us": "smtp.sparkpostmail.com", "eu": "smtp.eu.sparkpostmail.com"}[mail_domain_region]
    for name, value, instead in (
        ("smtp_server", smtp_server, right),
        ("smtp_login", smtp_login, "SMTP_Injection"),
        ("smtp_authentication", smtp_authentication, "login"),
    ):
        if value != instead:
            wrong = f"SparkPost ({mail_domain_region}) takes mail another way"
            yield Problem(name, wrong, f'{name} = "{instead}"', f'"{value}"')
