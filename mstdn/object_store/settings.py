"""The settings of the object store for media."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mstdn.kinds.network import HostAndPathOrEmpty, WebUrlOrEmpty
from mstdn.kinds.part import Part, Relation
from mstdn.kinds.text import OneLine
from mstdn.object_store.rules import media_have_a_host, s3_has_a_bucket_and_keys, the_bucket_is_named_once


class ObjectStoreSettings(Part):
    """Where uploads lie when they do not lie on the server."""

    title: ClassVar[str] = "Media in object storage"
    relations: ClassVar[tuple[Relation, ...]] = (s3_has_a_bucket_and_keys, the_bucket_is_named_once, media_have_a_host)

    s3_enabled: bool = Field(
        False,
        description="Keep uploads in an object store instead of on the server. The keys are AWS_ACCESS_KEY_ID"
        " and AWS_SECRET_ACCESS_KEY in secrets.env.",
    )
    s3_bucket: OneLine = Field("", examples=["mastodon-media"], description="The bucket's name.")
    s3_region: OneLine = Field("", examples=["eu-central-1"], description="The bucket's region.")
    s3_endpoint: WebUrlOrEmpty = Field(
        "",
        examples=["https://s3.example.org"],
        description='The address of the store when it is not Amazon: "https://s3.example.org". s3_hostname or '
        "s3_alias_host is then needed too. Some of these stores also want S3_FORCE_SINGLE_REQUEST, S3_READ_TIMEOUT, "
        "S3_RETRY_LIMIT, S3_BATCH_DELETE_LIMIT, AWS_REQUEST_CHECKSUM_CALCULATION and AWS_RESPONSE_CHECKSUM_VALIDATION "
        '("when_required") in mastodon_environment.',
    )
    s3_hostname: HostAndPathOrEmpty = Field(
        "",
        examples=["s3.example.org"],
        description="The host in the addresses of media when it is not Amazon's, mostly that of s3_endpoint.",
    )
    s3_alias_host: HostAndPathOrEmpty = Field(
        "",
        examples=["media.example.org"],
        description="A CDN or proxy in front of the bucket, with its path if it has one.",
    )
    s3_permission: Literal["public-read", "private", ""] = Field(
        "public-read",
        description='The access list of each object: "public-read", "private", or "" for stores that know none.',
    )
