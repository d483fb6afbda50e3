"""What is shown of a program that failed."""

from __future__ import annotations

from tests.e2e.instance import Said
from tests.lab.commands import CommandError, Completed, end_of

SAID = """--> Connecting to hosts...
    [server3] Connected

--> Starting operation: Carry the data over
[server3] 2 of 7: rehearse it
[server3] The dump could not be loaded.
    [server3] Error: executed 5 commands

--> Disconnecting from hosts...
--> pyinfra error: No hosts remaining!
"""
REASON = "[server3] Connected [server3] 2 of 7: rehearse it [server3] The dump could not be loaded."


def test_the_end_of_a_run_is_why_it_failed() -> None:
    assert end_of(SAID) == REASON
    assert end_of(SAID, 10) == "be loaded."
    assert end_of("") == end_of("\n--> Disconnecting from hosts...\n") == ""


def test_the_first_line_of_a_failure_has_it() -> None:
    lines = str(CommandError("pyinfra deploy.py", Completed("", SAID, 1))).splitlines()
    assert lines[0] == f"Exit code 1 ({REASON}) of: pyinfra deploy.py"
    assert lines[1:] == SAID.rstrip().splitlines()


def test_what_was_refused_is_shown_by_its_end_where_a_test_fails() -> None:
    said = Said(SAID)
    assert "2 of 7" in said and said == SAID and repr(said) == f"'… {REASON}'"
