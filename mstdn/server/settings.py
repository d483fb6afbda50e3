"""The settings of the server at a provider."""

from __future__ import annotations

import base64
import re
import stat
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from mstdn.kinds.part import Part, Relation
from mstdn.kinds.text import UserName, or_empty, refuse
from mstdn.operator_files import operator_path
from mstdn.server.rules import the_server_provider_has_its_key

KEY_KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-")


def resource_name(value: str) -> str:
    """A name that Google and Hetzner both take. Source: cloud.google.com/compute/docs/naming-resources."""
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,50}[a-z0-9])?", value):
        guess = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")
        raise refuse("it must be lower-case letters, digits and inner hyphens, beginning with a letter", guess or None)
    return value


def place(value: str) -> str:
    """A zone, location, machine type or disk type, as the provider writes it."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", value):
        raise refuse("it is not written as providers write it: lower-case letters, digits and hyphens")
    return value


def public_key_file(value: str) -> str:
    """A file with one public SSH key. Returns its absolute path."""
    path = operator_path(value)
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(f"this machine cannot read {path}: {getattr(error, 'strerror', 'not a text file')}") from None
    if "PRIVATE KEY" in text:
        raise refuse("this is the private key, which never leaves your computer", f"{value}.pub")
    if not is_public_key(text):
        raise refuse(f"{path} does not hold one public SSH key (one line that begins with ssh-ed25519, say)")
    return str(path)


def is_public_key(text: str) -> bool:
    """Whether this is one public SSH key, as OpenSSH writes it: its kind, and data that names the same kind first."""
    words = text.split(maxsplit=2)
    if "\n" in text.strip() or len(words) < 2 or not words[0].startswith(KEY_KINDS):
        return False
    try:
        data = base64.b64decode(words[1], validate=True)
    except ValueError:
        return False
    return data[4 : 4 + int.from_bytes(data[:4], "big")] == words[0].encode()


def credentials_file(value: str) -> str:
    """A key file of Google that nobody else may read. Returns its absolute path."""
    path = operator_path(value)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise refuse(f"this machine cannot read {path}: {error.strerror}") from None
    if mode & ~0o600:
        raise refuse(f"others may read it; type: chmod 600 {path}")
    return str(path)


def project_id(value: str) -> str:
    """Source: cloud.google.com/resource-manager/docs/creating-managing-projects."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", value):
        raise refuse("it is not the ID of a project; the console shows it beside the project's name")
    return value


ResourceName = Annotated[str, AfterValidator(resource_name), Field(title="name")]
PlaceOrEmpty = Annotated[str, or_empty(place), Field(title="text or empty")]


class ServerSettings(Part):
    """What tasks/server.py reads."""

    title: ClassVar[str] = "Provisioning: a server"
    relations: ClassVar[tuple[Relation, ...]] = (the_server_provider_has_its_key,)

    server_provider: Literal["", "hetzner", "google"] = Field(
        "", description='Where the server is made: "hetzner" or "google". Empty: you bring one, and say public_ipv4.'
    )
    server_name: ResourceName = Field("mastodon", description="Its name in the provider's console.")
    server_place: PlaceOrEmpty = Field(
        "",
        examples=["us-west1-b"],
        description='Location or zone. Empty: "nbg1" at Hetzner, "us-west1-b" at Google (chosen 2026-11).',
    )
    server_type: PlaceOrEmpty = Field(
        "",
        examples=["e2-small"],
        description='The machine. Empty: "cx23" at Hetzner, "e2-small" at Google (chosen 2026-11).',
    )
    server_image: Literal["debian-13", "debian-12", "ubuntu-24.04", "ubuntu-26.04"] = Field(
        "debian-13", description="The system it is born with. It matters only then."
    )
    server_disk_gib: Annotated[int, Field(ge=10, le=4096)] = Field(
        30, description="Google: its disk. It can grow, never shrink. Hetzner's types have disks of their own."
    )
    server_disk_type: PlaceOrEmpty = Field(
        "", examples=["pd-ssd"], description='Google: the kind of its disk. Empty: "pd-balanced". It matters only once.'
    )
    server_ssh_key: Annotated[str, or_empty(public_key_file), Field(title="file on this machine, or empty")] = Field(
        "",
        examples=["~/.ssh/id_ed25519.pub"],
        description="Your public SSH key. Empty: ~/.ssh/id_ed25519.pub, or else ~/.ssh/id_rsa.pub.",
    )
    server_user: UserName = Field("admin", description="Google: the account that you log in as. At Hetzner it is root.")
    server_project: Annotated[str, or_empty(project_id), Field(title="ID of a project, or empty")] = Field(
        "", examples=["my-project-123456"], description="Google: the project's ID."
    )
    server_network: ResourceName = Field("default", description="Google: the network of server and firewall.")
    server_credentials: Annotated[str, or_empty(credentials_file), Field(title="file on this machine, or empty")] = (
        Field(
            "",
            examples=["~/provision-key.json"],
            description="Google: the key file of a service account. Empty: what `gcloud auth application-default "
            "login` or GOOGLE_APPLICATION_CREDENTIALS says.",
        )
    )
    server_adopt: bool = Field(
        False,
        description="Take over a server of that name that was made by hand. Meant for one run: "
        "`--data server_adopt=true`.",
    )
    server_wait_seconds: Annotated[int, Field(ge=0, le=3600)] = Field(
        600, description="How long a new server may take until it lets you in. 0 does not try."
    )


def ssh_public_key(server_ssh_key: str, home: Path) -> tuple[Path, str] | None:
    """The public key to let in, its file and its text ("" where it is no text); None if there is none."""
    usual = (home / ".ssh" / "id_ed25519.pub", home / ".ssh" / "id_rsa.pub")
    for file in (Path(server_ssh_key),) if server_ssh_key else usual:
        if file.is_file():
            try:
                return file, file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                return file, ""
    return None
