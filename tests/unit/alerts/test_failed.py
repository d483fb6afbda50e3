"""The watcher that does not work: told once by each channel, its end once, and with nothing of what may have failed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mstdn.alerts.programs import alert_programs
from tests.harness import calls_in, run_script, settings_with, stand_in
from tests.unit.alerts.test_round import Server

WRONG = "WRONG: the watcher of social.example.org does not come to its end (exit-code, 2)."


class Failing(Server):
    """One on which the rounds themselves go wrong; the settings of all programs are broken too."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        (home / "settings").write_text("if\n")
        stand_in(home, "journalctl", "echo 'sh: 3: Syntax error'")

    def tell(self, *words: str, notes: str = "notes") -> subprocess.CompletedProcess[str]:
        instead: dict[str, str | Path] = {
            "notes=/var/lib/mstdn": f"notes={self.home}/{notes}",
            "/run/mstdn-alerts-failed": self.home / "spare",
            "here=${0%/*}": f"here={self.home}/bin",
        }
        answer = run_script("alerts/failed", *words, before="alerts/ways", path=self.home / "bin", instead=instead)
        assert answer.returncode == 0, answer.stderr
        return answer

    @property
    def state(self) -> str:
        file = self.home / "notes/alerts-failed"
        return file.read_text() if file.exists() else ""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Failing]:
    made = Failing(tmp_path)
    for name, value in (
        ("LOCAL_DOMAIN", "social.example.org"),
        ("MASTODON_ROOT", f"{tmp_path}/srv"),
        ("ALERT_MAIL_TO", "ann@example.org"),
        ("ALERT_SECRETS", f"{tmp_path}/srv/secrets/alerts"),
        ("MONITOR_SERVICE_RESULT", "exit-code"),
        ("MONITOR_EXIT_STATUS", "2"),
        ("MONITOR_INVOCATION_ID", "0123"),
    ):
        monkeypatch.setenv(name, value)
    yield made
    assert not list(tmp_path.glob("*/.*.new")), "temporary files stay behind"


def test_it_is_told_at_the_second_time_once_by_each_channel_and_so_is_its_end(server: Failing) -> None:
    assert server.tell().stdout == "" and server.sent("mail") == ""
    said = "".join(server.tell().stdout for _ in range(3))
    for text in (said, server.sent("mail"), server.sent("webhook")):
        assert text.count(WRONG) == 1
        assert "Syntax error" in text and "deploy.py" in text and "journalctl --unit mstdn-alerts" in text
    said = "".join(server.tell("over").stdout for _ in range(4))
    for text in (said, server.sent("mail"), server.sent("webhook")):
        assert text.count("MENDED after 0 minutes") == 1
    secrets = f"{server.home}/srv/secrets"
    assert [call for call in calls_in(server.home) if call.startswith(("alerts-mail", "alerts-webhook"))] == [
        f"alerts-mail ann@example.org social.example.org: its watcher does not work {secrets}/mastodon.env",
        f"alerts-webhook {secrets}/alerts/webhook social.example.org: its watcher does not work high",
        f"alerts-mail ann@example.org social.example.org: its watcher works again {secrets}/mastodon.env",
        f"alerts-webhook {secrets}/alerts/webhook social.example.org: its watcher works again default",
    ]
    assert server.state == ""


def test_words_of_which_the_journal_does_not_know_the_round_are_told_too(server: Failing) -> None:
    of_no_round = "case \"$*\" in *_SYSTEMD_INVOCATION_ID=*) ;; *--since=-2min*) echo 'sh: 3: Syntax' ;; esac"
    stand_in(server.home, "journalctl", of_no_round)
    server.tell()
    assert "It says: sh: 3: Syntax" in server.tell().stdout


def test_the_journal_has_written_everything_down_before_it_is_asked(server: Failing) -> None:
    synced = f"{server.home}/synced"
    stand_in(server.home, "journalctl", f"[ $1 = --sync ] && : >{synced} || [ ! -e {synced} ] || echo 'sh: 3: Syntax'")
    server.tell()
    assert "It says: sh: 3: Syntax" in server.tell().stdout


def test_where_the_watcher_works_nothing_is_written_and_nobody_is_asked(server: Failing) -> None:
    assert server.tell("over").stdout == ""
    assert server.state == "" and not (server.home / "spare").exists() and calls_in(server.home) == []


def test_one_round_that_failed_wakes_nobody(server: Failing) -> None:
    for _ in range(3):
        server.tell()
        server.tell("over")
    assert server.state == "" and server.sent("mail") == ""


def test_what_flutters_is_one_incident(server: Failing) -> None:
    server.tell()
    for _ in range(3):
        server.tell()
        server.tell("over")
    assert server.sent("mail").count("WRONG") == 1 and "MENDED" not in server.sent("mail")
    server.tell("over")
    assert server.sent("mail").count("MENDED") == 1


def test_a_channel_that_did_not_take_it_is_tried_again_and_the_other_is_not(server: Failing) -> None:
    server.answer("mail", "said 451 later\nmail 55")
    server.tell()
    assert "could not be sent by mail" in server.tell().stderr
    server.answer("mail", "mail 0")
    (server.home / "sent-mail").unlink()
    server.tell()
    server.tell()
    assert server.sent("mail").count("WRONG") == 1 and server.sent("webhook").count("WRONG") == 1
    # Of the end as well; who never heard of it does not hear of its end.
    server.answer("webhook", "webhook 22 503")
    for _ in range(2):
        server.tell("over")
    assert server.state.split()[-1] == "webhook"
    server.answer("webhook", "webhook 0 200")
    (server.home / "sent-webhook").unlink()
    assert server.tell("over").stdout == ""
    assert server.sent("mail").count("MENDED") == 1 and server.sent("webhook").count("MENDED") == 1
    assert server.state == ""


def test_where_the_disk_takes_nothing_it_is_kept_in_memory(server: Failing) -> None:
    for _ in range(4):
        server.tell(notes="no-such-disk")
    assert server.sent("mail").count("WRONG") == 1
    assert (server.home / "spare").read_text().startswith("open ")
    server.tell()
    assert not (server.home / "spare").exists() and server.state.startswith("open ")


def test_without_settings_of_mastodon_the_mail_goes_from_its_container(server: Failing) -> None:
    (server.home / "srv/mastodon.env").unlink()
    server.answer("inside", "took 250 yes\nmail 0")
    server.tell()
    server.tell()
    assert server.sent("inside").count("WRONG") == 1


@pytest.mark.parametrize("text", ["", "\0\0\0\n", "open\n", "open x 1\n", "what is this\n"])
def test_a_state_that_cannot_be_read_is_none(server: Failing, text: str) -> None:
    (server.home / "notes/alerts-failed").write_text(text)
    server.tell()
    server.tell()
    assert server.sent("mail").count("WRONG") == 1
    (server.home / "notes/alerts-failed").write_text(text)
    server.tell("over")


def test_the_unit_tells_it_and_knows_whom_to_tell_without_the_settings() -> None:
    settings = settings_with(alerts_mail_to="ann+100%@example.org")
    files = {file.path.rpartition("/")[2]: file.text for file in alert_programs(settings)}
    watcher, failed = files["mstdn-alerts.service"].splitlines(), files["mstdn-alerts-failed.service"].splitlines()
    assert watcher.index("OnFailure=mstdn-alerts-failed.service") < watcher.index("[Service]")
    assert "ExecStartPost=-/usr/local/lib/mstdn/alerts-failed over" in watcher
    assert "ExecStart=/usr/local/lib/mstdn/alerts-failed" in failed and "OnFailure" not in "".join(failed)
    for unit in (watcher, failed):
        assert 'Environment="ALERT_MAIL_TO=ann+100%%@example.org"' in unit
        assert 'Environment="ALERT_SECRETS=/srv/mastodon/secrets/alerts"' in unit
    assert "/usr/local/lib/mstdn/settings" not in files["alerts-failed"]
