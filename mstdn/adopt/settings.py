"""What a take-over is told; for one run, by --data."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mstdn.kinds.part import Part
from mstdn.kinds.paths import server_path
from mstdn.kinds.text import or_empty

PathOrEmpty = Annotated[str, or_empty(server_path), Field(title="absolute path on the server, or empty")]


class AdoptSettings(Part):
    """Which instance that was set up by hand is taken over. For tasks/adopt.py; its consent is `yes`."""

    title: ClassVar[str] = "Take-over (for one run of tasks/adopt.py)"

    adopt_from: PathOrEmpty = Field(
        "",
        examples=["/opt/mastodon-by-hand"],
        description="The directory from which the Mastodon of before was started with Compose, where there is more "
        "than one on the server: `--data adopt_from=/opt/mastodon-by-hand`.",
    )
