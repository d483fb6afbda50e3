"""The setting of the operator's secrets."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mstdn.kinds.part import Part
from mstdn.kinds.paths import FileOrEmpty


class SecretsSettings(Part):
    """Where the operator keeps what others gave him."""

    title: ClassVar[str] = "Passwords and keys"

    secrets_file: FileOrEmpty = Field(
        "",
        examples=["secrets-of-alice.env"],
        description="The file of your passwords and keys, for servers of one inventory that have different ones. Empty "
        "means secrets.env beside the inventory or, where there is none, beside deploy.py.",
    )
