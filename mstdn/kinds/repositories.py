"""The kinds of value that name a place for backups, in the words of restic."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from mstdn.kinds.network import https_url
from mstdn.kinds.paths import server_path
from mstdn.kinds.text import or_empty, refuse

SFTP = re.compile(r"sftp:(?P<user>[a-z0-9._-]+)@(?P<host>[A-Za-z0-9.-]+):(?P<path>/?[A-Za-z0-9._/-]+)")
SFTP_WITH_PORT = re.compile(
    r"sftp://(?P<user>[a-z0-9._-]+)@(?P<host>[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})/(?P<path>[A-Za-z0-9._/-]+)"
)


def backup_repository(value: str) -> str:
    """A repository of restic: a directory of the server, sftp:user@host:/path, or s3:https://host/bucket/path."""
    if value.startswith("s3:"):
        rest = value.removeprefix("s3:")
        try:
            url = https_url(rest)
        except PydanticCustomError as error:
            instead = f"s3:https://{rest.partition('://')[2] or rest}".rstrip("/")
            raise refuse(f"what follows s3: is no address: {error.message()}", instead) from None
        if not re.fullmatch(r"https://[^/]+/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*", url):
            raise refuse("it names no bucket after the host", f"s3:{url.split('/', 3)[0]}//{url.split('/')[2]}/backups")
        return value
    if value.startswith("sftp:"):
        if not (SFTP.fullmatch(value) or SFTP_WITH_PORT.fullmatch(value)):
            raise refuse("it is neither sftp:user@host:/path nor sftp://user@host:port//path")
        return value
    if value.startswith(("rest:", "rclone:", "b2:", "azure:", "gs:", "swift:")):
        raise refuse("the suite knows a directory, sftp: and s3:, and no other kind of repository")
    return server_path(value)


def ssh_host_key(value: str) -> str:
    """The public key of an SSH server: its kind and its base64, without a host name before or a comment behind."""
    words = value.split()
    for position, word in enumerate(words[:-1]):
        if re.fullmatch(r"(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))", word):
            key = f"{word} {words[position + 1]}"
            if key == value and re.fullmatch(r"[A-Za-z0-9+/]{40,}={0,2}", words[position + 1]):
                return value
            raise refuse("it is the kind of the key and the key, and nothing else", key)
    raise refuse("it is not the public key of an SSH server, as ssh-keyscan -t ed25519 prints it after the name")


def time_of_day(value: str) -> str:
    """A time of day in the server's time zone, "03:30"."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value, re.ASCII):
        padded = f"0{value}" if re.fullmatch(r"[0-9]:[0-5][0-9]", value, re.ASCII) else None
        raise refuse("it is not a time of day, hours and minutes", padded)
    return value


def snapshot_name(value: str) -> str:
    """What restic calls a snapshot: 8 to 64 hexadecimal digits; or "latest"."""
    if not re.fullmatch(r"latest|[0-9a-f]{8,64}", value, re.ASCII):
        raise refuse('it is neither "latest" nor the 8 digits and letters that restic calls a snapshot by')
    return value


RepositoryOrEmpty = Annotated[str, or_empty(backup_repository), Field(title="place of a repository, or empty")]
SshHostKeyOrEmpty = Annotated[str, or_empty(ssh_host_key), Field(title="public key, or empty")]
TimeOfDay = Annotated[str, AfterValidator(time_of_day), Field(title="time of day")]
