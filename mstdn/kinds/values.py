"""
The kinds of value a setting can have: annotated types whose validators say what is wrong and, where it can
be guessed, which value was meant. Those that belong to a network are in network_kinds.py.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from mstdn.secrets.operator import unfit_for_dotenv

# Paths of the operator's own machine are relative to the directory of deploy.py, wherever pyinfra is started.
SUITE_DIRECTORY = Path(__file__).resolve().parents[2]

# Mastodon before 4.4 does not boot without OTP_SECRET, which the suite does not make.
OLDEST_MASTODON = (4, 4, 0)

SYSTEM_DIRECTORIES = frozenset(
    f"/{name}"
    for name in (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run"),
        *("sbin", "srv", "sys", "tmp", "usr", "var"),
    )
)
VOLATILE_DIRECTORIES = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/")  # noqa: S108 (refused, not used)


def refuse(wrong: str, instead: object = None) -> PydanticCustomError:
    """The error a validator raises. instead: the value that was probably meant, None if nobody can tell."""
    return PydanticCustomError("setting", "{wrong}", {"wrong": wrong, "instead": instead})


def not_a_number(value: object) -> object:
    """The value, unless it is a number: Python takes 1 for True."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refuse('it must be "auto", True or False')
    return value


def or_empty(validator: Callable[[str], str]) -> AfterValidator:
    """The validator, for a setting that may also be left empty."""
    return AfterValidator(lambda value: validator(value) if value else value)


def release(value: str) -> str:
    """Exactly one stable release, written as its tag: v4.7.6."""
    if not value:
        raise refuse("it is not set")
    if re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", value):
        raise refuse("a release is written with its v", f"v{value}")
    if value in ("latest", "edge", "nightly") or re.fullmatch(r"v?[0-9]+(\.[0-9]+)?", value):
        raise refuse("this name moves from release to release; one exact release is needed")
    if re.fullmatch(r"v\d+\.\d+\.\d+[-+.].+", value):
        raise refuse("this is not a stable release")
    if not re.fullmatch(r"v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", value):
        raise refuse("this is not a release but perhaps a branch, and a branch moves")
    if release_numbers(value) < OLDEST_MASTODON:
        raise refuse("releases before v4.4.0 are not maintained and need secrets that the suite does not make")
    return value


def release_numbers(value: str) -> tuple[int, int, int]:
    """(major, minor, patch) of a stable release such as v4.7.6."""
    major, minor, patch = value.removeprefix("v").split(".")
    return int(major), int(minor), int(patch)


IMAGE_NAME = r"([a-z0-9][a-z0-9.-]*(:\d+)?/)?[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*"
IMAGE = re.compile(
    rf"(?P<name>{IMAGE_NAME})(:(?P<tag>\w[\w.-]{{0,127}}))?(?P<digest>@sha256:[0-9a-f]{{64}})?", re.ASCII
)


def image_repository(value: str) -> str:
    """An image's name without tag and digest: the tag is mastodon_version."""
    image = IMAGE.fullmatch(value)
    if image is None:
        raise refuse("it is not the name of an image")
    if image["tag"] or image["digest"]:
        raise refuse("its tag is mastodon_version; only the name belongs here", image["name"])
    return value


def image_reference(value: str) -> str:
    """An image with an explicit tag that names a version, or with a digest."""
    image = IMAGE.fullmatch(value)
    if image is None:
        raise refuse("it is not the name of an image with a tag")
    if image["digest"]:
        return value
    if image["tag"] is None:
        raise refuse("it has no tag, which means latest, and latest moves")
    if not re.search(r"\d", image["tag"]):
        raise refuse("its tag names no version, so it moves; name a version or a digest")
    return value


def server_path(value: str) -> str:
    """An absolute path on the server, free of anything a shell, fstab or Compose would have to quote."""
    if not value.startswith("/"):
        raise refuse("it is not an absolute path", f"/srv/{value.strip('./ ')}" if value.strip("./ ") else None)
    if value != "/" and value.endswith("/"):
        raise refuse("it ends in a slash", value.rstrip("/") or None)
    if value in SYSTEM_DIRECTORIES or value == "/":
        raise refuse("this directory belongs to the system; name one of its own")
    if value.startswith(VOLATILE_DIRECTORIES):
        raise refuse("what lies there is gone after a reboot")
    if not re.fullmatch(r"(/(?!\.\.?(/|$))[A-Za-z0-9._-]+)+", value):
        raise refuse("only letters, digits, dot, underscore and hyphen may stand between its slashes, and no ..")
    return value


def fingerprint(value: str) -> str:
    """An OpenPGP version 4 fingerprint: 40 hexadecimal digits. Spaces are removed, as gpg prints some."""
    digits = re.sub(r"\s", "", value).upper()
    if not re.fullmatch(r"[0-9A-F]{40}", digits):
        raise refuse("a key's fingerprint has 40 hexadecimal digits")
    return digits


def user_name(value: str) -> str:
    """A Unix account: what useradd of Debian accepts."""
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", value):
        raise refuse("it is not the name of a Unix account")
    return value


def package_version(value: str) -> str:
    """A Debian package version with its epoch, as apt-cache madison lists it."""
    if not re.fullmatch(r"[0-9][A-Za-z0-9.+:~-]*", value):
        raise refuse("it is not a version as apt lists it")
    return value


def locale(value: str) -> str:
    """A locale as Mastodon names it: en, pt-BR, sr-Latn."""
    if not re.fullmatch(r"[a-z]{2,3}(-([A-Z]{2}|[A-Z][a-z]{3}))?", value):
        raise refuse("it is not a locale as Mastodon names them")
    return value


def certificates(value: str) -> str:
    """A file of certificates (PEM) on this machine. Returns its absolute path."""
    path = SUITE_DIRECTORY / Path(value).expanduser()
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
    path = SUITE_DIRECTORY / Path(value).expanduser()
    if not path.is_dir():
        raise refuse(f"{path} is not a directory of this machine")
    if not any(path.glob("*.patch")):
        raise refuse(f"{path} has no *.patch file")
    return str(path)


def one_line(value: str) -> str:
    """Text that can stand in single quotes in the environment files of Compose and Mastodon."""
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise refuse("it has a line break or another control character")
    if wrong := unfit_for_dotenv(value):
        raise refuse(wrong)
    return value


Release = Annotated[str, AfterValidator(release), Field(title="release, with its v")]
ImageRepository = Annotated[str, AfterValidator(image_repository), Field(title="image without tag")]
ImageReference = Annotated[str, AfterValidator(image_reference), Field(title="image with tag or digest")]
ServerPath = Annotated[str, AfterValidator(server_path), Field(title="absolute path on the server")]
Fingerprint = Annotated[str, AfterValidator(fingerprint), Field(title="40 hexadecimal digits")]
UserName = Annotated[str, AfterValidator(user_name), Field(title="Unix account")]
PackageVersionOrEmpty = Annotated[str, or_empty(package_version), Field(title="package version or empty")]
Locale = Annotated[str, AfterValidator(locale), Field(title="locale")]
CertificatesOrEmpty = Annotated[str, or_empty(certificates), Field(title="file on this machine, or empty")]
PatchesOrEmpty = Annotated[str, or_empty(patches_directory), Field(title="directory on this machine, or empty")]
AutoOrBoolean = Annotated[Literal["auto", True, False], BeforeValidator(not_a_number)]
OneLine = Annotated[str, AfterValidator(one_line), Field(title="text")]
