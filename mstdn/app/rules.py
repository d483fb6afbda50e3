"""What must hold between the settings of the instance, and among the variables of mastodon_environment."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterator, Mapping
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from mstdn.app.environment import OWNED_BY_SETTINGS, READ_BEFORE, WIRED_BY_THE_SUITE
from mstdn.app.forms import HOSTS, MEANS_FALSE, MEANS_TRUE, NUMBERS, SWITCHES, TEXTS, URLS, WORDS
from mstdn.kinds.images import release_numbers
from mstdn.kinds.mail import mail_sender
from mstdn.kinds.network import networks_in
from mstdn.problems import Problem
from mstdn.secrets.table import MADE_ON_THE_SERVER, OPERATOR_SECRETS


def domains_are_named_once(local_domain: str, web_domain: str, alternate_domains: tuple[str, ...]) -> Iterator[Problem]:
    site_domain = web_domain or local_domain
    for domain in dict.fromkeys(alternate_domains):
        if domain == site_domain or alternate_domains.count(domain) > 1:
            yield Problem(
                "alternate_domains", f'"{domain}" is named twice', f'remove "{domain}" from alternate_domains'
            )


def variables_are_read(mastodon_environment: Mapping[str, str], mastodon_version: str) -> Iterator[Problem]:
    """Some variables are dead, but not for every release that may run."""
    for name in mastodon_environment:
        for prefix, (major, minor) in READ_BEFORE.items():
            if name.startswith(prefix) and release_numbers(mastodon_version) >= (major, minor, 0):
                yield Problem(variable(name), f"it is not read since {major}.{minor}", "remove it")


# Those of programs beneath Mastodon are not known, but for these, which look like its own.
BENEATH = frozenset({"HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy"})
BENEATH_PREFIXES = ("OTEL_", *READ_BEFORE)
KNOWN = BENEATH.union(
    SWITCHES, NUMBERS, WORDS, TEXTS, OWNED_BY_SETTINGS, OPERATOR_SECRETS, MADE_ON_THE_SERVER, WIRED_BY_THE_SUITE
)


def names_are_spelt_right(mastodon_environment: Mapping[str, str]) -> Iterator[Problem]:
    """With AUTHORISED_FETCH, a switch for privacy stays off, and nobody is told."""
    by_capitals = {known.upper(): known for known in sorted(KNOWN)}
    for name in mastodon_environment:
        if name in KNOWN or name.startswith(BENEATH_PREFIXES):
            continue
        if near := difflib.get_close_matches(name.upper(), by_capitals, n=1, cutoff=0.85):
            meant = by_capitals[near[0]]
            owner = OWNED_BY_SETTINGS.get(meant)
            yield Problem(
                variable(name), "no release of Mastodon reads it", f"the setting {owner}" if owner else f'"{meant}"'
            )


def switches_are_true_or_false(mastodon_environment: Mapping[str, str]) -> Iterator[Problem]:
    """
    Mastodon takes "True", "yes" and "1" for false. AUTHORIZED_FETCH is then even worse than absent: it counts as set,
    is off, and cannot be turned on in the administrator's page (app/helpers/authorized_fetch_helper.rb).
    """
    for name, value in mastodon_environment.items():
        if name not in SWITCHES or value in ("true", "false"):
            continue
        word = value.strip().lower()
        meant = ["true"] if word in MEANS_TRUE else ["false"] if word in MEANS_FALSE else ["true", "false"]
        instead = " or ".join(f'"{name}": "{each}"' for each in meant)
        yield Problem(
            variable(name), 'Mastodon takes nothing but "true" for true, and nothing but "false" for false', instead
        )


def numbers_and_words_are_known(mastodon_environment: Mapping[str, str]) -> Iterator[Problem]:
    for name, value in mastodon_environment.items():
        if name in NUMBERS and not re.fullmatch(r"[0-9]+", value, re.ASCII):
            yield Problem(variable(name), "Mastodon reads nothing but digits there", f'"{name}": "3600", for example')
        if name in WORDS and value not in WORDS[name]:
            known = [f'"{word}"' for word in WORDS[name]]
            near = difflib.get_close_matches(value.lower(), WORDS[name], n=1)
            instead = f'"{name}": "{near[0]}"' if near else f'"{name}": {known[0]}'
            yield Problem(variable(name), f"Mastodon knows only {', '.join(known)}", instead)


def urls_and_hosts_lead_somewhere(mastodon_environment: Mapping[str, str]) -> Iterator[Problem]:
    for name, beginnings in URLS.items():
        value = mastodon_environment.get(name, "")
        if value and not (value.startswith(beginnings) and _host_of(value)):
            plain = value.rpartition("://")[2]
            yield Problem(
                variable(name), f"it has to begin with {beginnings[0]}", f'"{name}": "{beginnings[0]}{plain}"'
            )
    for switch, name in HOSTS.items():
        host = mastodon_environment.get(name, "localhost").rpartition("://")[2].partition(":")[0]
        if mastodon_environment.get(switch) == "true" and host in ("", "localhost", "127.0.0.1"):
            wrong = "inside Mastodon's container localhost is the container itself, where nothing of that kind runs"
            yield Problem(variable(name), wrong, f'"{name}": "the name of the server that has it"')


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        # A bracket of an IPv6 address is missing, for example.
        return None


def addresses_can_be_read(mastodon_environment: Mapping[str, str]) -> Iterator[Problem]:
    """They stand beside the sender in every mail, and the same gem reads them."""
    for name in ("SMTP_REPLY_TO", "SMTP_RETURN_PATH"):
        try:
            mail_sender(mastodon_environment.get(name) or "a@example.org")
        except PydanticCustomError as refusal:
            yield Problem(variable(name), refusal.message(), f'"{name}": "admin@example.org", for example')


def variables_have_their_secrets(mastodon_environment: Mapping[str, str], secrets: Container[str]) -> Iterator[Problem]:
    """A run from a machine that lacks the secret would take it away from the server, and log-ins would fail."""
    turned_on = {name for name, value in mastodon_environment.items() if value not in ("", "false")}
    for secret in OPERATOR_SECRETS.values():
        needing = [name for name in secret.needed_by if name in turned_on]
        if needing and secret.name not in secrets and secret.unless not in turned_on:
            yield Problem(
                secret.name, f"{needing[0]} is set but this secret is not", f"{secret.name}='...' in secrets.env"
            )


def passwords_are_secrets(mastodon_environment: Mapping[str, str], secrets: Container[str]) -> Iterator[Problem]:
    """What stands in mastodon_environment is in the container's configuration: whoever may ask Docker can read it."""
    for name, value in mastodon_environment.items():
        secret = OPERATOR_SECRETS.get(name)
        if re.search(r"://[^/?#]*:[^/?#]+@", value):
            remedy = f"{name}='...' in secrets.env; remove it here" if secret else "the URL without its password"
            yield Problem(variable(name), "the URL holds a password, and does not belong here", remedy)
        elif secret and name in secrets:
            yield Problem(variable(name), "secrets.env has a value for it too", "remove one of the two")


def address_lists_can_be_read(mastodon_environment: Mapping[str, str]) -> Iterator[Problem]:
    """Mastodon does not boot with an address in them that it cannot read, and knows none of Express' words."""
    for name in ("ALLOWED_PRIVATE_ADDRESSES", "TRUSTED_PROXY_IP"):
        _, unreadable = networks_in(mastodon_environment.get(name, ""))
        if unreadable:
            yield Problem(
                variable(name), f'"{unreadable[0]}" is not an address or a range of them', "for example 192.0.2.0/24"
            )


def variable(name: str) -> str:
    """How a Problem names a variable."""
    return f'mastodon_environment["{name}"]'
