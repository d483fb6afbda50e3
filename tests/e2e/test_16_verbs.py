"""The verbs that an operator reaches for: the owner's account, the state of the server, a mail that arrives."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import subprocess
import termios
from dataclasses import dataclass

from tests.e2e.instance import Instance, recorded_arguments, with_settings
from tests.lab.addresses import REPOSITORY

# --- The owner ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What a run of pyinfra in a terminal came to: what stood on the terminal, and what it wrote elsewhere."""

    returncode: int
    terminal: str
    output: str


def in_a_terminal(instance: Instance, *arguments: str, options: tuple[str, ...] = ()) -> Shown:
    """Run pyinfra with a terminal of its own, while its output is led into files."""
    ours, theirs = pty.openpty()
    command = instance.world.pyinfra_command(
        *arguments, options=["--limit", instance.host, "--json", "--yes", *options]
    )
    try:
        run = subprocess.run(
            command,
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
            cwd=REPOSITORY,
            env=instance.world.environment(),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
            timeout=120,
        )
        shown = b""
        while select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 65536)
    finally:
        os.close(ours)
        os.close(theirs)
    return Shown(run.returncode, shown.decode(), run.stdout + run.stderr)


def owner(**settings: str) -> tuple[str, ...]:
    return "tasks/owner.py", *with_settings({f"owner_{name}": value for name, value in settings.items()})


def password_on(terminal: str) -> str:
    (found,) = re.findall(r"stored nowhere: (\S+)", terminal)
    return str(found)


def may_log_in(instance: Instance, name: str, password: str) -> bool:
    form = ("--data-urlencode", f"email={name}@example.org", "--data-urlencode", f"password={password}")
    return instance.visit("/_lab/token", *form).status == 200


def test_the_owner_gets_a_password_that_only_the_terminal_shows(instance: Instance) -> None:
    arguments = "/run/arguments-of-all-processes"
    instance.run(f"rm -f {arguments}")
    with recorded_arguments(instance):
        made = in_a_terminal(instance, *owner(name="olga", email="olga@example.org"), options=("-vvv", "--debug"))
        reset = in_a_terminal(instance, *owner(name="olga", reset="password"), options=("-vvv", "--debug"))
    assert (made.returncode, reset.returncode) == (0, 0), made.output + reset.output
    old, new = password_on(made.terminal), password_on(reset.terminal)
    assert may_log_in(instance, "olga", new) and not may_log_in(instance, "olga", old)
    roles = instance.inside(
        "mstdn",
        "db",
        'psql -U postgres -At mastodon_production -c "SELECT r.name FROM users u JOIN user_roles r ON r.id = u.role_id'
        " WHERE u.email = 'olga@example.org'\"",
    )
    assert roles.strip() == "Owner"
    for password in (old, new):
        assert password not in made.output + reset.output
        places = f"{arguments} /var/log /var/lib/docker/containers /var/lib/mstdn /srv/mastodon/state /tmp /root /home"
        assert instance.run(f"grep -rlF -e {password} {places} || true").strip() == ""
        assert instance.run(f"journalctl | grep -cF -e {password} || true").strip() == "0"
    # Who is there already is left alone.
    assert instance.converge(*owner(name="olga", email="olga@example.org")).changed == []


def test_what_cannot_be_done_for_an_owner_is_explained_and_changes_nothing(instance: Instance) -> None:
    said = in_a_terminal(instance, *owner(name="nobody", email="nobody@no-such-domain.example.net"))
    assert said.returncode == 1 and "finds none" in said.output and "Traceback" not in said.output
    assert "terminal" in instance.refusal(*owner(name="nobody", email="nobody@example.org"))
    assert "is the name right?" in instance.refusal(*owner(name="nobody", reset="password"))
    assert "letters, digits" in instance.refusal(*owner(name="no body"))
