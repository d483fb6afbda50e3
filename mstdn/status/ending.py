"""The end of a run that only looks: without a question whether to go on, and with an exit code."""

from __future__ import annotations

from pyinfra import state
from pyinfra.api import Host

_told: set[str] = set()
_wrong: set[str] = set()


def end_when_all_are_told(host: Host, *, wrong: bool) -> None:
    """
    End the run when this was the last host of it. wrong: the exit code becomes 1.

    Raises SystemExit then: pyinfra would ask whether it shall make the changes that there are not.
    """
    _told.add(host.name)
    if wrong:
        _wrong.add(host.name)
    if _told >= {each.name for each in state.inventory.get_active_hosts()}:
        # A host that did not answer is wrong too.
        raise SystemExit(1 if _wrong or state.failed_hosts else 0)
