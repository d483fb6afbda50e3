"""The kinds of value that name a file or directory, on the server or on the operator's own machine."""

from __future__ import annotations

import re
import ssl
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from mstdn.kinds.text import or_empty, refuse
from mstdn.layout import CACHE, NOTES, PROGRAMS
from mstdn.operator_files import operator_path

SYSTEM_DIRECTORIES = frozenset(
    f"/{name}"
    for name in (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run"),
        *("sbin", "srv", "sys", "tmp", "usr", "var"),
    )
)
# Docker's own, and those that the suite keeps outside of the instance: a note there tells where the instance lies, what
# it does not know is removed from among its programs, and the cache of backups is anybody's to remove.
OTHERS_DIRECTORIES = ("/etc", "/boot", "/var/lib/docker", "/var/lib/containerd", NOTES, PROGRAMS, CACHE)
VOLATILE_DIRECTORIES = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/")  # noqa: S108 (refused, not used)


def server_path(value: str) -> str:
    """An absolute path on the server, free of anything a shell, fstab or Compose would have to quote."""
    if not value.startswith("/"):
        raise refuse("it is not an absolute path", f"/srv/{value.strip('./ ')}" if value.strip("./ ") else None)
    if value != "/" and value.endswith("/"):
        raise refuse("it ends in a slash", value.rstrip("/") or None)
    if value in SYSTEM_DIRECTORIES or value == "/":
        raise refuse("this directory belongs to the system; name one of its own")
    if owner := next((each for each in OTHERS_DIRECTORIES if lies_in(value, each)), None):
        raise refuse(f"{owner} has an owner who decides what lies there; name a directory of its own")
    if value.startswith(VOLATILE_DIRECTORIES):
        raise refuse("what lies there is gone after a reboot")
    if not re.fullmatch(r"(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+", value):
        raise refuse("only letters, digits, dot, underscore and hyphen may stand between its slashes, and no ..")
    return value


def certificates(value: str) -> str:
    """A file of certificates (PEM) on this machine. Returns its absolute path."""
    path = operator_path(value)
    try:
        text = path.read_bytes().decode("ascii", errors="ignore")
    except OSError as error:
        raise refuse(f"this machine cannot read {path}: {error.strerror}") from None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise refuse(f"{path} does not hold certificates in PEM form (-----BEGIN CERTIFICATE-----)") from None
    return str(path)


def patches_directory(value: str) -> str:
    """A directory of *.patch files on this machine. Returns its absolute path."""
    path = operator_path(value)
    if not path.is_dir():
        raise refuse(f"{path} is not a directory of this machine")
    if not any(path.glob("*.patch")):
        raise refuse(f"{path} has no *.patch file")
    return str(path)


def existing_file(value: str) -> str:
    """A file on this machine, whatever is in it. Returns its absolute path."""
    path = operator_path(value)
    if not path.is_file():
        raise refuse(f"this machine has no file {path}")
    return str(path)


def lies_in(path: str, directory: str) -> bool:
    """Whether a path of the server is `directory` or lies below it."""
    return PurePosixPath(path).is_relative_to(directory)


ServerPath = Annotated[str, AfterValidator(server_path), Field(title="absolute path on the server")]
FileOrEmpty = Annotated[str, or_empty(existing_file), Field(title="file on this machine, or empty")]
CertificatesOrEmpty = Annotated[str, or_empty(certificates), Field(title="file on this machine, or empty")]
PatchesOrEmpty = Annotated[str, or_empty(patches_directory), Field(title="directory on this machine, or empty")]
