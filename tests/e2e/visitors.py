"""Visitors who never pause while something is done to the server, and what they saw."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.instance import Instance
from tests.harness import ROOT
from tests.lab.commands import wait_until
from tests.lab.world import Machine

PROBE = (ROOT / "tests/e2e/visitors_probe.py").read_text()
# The smallest image that is one.
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)

# Docker's own (cgroups, cpu.shares), and what makes somebody the first to get the processor.
SHARES, FIRST = 1024, 100 * 1024


@dataclass
class Seen:
    """By kind of request: how many were asked, what failed, and the slowest answer in seconds."""

    kinds: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        return sum(each["asked"] for each in self.kinds.values())

    @property
    def failed(self) -> list[str]:
        return [failure for each in self.kinds.values() for failure in each["failed"]]

    @property
    def slowest(self) -> float:
        return max(float(each["slowest"]) for each in self.kinds.values())

    @property
    def longest_gap(self) -> float:
        """For how long, in seconds, those who never pause got no good answer."""
        return max(float(self.kinds[kind]["gap"]) for kind in ("pages", "media", "deliveries"))


@contextmanager
def visitors_without_pause(instance: Instance, token: str, at_least: int = 0) -> Iterator[Seen]:
    """
    They come before the block begins, and stay after it until they have asked `at_least` so many times: one for pages,
    media and deliveries, who asks again as soon as he is answered; one for the API; one with WebSockets.

    What they saw is known after the block.
    """
    visitor, seen = instance.world.visitor, Seen()
    # Those of another server may come at the same time.
    place = f"/tmp/visitors-of-{instance.host}"
    arguments = f"{instance.domain} {token} {_media(instance, token)} {place}"
    visitor.run(f"rm -rf {place} && mkdir {place} && cat >{place}/probe.py", stdin=PROBE)
    visitor.run(f"setsid python3 {place}/probe.py {arguments} >{place}/said 2>&1 </dev/null &")

    def asked(number: int) -> bool:
        return Seen(json.loads(visitor.read(f"{place}/seen"))).asked >= number

    try:
        prefer(FIRST, instance.server, visitor)
        wait_until(
            "the visitors are there", lambda: visitor.run(f"test -e {place}/seen", check=False).returncode == 0, 20
        )
        wait_until("all of them have come", lambda: asked(20), timeout=20)
        yield seen
        wait_until(f"they have asked {at_least} times", lambda: asked(at_least), timeout=300, interval=1)
    finally:
        visitor.run(f"touch {place}/stop")
        prefer(SHARES, instance.server, visitor)
    wait_until(
        "the visitors have left",
        lambda: visitor.run(f"test -e '{place}/seen at last'", check=False).returncode == 0,
        60,
    )
    seen.kinds = json.loads(visitor.read(f"{place}/seen at last"))


def prefer(shares: int, *machines: Machine) -> None:
    """Give machines so much of the processor, so that what is tested on others meanwhile makes no visitor wait."""
    for each in machines:
        each.engine.run("update", "--cpu-shares", str(shares), each.container)


def _media(instance: Instance, token: str) -> str:
    """The path of a picture that somebody uploaded."""
    form = ("--form", "file=@-;filename=a.gif;type=image/gif", "--header", f"Authorization: Bearer {token}")
    answer = instance.visit("/api/v2/media", *form, stdin=GIF)
    assert answer.status == 200, answer
    return str(json.loads(answer.body)["url"]).removeprefix(f"https://{instance.domain}")
