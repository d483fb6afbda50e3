"""The settings of the domain that Mastodon's mail is sent from."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from mstdn.dns.zone_file import parse_line
from mstdn.kinds.network import HostNameOrEmpty
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.text import refuse
from mstdn.mail_domain.rules import (
    a_domain_sends,
    a_name_has_one_policy,
    bounces_come_back_to_the_domain,
    no_record_of_mail_takes_the_sites_place,
    records_are_known_by_hand,
    sparkpost_takes_the_mail,
    the_mail_provider_has_its_key,
)


def zone_file_line(value: str) -> str:
    """One record, as a zone file has it."""
    try:
        parse_line(value)
    except ValueError as error:
        raise refuse(str(error)) from None
    return value


class MailDomainSettings(Part):
    """What tasks/mail_domain.py reads."""

    title: ClassVar[str] = "Provisioning: the sending domain"
    relations: ClassVar[tuple[Relation, ...]] = (
        the_mail_provider_has_its_key,
        a_domain_sends,
        records_are_known_by_hand,
        bounces_come_back_to_the_domain,
        no_record_of_mail_takes_the_sites_place,
        a_name_has_one_policy,
        sparkpost_takes_the_mail,
    )

    mail_domain_provider: Literal["", "manual", "sparkpost"] = Field(
        "",
        description='Who sends Mastodon\'s mail: "sparkpost", or "manual": mail_domain_records are published and '
        "proven. Empty: nobody looks.",
    )
    mail_domain: HostNameOrEmpty = Field(
        "", examples=["example.org"], description="The sending domain. Empty: the one in smtp_from_address."
    )
    mail_domain_region: Literal["us", "eu"] = Field(
        "us", description='SparkPost: where the account is. Accounts of app.eu.sparkpost.com are "eu".'
    )
    mail_domain_bounce: HostNameOrEmpty = Field(
        "",
        examples=["bounce.example.org"],
        description="SparkPost: a name for bounces under the sending domain; large providers expect one. Empty: none.",
    )
    mail_domain_dkim_bits: Literal[1024, 2048] = Field(2048, description="SparkPost: the size of its DKIM key.")
    mail_domain_records: Annotated[
        tuple[Annotated[str, AfterValidator(zone_file_line), Field(title="record")], ...],
        Field(strict=False, title="list of records"),
    ] = Field(
        (),
        examples=[['k1._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=MIIB"']],
        description="The records that your mail provider wants, as lines of a zone file, for mail_domain_provider = "
        '"manual".',
    )
