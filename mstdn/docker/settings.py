"""The settings of Docker Engine."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.network import HttpsUrl, IpAddress
from mstdn.kinds.part import Part
from mstdn.kinds.text import Fingerprint, PackageVersionOrEmpty, UserName

UserNames = Annotated[tuple[UserName, ...], Field(strict=False, title="list of Unix accounts")]


class DockerSettings(Part):
    """Where the engine comes from, who may use it, and how it treats containers."""

    title: ClassVar[str] = "Docker Engine"

    docker_repository: HttpsUrl = Field(
        "https://download.docker.com/linux",
        description="Docker's apt repositories; /debian or /ubuntu is added.",
    )
    docker_key_fingerprint: Fingerprint = Field(
        "9DC858229FC7DD38854AE2D88D81803C0EBFCD88",
        description="The key that must have signed them. It is compared before the key is trusted.",
    )
    docker_version: PackageVersionOrEmpty = Field(
        "",
        examples=["5:29.1.2-1~debian.13~trixie"],
        description="An exact version of docker-ce as apt lists it, or empty for the newest at the time of "
        "installation.",
    )
    docker_users: UserNames = Field(
        (),
        examples=[["alice"]],
        description='Accounts of the server that may use Docker: ["alice"]. They are root on it.',
    )
    docker_log_size_mib: Annotated[int, Field(ge=1, le=1024)] = Field(
        10, description="The size at which a container's log is rotated."
    )
    docker_log_files: Annotated[int, Field(ge=1, le=100)] = Field(3, description="How many rotated logs are kept.")
    docker_bind_address: IpAddress = Field(
        "127.0.0.1", description="Where a port is published that does not say where: not to the Internet."
    )
