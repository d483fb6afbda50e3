"""Units of systemd that failed, and timers that do not wait. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mstdn.layout import DEPLOYMENT
from mstdn.status.complaint import DEPLOY, Complaint
from mstdn.status.facts import Unit


def complaints(units: Iterable[Unit]) -> Iterator[Complaint]:
    for unit in units:
        if unit.active == "failed":
            name = unit.name.rpartition(".")[0]
            again = DEPLOY if name == DEPLOYMENT else f"systemctl start {name}"
            yield Complaint(
                "error",
                "timers",
                f"{unit.name} failed ({unit.result}).",
                f"See why: journalctl --unit {unit.name} --lines 30; then: {again}",
            )
        elif unit.name.endswith(".timer") and unit.loaded == "loaded" and unit.active != "active":
            yield Complaint("error", "timers", f"{unit.name} does not wait for its time.", f"Mend it: {DEPLOY}")
