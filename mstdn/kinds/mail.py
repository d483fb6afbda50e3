"""The kinds of value that mail is sent with: the server that takes it, addresses, the sender."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from mstdn.kinds.network import LABEL, host_name, is_address
from mstdn.kinds.text import or_empty, refuse


def mail_server(value: str) -> str:
    """A host name or address. It is used from inside a container, where localhost is the container."""
    if not value:
        raise refuse("it is not set")
    if "://" in value:
        raise refuse("it has a scheme; only the name belongs here", urlsplit(value).hostname)
    if _is_the_container(value):
        raise refuse("inside Mastodon's container this is the container itself, where no mail server runs")
    if is_address(value):
        return value.strip("[]")
    if ":" in value:
        name, _, port = value.partition(":")
        raise refuse(f"it has a port, which belongs in smtp_port = {port}", name)
    if not all(LABEL.fullmatch(label) for label in value.lower().split(".")):
        raise refuse("it is neither a host name nor an IP address")
    return value


def _is_the_container(value: str) -> bool:
    if is_address(value):
        address = ipaddress.ip_address(value.strip("[]"))
        return address.is_loopback or address.is_unspecified
    return value.lower().rstrip(".") in ("localhost", "localhost.localdomain", "ip6-localhost")


def mail_address(value: str) -> str:
    """local-part@host.name, without a display name."""
    if not value:
        raise refuse("it is not set")
    if re.search(r"[<>]", value):
        within = re.search(r"<([^<>]+)>", value)
        raise refuse("only the address belongs here, without a name", within[1] if within else None)
    local_part, _, domain = value.rpartition("@")
    if not re.fullmatch(r"[A-Za-z0-9.!#%&*+/=?^_~-]+", local_part) or re.search(r"^\.|\.\.|\.$", local_part):
        raise refuse("it is not a mail address")
    try:
        host_name(domain.lower())
    except PydanticCustomError:
        raise refuse("the part after the @ is not a host name") from None
    return value


def mail_sender(value: str) -> str:
    """
    A mail address, or a name followed by one in angle brackets, as Ruby's mail gem reads it.

    Mastodon parses its sender when it boots, so one that cannot be read takes the whole site down; a comma makes two
    addresses of it, and the name becomes the sender of every mail. Quotes would help, but the files that Mastodon's
    environment is read from do not keep them. Source: gem mail 2.9.1, lib/mail/parsers/rfc5322_address.rl; Mastodon's
    config/environments/production.rb.
    """
    named = re.fullmatch(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>", value)
    if named is None and re.search(r"[<>]", value):
        raise refuse("it is not a mail address: one < and one > stand around it, with a name before them or none")
    if named is None:
        return mail_address(value)
    name, address = named["name"], named["address"]
    if wrong := _unreadable(name):
        plain = " ".join(re.sub(r"[,;:\[\]]", " ", name).split())
        raise refuse(wrong, None if _unreadable(plain) else f"{plain} <{address}>")
    mail_address(address)
    return value


def _unreadable(name: str) -> str | None:
    """Why the gem, or a file of Mastodon's environment, would not give a sender's name back as it is."""
    if re.search(r'["\'\\$`\x00-\x1f\x7f]', name):
        return "the name must not have quotes, a backslash, a dollar sign or control characters"
    if found := re.search(r"[,;:\[\]]", name):
        return f"Mastodon cannot read a sender with {found[0]} in the name"
    words = _without_comments(name)
    if words is None:
        return "Mastodon cannot read a sender with a parenthesis without its other half in the name"
    # "Inc.  <a@example.org>", with two spaces, is the address "Inc." for the gem.
    if re.search(r"(?:^|[.@]) +[.@]|[.@]  ", words):
        return "Mastodon cannot read a sender with such dots, @ and spaces in the name"
    return None


def _without_comments(text: str) -> str | None:
    """The text with two spaces for each outer pair of parentheses; None if one has no other half."""
    outside, depth = "", 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth < 0:
            return None
        if depth == 0:
            outside += "  " if character == ")" else character
    return None if depth else outside


MailServer = Annotated[str, AfterValidator(mail_server), Field(title="host name or IP address")]
MailAddressOrEmpty = Annotated[str, or_empty(mail_address), Field(title="mail address or empty")]
MailSender = Annotated[str, AfterValidator(mail_sender), Field(title="mail address, perhaps with a name")]
