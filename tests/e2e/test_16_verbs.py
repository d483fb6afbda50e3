"""The verbs that an operator reaches for: the owner's account, the state of the server, a mail that arrives."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import subprocess
import termios
from dataclasses import dataclass

from mstdn import versions
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
    # Where this ran before.
    instance.inside("mstdn", "web", "bin/tootctl accounts delete olga || true")
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


# --- The state of the server --------------------------------------------------------------------


def status(instance: Instance, *settings: str) -> tuple[int, str]:
    """Exit code and standard output of tasks/status.py, as an operator types it: nobody is asked anything."""
    options = ["--limit", instance.host]
    run = instance.world.typed("tasks/status.py", *settings, options=options, timeout=60)
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, run.stdout


CHANGES = "find /srv/mastodon/state /srv/mastodon/secrets /var/lib/mstdn /etc /srv/proxy -newer {mark} -type f"
SICK = """
docker stop --time 5 {streaming}
printf '[Service]\nExecStart=/bin/false\n' >/run/systemd/system/mstdn-lab.service
systemctl daemon-reload && systemctl start mstdn-lab; true
"""
# A queue that nobody works, with a job of an hour ago.
STUCK = (
    'export REDISCLI_AUTH=$(cut -d " " -f 2 /run/secrets/redis.conf); redis-cli SADD queues lab;'
    """ redis-cli LPUSH queue:lab '{"class":"Lab","args":[],"enqueued_at":1700000000000}'"""
)
EASED = (
    'export REDISCLI_AUTH=$(cut -d " " -f 2 /run/secrets/redis.conf);'
    " redis-cli SREM queues lab; redis-cli DEL queue:lab"
)
VERSION = 'psql -U postgres -At mastodon_production -c "{} RETURNING version"'


def test_status_tells_a_healthy_server_on_one_screen_and_changes_nothing(instance: Instance) -> None:
    mark, started = "/run/lab-mark", instance.started()
    instance.run(f"touch {mark}")
    code, screen = status(instance)
    assert code == 0, screen
    for words in (versions.MASTODON, "in order: db, redis, web", "none pending", "connections", "swap", "All is well"):
        assert words in screen, screen
    assert len(screen.splitlines()) <= 24
    code, line = status(instance, *with_settings({"format": "json"}))
    told = json.loads(line)
    assert code == 0 and told["ok"] and told["containers"]["mstdn/web"] == "healthy" and told["database_bytes"] > 0
    assert instance.run(CHANGES.format(mark=mark)).strip() == "" and instance.started() == started


def test_status_names_what_is_wrong_with_its_remedy_and_fails(instance: Instance) -> None:
    migration = instance.inside(
        "mstdn",
        "db",
        VERSION.format("DELETE FROM schema_migrations WHERE version = (SELECT max(version) FROM schema_migrations)"),
    ).split()[0]
    instance.inside("mstdn", "redis", STUCK)
    instance.run(SICK.format(streaming=instance.container("mstdn", "streaming")))
    try:
        code, screen = status(instance)
        assert code == 1, screen
        for words in (
            "streaming of mstdn is exited",
            "docker compose logs --tail 30 streaming",
            "1 migrations of the release that runs have not run",
            migration,
            "1 jobs wait in the queue lab",
            "mstdn-lab.service failed (exit-code)",
            "journalctl --unit mstdn-lab.service",
            "pyinfra inventory.py deploy.py",
            "4 things are wrong",
        ):
            assert words in screen, screen
        code, line = status(instance, *with_settings({"format": "json"}))
        assert code == 1 and json.loads(line)["ok"] is False
    finally:
        instance.inside("mstdn", "redis", EASED)
        put_back = f"INSERT INTO schema_migrations VALUES ('{migration}')"  # noqa: S608 (what was just read there)
        instance.inside("mstdn", "db", VERSION.format(put_back))
        instance.run(
            "rm /run/systemd/system/mstdn-lab.service; systemctl reset-failed mstdn-lab; systemctl daemon-reload"
        )
        instance.converge()
    assert status(instance)[0] == 0


def test_status_says_so_where_docker_does_not_run(instance: Instance) -> None:
    instance.run("systemctl stop docker.service docker.socket")
    try:
        code, screen = status(instance)
        assert code == 1 and "Docker does not run" in screen and "systemctl restart docker" in screen
        assert not instance.succeeds("systemctl is-active docker")
    finally:
        instance.run("systemctl start docker.socket docker.service")
        # The socket is another one now, and the socket proxy gets it by itself; a run waits until it is well.
        instance.converge()
    assert status(instance)[0] == 0


# --- Mail ---------------------------------------------------------------------------------------

MAIL_TEST = ("tasks/mail_test.py", *with_settings({"mail_test_to": "ann@example.org"}))
PART = "/srv/mastodon/secrets/mastodon.env"


def test_a_test_mail_arrives_and_what_the_dns_lacks_is_named(instance: Instance) -> None:
    before = len(instance.world.mails("ann@example.org"))
    run = instance.converge(*MAIL_TEST)
    (mail,) = instance.world.mails("ann@example.org")[before:]
    assert (mail.sender, mail.recipients) == ("mastodon@example.org", ("ann@example.org",))
    assert mail.message["Subject"] == f"Test of the mail of {instance.domain}"
    assert '"250 2.0.0 Kept"' in run.stderr
    for words in ("no SPF record", "no DKIM key", "no DMARC policy"):
        assert words in run.stderr, run.stderr
    # A plan sends nothing.
    assert instance.plan(*MAIL_TEST).planned and len(instance.world.mails("ann@example.org")) == before + 1


def test_a_mail_that_cannot_be_sent_is_explained(instance: Instance) -> None:
    # In place: a file that was replaced would stay the old one in the container.
    instance.run(f"cp -p {PART} {PART}.lab && sed 's/^SMTP_PASSWORD=.*/SMTP_PASSWORD=wrong/' {PART}.lab >{PART}")
    try:
        refusal = instance.refusal(*MAIL_TEST)
    finally:
        instance.run(f"cat {PART}.lab >{PART} && rm {PART}.lab")
    assert "535" in refusal and "smtp_login" in refusal and "wrong" not in refusal
    blocked = "DOCKER-USER -p tcp --dport 587 -j REJECT --reject-with tcp-reset"
    instance.run(f"iptables -I {blocked}")
    try:
        refusal = instance.refusal(*MAIL_TEST)
    finally:
        instance.run(f"iptables -D {blocked}")
    assert "block port 587" in refusal
    assert "mail_test_to=you@example.org" in instance.refusal("tasks/mail_test.py")
