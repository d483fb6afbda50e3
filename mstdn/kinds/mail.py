"""The kinds of value that mail is sent with: the server that takes it, addresses, the sender."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from mstdn.kinds.network import LABEL, host_name, is_address
from mstdn.kinds.text import refuse


def mail_server(value: str) -> str:
    """A host name or address. It is used from inside a container, where localhost is the container."""
    if not value:
        raise refuse("it is not set")
    if "://" in value:
        raise refuse("it has a scheme; only the name belongs here", urlsplit(value).hostname)
    if value == "localhost" or (is_address(value) and ipaddress.ip_address(value.strip("[]")).is_loopback):
        raise refuse("inside Mastodon's container this is the container itself, where no mail server runs")
    if is_address(value):
        return value.strip("[]")
    if ":" in value:
        name, _, port = value.partition(":")
        raise refuse(f"it has a port, which belongs in smtp_port = {port}", name)
    if not all(LABEL.fullmatch(label) for label in value.lower().split(".")):
        raise refuse("it is neither a host name nor an IP address")
    return value


def mail_address(value: str) -> str:
    """local-part@host.name, without a display name."""
    if not value:
        raise refuse("it is not set")
    if re.search(r"[<>]", value):
        raise refuse("only the address belongs here, without a name", value.partition("<")[2].rstrip("> ") or None)
    local_part, _, domain = value.rpartition("@")
    if not re.fullmatch(r"[A-Za-z0-9.!#%&*+/=?^_~-]+", local_part):
        raise refuse("it is not a mail address")
    try:
        host_name(domain.lower())
    except PydanticCustomError:
        raise refuse("the part after the @ is not a host name") from None
    return value


def mail_sender(value: str) -> str:
    """A mail address, or a name followed by one in angle brackets."""
    named = re.fullmatch(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>", value)
    if named is None:
        return mail_address(value)
    if re.search(r'["\'\\$`\x00-\x1f]', named["name"]):
        raise refuse("the name must not have quotes, a backslash, a dollar sign or control characters")
    mail_address(named["address"])
    return value


MailServer = Annotated[str, AfterValidator(mail_server), Field(title="host name or IP address")]
MailAddress = Annotated[str, AfterValidator(mail_address), Field(title="mail address")]
MailSender = Annotated[str, AfterValidator(mail_sender), Field(title="mail address, perhaps with a name")]
