"""
Route 53, through boto3, which knows AWS's profiles, single sign-on and signatures.

Every change is compare-and-swap: CREATE fails where something is, DELETE fails where something else is, and a batch is
all or nothing. UPSERT would overwrite what somebody changed since we looked.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from pydantic import SecretStr

from mstdn.cloud.errors import ProviderError, ProvisionError, UnreachableError
from mstdn.cloud.extras import extra
from mstdn.cloud.waiting import pause
from mstdn.dns.rules import Change, RecordSet, Zone, canonical, record_set, suffixes
from mstdn.dns.zone_file import unquoted, written

REGION = "us-east-1"
NOT_AS_EXPECTED = ("already exists", "but it was not found", "do not match the current values")
LONGEST_POLL_SECONDS = 5
PUBLISH_SECONDS = 120
# What these log under --debug-all holds signed requests, tokens of a session, and keys as single sign-on sends them.
TELLTALES = ("botocore.endpoint", "botocore.auth", "botocore.parsers")


class NotAllowedError(ProvisionError):
    """The user lacks a right."""


class Route53:
    title = "Route 53"
    by_hand = False

    def __init__(self, client: Any, profile: str = ""):
        """client: boto3's, for route53. profile: the one in dns_aws_profile that it is logged in with, or ""."""
        self._client = client
        self._in_words = partial(_in_words, profile)

    @classmethod
    def logged_in(cls, profile: str, keys: Mapping[str, SecretStr], media_key: SecretStr | None) -> Route53:
        """
        With this profile; or with ROUTE53_*; or with what AWS's own tools would use. `media_key`: AWS_ACCESS_KEY_ID.

        Raises ProvisionError where there is no login, or where it is the key that lies on the server for media.
        """
        access_key, secret_key = "", ""
        if not profile and "ROUTE53_ACCESS_KEY_ID" in keys:
            access_key = keys["ROUTE53_ACCESS_KEY_ID"].get_secret_value()
            secret_key = keys["ROUTE53_SECRET_ACCESS_KEY"].get_secret_value()
        client, used = _client_and_key(profile, access_key, secret_key)
        if media_key is not None and media_key.get_secret_value() == used:
            raise ProvisionError(
                "The login for Route 53 is the key in AWS_ACCESS_KEY_ID, which lies on the server for media: whoever "
                "gets into the server could then move its name. Make another key and put it into "
                "ROUTE53_ACCESS_KEY_ID and ROUTE53_SECRET_ACCESS_KEY."
            )
        return cls(client, profile)

    def zones(self, name: str) -> Sequence[Zone]:
        return [zone for suffix in suffixes(name) for zone in self._called(suffix)]

    def _called(self, suffix: str) -> Sequence[Zone]:
        """The public zones of this name: two are legal, and any number of private ones."""
        ids = [zone["Id"] for zone in self._by_name(suffix) if not zone["Config"]["PrivateZone"]]
        found, refusals = [], []
        for zone_id in ids:
            try:
                with self._in_words(f"read the hosted zone {suffix}"):
                    servers = self._client.get_hosted_zone(Id=zone_id)["DelegationSet"]["NameServers"]
            except NotAllowedError as refusal:
                # A user with rights to one of two zones of a name is not meant to touch the other.
                refusals.append(refusal)
                continue
            names = tuple(sorted(server.rstrip(".").lower() for server in servers))
            found.append(Zone(zone_id.removeprefix("/hostedzone/"), suffix, names))
        if refusals and not found:
            raise refusals[0]
        return found

    def _by_name(self, suffix: str) -> Iterator[dict[str, Any]]:
        """Sorted by name, so those of this name come first, page by page."""
        start = {"DNSName": suffix}
        while True:
            with self._in_words("list the hosted zones"):
                page = self._client.list_hosted_zones_by_name(MaxItems="100", **start)
                zones, more = page["HostedZones"], page["IsTruncated"]
            for zone in zones:
                if zone["Name"].rstrip(".") != suffix:
                    return
                yield zone
            if not more:
                return
            start = {"DNSName": page["NextDNSName"], "HostedZoneId": page["NextHostedZoneId"]}

    def records(self, zone: Zone, name: str) -> Sequence[RecordSet]:
        found: list[RecordSet] = []
        start: dict[str, str] = {"StartRecordName": f"{name}."}
        while True:
            with self._in_words("list DNS records"):
                page = self._client.list_resource_record_sets(HostedZoneId=zone.id, MaxItems="100", **start)
                sets, more = page["ResourceRecordSets"], page["IsTruncated"]
            for each in sets:
                if _plain(each["Name"]) != name:
                    return found
                found.append(_record_set(name, each))
            if not more:
                return found
            start = {"StartRecordName": page["NextRecordName"], "StartRecordType": page["NextRecordType"]}

    def change(self, zone: Zone, change: Change) -> None:
        changes = [{"Action": "DELETE", "ResourceRecordSet": old.raw} for old in change.remove]
        if change.add is not None:
            # What stays is sent as it was found: a text of several strings means more to somebody than their sum.
            found = {
                canonical_value: written
                for old in change.remove
                if old.type == change.add.type
                for canonical_value, written in _as_found(old)
            }
            values = [{"Value": found.get(value) or written(change.add.type, value)} for value in change.add.values]
            new = {
                "Name": f"{change.add.name}.",
                "Type": change.add.type,
                "TTL": change.add.ttl,
                "ResourceRecords": values,
            }
            changes.append({"Action": "CREATE", "ResourceRecordSet": new})
        subject = change.add or change.remove[0]
        doing = f"change the record {subject.type} of {subject.name}"
        with self._in_words(doing):
            batch = {"Changes": changes}
            info = self._client.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch=batch)["ChangeInfo"]
        self._wait_until_published(info)

    def _wait_until_published(self, info: Mapping[str, Any]) -> None:
        waited, poll = 0, 1
        while info["Status"] != "INSYNC":
            if waited >= PUBLISH_SECONDS:
                # It was accepted, and a change at Route 53 is never taken back: the proof looks at the servers.
                return
            pause(poll)
            waited, poll = waited + poll, min(LONGEST_POLL_SECONDS, poll * 2)
            with self._in_words("say whether the change is published"):
                info = self._client.get_change(Id=info["Id"])["ChangeInfo"]


@cache
def _client_and_key(profile: str, access_key: str, secret_key: str) -> tuple[Any, str]:
    """boto3's client and the access key that it uses. Once in a run: reading Amazon's description takes a while."""
    needed_for = 'dns_provider = "route53"'
    boto3 = extra("boto3", "boto3", needed_for)
    for told in TELLTALES:
        logging.getLogger(told).setLevel(logging.INFO)
    exceptions = extra("botocore.exceptions", "boto3", needed_for)
    config = extra("botocore.config", "boto3", needed_for).Config(
        connect_timeout=10, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5}
    )
    own = {"aws_access_key_id": access_key, "aws_secret_access_key": secret_key} if access_key else {}
    try:
        session = boto3.Session(profile_name=profile or None, region_name=REGION, **own)
        credentials = session.get_credentials()
        # Single sign-on, another program and the role of another account are asked only now.
        used = credentials.access_key if credentials else ""
    except exceptions.ProfileNotFound as error:
        raise ProvisionError(
            f"AWS's files do not have the profile that is asked for: {error}. Correct dns_aws_profile."
        ) from None
    except (exceptions.SSOError, exceptions.TokenRetrievalError):
        raise _expired(profile) from None
    except (exceptions.BotoCoreError, exceptions.ClientError, KeyError, ValueError) as error:
        what = str(error).rstrip(" .") if isinstance(error, (exceptions.BotoCoreError, exceptions.ClientError)) else ""
        raise ProvisionError(
            f"AWS's login does not work: {what or 'what it got is no key'}. Put ROUTE53_ACCESS_KEY_ID and "
            "ROUTE53_SECRET_ACCESS_KEY into secrets.env instead."
        ) from None
    if not used:
        raise ProvisionError(
            "There is no login for Route 53. Put ROUTE53_ACCESS_KEY_ID and ROUTE53_SECRET_ACCESS_KEY into "
            "secrets.env, or name a profile of ~/.aws: dns_aws_profile."
        )
    return session.client("route53", config=config), used


@contextmanager
def _in_words(profile: str, doing: str) -> Iterator[None]:
    """Turns botocore's exceptions within it into sentences with a remedy."""
    exceptions = extra("botocore.exceptions", "boto3", 'dns_provider = "route53"')
    parsers = extra("botocore.parsers", "boto3", 'dns_provider = "route53"')
    try:
        yield
    except (parsers.ResponseParserError, KeyError):
        raise UnreachableError(
            f"Route 53 was asked to {doing} and answered with something that is no answer of it. Is a proxy or a "
            "captive portal in between? Run again: what is done already is found then."
        ) from None
    except exceptions.ClientError as error:
        raise _explained(error.response, doing, profile) from None
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise ProvisionError(f"The login for Route 53 is not complete: {error}.") from None
    except (exceptions.SSOError, exceptions.TokenRetrievalError):
        raise _expired(profile) from None
    except exceptions.BotoCoreError as error:
        reason = "its certificate is not one that this computer trusts" if "SSL" in str(error) else "no answer came"
        bundle = os.environ.get("AWS_CA_BUNDLE", "")
        if bundle and not os.path.exists(bundle):
            reason = f"the file of certificates {bundle} is not there (AWS_CA_BUNDLE in the environment)"
        raise UnreachableError(
            f"Route 53 was asked to {doing}, but {reason}. Run again: what is done already is found then."
        ) from None


def _expired(profile: str) -> ProvisionError:
    named = profile or os.environ.get("AWS_PROFILE", "")
    option = f" --profile {named}" if named else ""
    return ProvisionError(f"The login for Route 53 has expired. Type: aws sso login{option}")


def _explained(response: Mapping[str, Any], doing: str, profile: str) -> ProvisionError:
    code, words = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in ("InvalidClientTokenId", "UnrecognizedClientException"):
        return ProvisionError(
            "AWS does not know the access key for Route 53 (ROUTE53_ACCESS_KEY_ID, or the profile's)."
        )
    if code == "SignatureDoesNotMatch":
        return ProvisionError(
            "The secret key for Route 53 does not belong to its access key (ROUTE53_SECRET_ACCESS_KEY), or this "
            "computer's clock is wrong."
        )
    if code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
        return _expired(profile)
    if code in ("AccessDenied", "AccessDeniedException"):
        return NotAllowedError(
            f"Route 53 did not {doing}: {words} Give the user a policy with route53:ListHostedZonesByName, "
            "route53:GetHostedZone, route53:ListResourceRecordSets, route53:ChangeResourceRecordSets and "
            "route53:GetChange (docs/provisioning.md has it)."
        )
    if code == "InvalidChangeBatch" and any(part in words for part in NOT_AS_EXPECTED):
        return ProvisionError(f"Somebody changed the record at the same moment: {words} It was not touched; run again.")
    if code in ("PriorRequestNotComplete", "Throttling", "ThrottlingException"):
        return ProvisionError(
            f"Route 53 did not {doing}: it is busy with other changes ({code}). Run again in a minute."
        )
    return ProviderError("Route 53", doing, status, code, words, {})


def _record_set(name: str, found: Mapping[str, Any]) -> RecordSet:
    kind = found["Type"]
    values = [each["Value"] for each in found.get("ResourceRecords", [])]
    special = ""
    if "AliasTarget" in found:
        special = f"an alias of {found['AliasTarget']['DNSName'].rstrip('.')}"
    elif "SetIdentifier" in found:
        special = f"one of several answers by a routing policy ({found['SetIdentifier']})"
    texts = [unquoted(value) if kind == "TXT" else value for value in values]
    return record_set(name, kind, texts, found.get("TTL", 60), special, dict(found))


def _as_found(records: RecordSet) -> Iterator[tuple[str, str]]:
    """Each value in its canonical form and as Route 53 has it."""
    assert isinstance(records.raw, dict)
    for each in records.raw.get("ResourceRecords", []):
        value = str(each["Value"])
        yield canonical(records.type, unquoted(value) if records.type == "TXT" else value), value


def _plain(name: str) -> str:
    """Route 53 writes a name's unusual characters in octal: \\052 is an asterisk."""
    return name.replace("\\052", "*").rstrip(".").lower()
