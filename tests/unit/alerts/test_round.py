"""A whole round of the watcher, with what it sees and where it sends as stand-ins; it judges and remembers for real."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mstdn.alerts.programs import alert_programs, alert_settings
from mstdn.kinds.dotenv import dotenv_text
from mstdn.shell import text_of
from tests.harness import calls_in, run_script, settings_with, stand_in
from tests.lab.commands import wait_until
from tests.unit.alerts.test_judge import CERTIFICATES, CONTAINERS, MACHINE, NETWORKS, PARTS

SETTINGS = settings_with(alerts_mail_to="ann@example.org")
SEEN = {
    "machine": MACHINE,
    "containers": CONTAINERS,
    "parts": PARTS,
    "networks": NETWORKS,
    "certificates": CERTIFICATES,
}
SICK = CONTAINERS.replace("web False running healthy", "web False exited none")


class Server:
    """One on which all is well, until see() says otherwise."""

    def __init__(self, home: Path) -> None:
        self.home = home
        for name in ("srv/state", "srv/secrets/alerts", "notes"):
            (home / name).mkdir(parents=True)
        (home / "srv/state/installed.env").write_text(f"MASTODON_VERSION={SETTINGS.mastodon_version}\n")
        (home / "srv/secrets/alerts/webhook").write_text("https://ntfy.example/topic\n")
        (home / "srv/mastodon.env").write_text("SMTP_SERVER=mail.example.net\n")
        told = alert_settings(SETTINGS) | {
            "LOCAL_DOMAIN": "social.example.org",
            "MASTODON_ROOT": f"{home}/srv",
            "PROXY_ROOT": f"{home}/proxy",
            "ALERT_SECRETS": f"{home}/srv/secrets/alerts",
            "ALERT_BACKUPS": "yes",
        }
        (home / "settings").write_text(dotenv_text(told))
        for part, lines in SEEN.items():
            self.see(part, lines)
        for name in ("judge", "remember"):
            text = text_of(f"alerts/{name}").replace("/usr/local/lib/mstdn/settings", f"{home}/settings")
            stand_in(home, f"alerts-{name}", text)
        for way in ("mail", "inside", "webhook"):
            self.answer(way, {"mail": "mail 0", "inside": "mail 7", "webhook": "webhook 0 200"}[way])
        stand_in(home, "systemctl", f'cat "{home}/active" 2>/dev/null')

    def see(self, part: str, lines: str) -> None:
        """What a part of the look prints; it says by itself that it came to its end."""
        kept = lines.replace(f"looked {part}\n", "")
        (self.home / part).write_text(kept)
        stand_in(self.home, f"alerts-{part}", f'cat "{self.home}/{part}"')

    def answer(self, way: str, lines: str) -> None:
        """How sending by this way goes."""
        stand_in(self.home, f"alerts-{way}", f"cat >>'{self.home}/sent-{way}'; printf '%s\\n' '{lines}'")

    def sent(self, way: str) -> str:
        """All that was given to this way so far."""
        file = self.home / f"sent-{way}"
        return file.read_text() if file.exists() else ""

    @property
    def known(self) -> str:
        file = self.home / "notes/alerts"
        return file.read_text() if file.exists() else ""

    def round(self, *words: str) -> subprocess.CompletedProcess[str]:
        instead: dict[str, str | Path] = {
            "notes=/var/lib/mstdn": f"notes={self.home}/notes",
            "here=${0%/*}": f"here={self.home}/bin",
            "/usr/local/lib/mstdn/settings": self.home / "settings",
            "/run/mstdn-alerts.": f"{self.home}/work.",
            "/run/mstdn-alerts-known": self.home / "spare",
            "/run/mstdn.lock": self.home / "lock",
            "set -eu": f"set -eu; another_run_works() {{ [ -e '{self.home}/run' ]; }}",
        }
        return run_script("alerts/round", *words, before="alerts/ways", path=self.home / "bin", instead=instead)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    yield Server(tmp_path)
    assert not list(tmp_path.glob("work*")), "temporary files stay behind"


def test_where_all_is_well_a_round_says_writes_and_sends_nothing(server: Server) -> None:
    answer = server.round()
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert server.known == "" and not os.listdir(server.home / "notes")
    assert not [call for call in calls_in(server.home) if call.startswith(("alerts-mail", "alerts-webhook"))]


def test_what_is_wrong_is_told_once_by_each_channel_and_in_the_journal_and_so_is_its_end(server: Server) -> None:
    server.see("containers", SICK)
    said = "".join(server.round().stdout for _ in range(4))
    assert said == "WRONG: web of mstdn is exited.\n"
    for way in ("mail", "webhook"):
        assert server.sent(way).count("WRONG: web of mstdn is exited.") == 1, way
        assert "tasks/status.py" in server.sent(way)
    server.see("containers", CONTAINERS)
    said = "".join(server.round().stdout for _ in range(4))
    assert said.startswith("MENDED after ") and len(said.splitlines()) == 1
    for way in ("mail", "webhook"):
        assert server.sent(way).count("MENDED") == 1, way
    calls = [call for call in calls_in(server.home) if call.startswith(("alerts-mail", "alerts-webhook"))]
    secrets = f"{server.home}/srv/secrets"
    assert calls == [
        f"alerts-mail ann@example.org social.example.org: 1 wrong {secrets}/mastodon.env",
        f"alerts-webhook {secrets}/alerts/webhook social.example.org: 1 wrong high",
        f"alerts-mail ann@example.org social.example.org: 1 mended {secrets}/mastodon.env",
        f"alerts-webhook {secrets}/alerts/webhook social.example.org: 1 mended default",
    ]
    assert server.known == ""


def test_what_was_told_is_not_told_again_after_a_reboot(server: Server) -> None:
    server.see("containers", SICK)
    for _ in range(3):
        server.round()
    # Whatever lay in memory is gone; what is on the disk is all that a round knows.
    assert server.known.startswith("incident container/mstdn/web open ")
    assert server.round().stdout == "" and server.sent("mail").count("WRONG") == 1


def test_a_message_that_was_not_taken_is_tried_again_by_that_channel_only(server: Server) -> None:
    server.answer("mail", "step AUTH\nsaid 535 5.7.8 no\nsaid Login denied\nmail 67")
    server.see("containers", SICK)
    server.round()
    answer = server.round()
    assert answer.returncode == 0 and "could not be sent by mail" in answer.stderr and "535" in answer.stderr
    assert "\nfailed mail " in server.known and "535 5.7.8 no" in server.known
    assert server.sent("webhook").count("WRONG") == 1
    since = [line for line in server.known.splitlines() if line.startswith("failed")]
    server.round()
    assert [line for line in server.known.splitlines() if line.startswith("failed")] == since
    server.answer("mail", "mail 0")
    (server.home / "sent-mail").unlink()
    server.round()
    assert server.sent("mail").count("WRONG") == 1 and server.sent("webhook").count("WRONG") == 1
    assert "failed" not in server.known and "pending" not in server.known


def test_a_mail_server_that_only_containers_reach_is_reached_from_one(server: Server) -> None:
    server.answer("mail", "said Could not resolve host: relay\nmail 6")
    server.answer("inside", "took 250 yes\nmail 0")
    server.see("containers", SICK)
    server.round()
    assert server.round().stderr == ""
    assert server.sent("inside").count("WRONG") == 1 and "failed" not in server.known


@pytest.mark.parametrize("works", ["run", "lock"])
def test_while_somebody_changes_the_server_nothing_is_judged(server: Server, works: str) -> None:
    server.see("containers", SICK)
    (server.home / works).touch()
    holder = (
        subprocess.Popen(["flock", str(server.home / "lock"), "cat"], stdin=subprocess.PIPE)
        if works == "lock"
        else None
    )
    try:
        if holder:
            wait_until("the lock is held", lambda: _is_held(server.home / "lock"), timeout=10)
        for _ in range(3):
            assert server.round().returncode == 0
        assert server.known == "" and not [call for call in calls_in(server.home) if "alerts-machine" in call]
        if holder:
            # A backup holds the lock for hours, and touches no container.
            (server.home / "active").write_text("activating\n")
            server.round()
            assert server.known.startswith("incident")
    finally:
        if holder:
            holder.communicate()


def _is_held(lock: Path) -> bool:
    return subprocess.run(["flock", "--nonblock", str(lock), "true"], check=False).returncode != 0


def test_a_run_that_begins_while_the_server_is_looked_at_makes_what_was_seen_void(server: Server) -> None:
    server.see("containers", SICK)
    stand_in(server.home, "alerts-certificates", f"touch '{server.home}/run'; cat '{server.home}/certificates'")
    server.round()
    server.round()
    assert server.known == ""


def test_a_disk_on_which_nothing_can_be_written_is_told_and_only_once(server: Server) -> None:
    full = stand_in(server.home, "cp", 'case $2 in */.alerts.new) echo full >&2; exit 1 ;; esac; exec /bin/cp "$@"')
    server.see("machine", MACHINE.replace("disk / 40000000 20000000", "disk / 40000000 0"))
    assert "".join(server.round().stdout for _ in range(4)) == "WRONG: The disk at / is 100 % full: 0 MiB are free.\n"
    assert server.sent("mail").count("WRONG") == 1 and server.known == ""
    (full / "cp").unlink()
    server.round()
    assert server.known.startswith("incident disk// open ") and not (server.home / "spare").exists()
    server.see("machine", MACHINE)
    assert "".join(server.round().stdout for _ in range(3)).startswith("MENDED")
    assert server.known == ""


def test_without_an_instance_there_is_nothing_to_look_at(server: Server) -> None:
    (server.home / "srv/state/installed.env").unlink()
    server.see("containers", SICK)
    assert server.round().returncode == 0 and server.known == ""


def test_without_channels_it_stands_in_the_journal(server: Server) -> None:
    (server.home / "srv/secrets/alerts/webhook").unlink()
    text = (server.home / "settings").read_text()
    (server.home / "settings").write_text(text.replace("ALERT_MAIL_TO=ann@example.org", "ALERT_MAIL_TO="))
    server.see("containers", SICK)
    assert "".join(server.round().stdout for _ in range(3)) == "WRONG: web of mstdn is exited.\n"
    assert "pending" not in server.known


def test_a_test_sends_one_by_each_channel_and_says_how_it_went(server: Server) -> None:
    server.answer("webhook", "webhook 22 403\nanswered forbidden")
    (server.home / "run").touch()
    answer = server.round("test")
    assert answer.stdout.splitlines() == [
        "channel mail",
        "mail 0",
        "by server",
        "channel webhook",
        "webhook 22 403",
        "answered forbidden",
    ]
    assert "This is a test" in server.sent("mail") and server.known == ""


def test_every_program_of_the_watcher_that_is_called_is_installed() -> None:
    installed = {file.path.rpartition("/")[2] for file in alert_programs(SETTINGS)}
    texts = "".join(text_of(f"alerts/{name}") for name in ("round", "ways", "failed"))
    called = {word for word in texts.replace('"', " ").split() if word.startswith("$here/alerts-")}
    assert {word.removeprefix("$here/") for word in called} <= installed


def test_whatever_the_programs_read_they_are_told_and_nothing_else() -> None:
    texts = "".join(text_of(f"alerts/{name}") for name in ("round", "judge", "ways"))
    assert set(re.findall(r"\$(ALERT_\w+)", texts)) == set(alert_settings(SETTINGS))
