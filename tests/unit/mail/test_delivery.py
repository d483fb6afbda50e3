"""A test mail, handed by the real curl to a mail server that says what each test wants, and what is made of it."""

from __future__ import annotations

import socketserver
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pyinfra.connectors.util import CommandOutput, OutputLine

from mstdn.docker.engine import CONTAINER
from mstdn.mail.delivery import Sent, Way, refusal, sent
from mstdn.mail.operations import ExplainedMail, tried_mail
from mstdn.shell import text_of
from tests.harness import calls_in, commands_of, on_host, refusal_of, run_script, stand_in

WAY = Way("mail.example.net", 587, "mastodon@example.org", "mastodon", "ann@example.org")
PASSWORD = "the-secret-of-the-lab"
INSIDE = text_of("mail/as_mastodon") + text_of("mail/hand_over")


@contextmanager
def mail_server(words: Mapping[str, str]) -> Iterator[tuple[int, list[str]]]:
    """One that answers commands with these words, or with yes. Its port, and what it was told."""
    heard: list[str] = []

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail.example.net")
            for line in self.rfile:
                text = line.decode().rstrip()
                heard.append(text)
                command = text.split(" ")[0].upper()
                yes = {"EHLO": "250-mail.example.net\r\n250 AUTH PLAIN LOGIN", "AUTH": "235 in", "DATA": "354 go on"}
                if command == "AUTH":
                    self._say("334 ")
                    heard.append(self.rfile.readline().decode().rstrip())
                answer = words.get(command) or yes.get(command, "250 yes")
                self._say(answer)
                if command == "QUIT":
                    return
                if answer.startswith("354"):
                    for part in iter(self.rfile.readline, b".\r\n"):
                        heard.append(part.decode().rstrip())
                    self._say(words.get(".", "250 queued as 4711"))

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1], heard
        server.shutdown()


def sending(directory: Path, port: int, **settings: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "LOCAL_DOMAIN": "social.example.org",
        "SMTP_SERVER": "127.0.0.1",
        "SMTP_PORT": str(port),
        "SMTP_FROM_ADDRESS": "Mastodon <mastodon@example.org>",
        "SMTP_LOGIN": "mastodon",
        "SMTP_PASSWORD": PASSWORD,
        "SMTP_AUTH_METHOD": "plain",
        "SMTP_ENABLE_STARTTLS": "never",
    } | settings
    file = directory / "environment"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))
    path = stand_in(directory, "docker", 'case "$1" in ps) echo ab ;; exec) shift 3; exec "$@" ;; esac')
    hand_over = INSIDE.replace("/opt/mastodon/.env.production", str(file))
    return run_script(
        "mail/send", "mstdn", "ann@example.org", "Test of the mail", hand_over, before=CONTAINER, path=path
    )


def test_a_mail_goes_out_whole_by_mastodons_settings(tmp_path: Path) -> None:
    with mail_server({}) as (port, heard):
        answer = sending(tmp_path, port)
    found = sent(answer.stdout)
    assert (found, refusal(found, WAY)) == (Sent(0, "DATA", "", "250 queued as 4711"), ""), answer.stdout
    assert "EHLO social.example.org" in heard and "RCPT TO:<ann@example.org>" in heard
    assert any(line.startswith("MAIL FROM:<mastodon@example.org>") for line in heard)
    assert {"From: Mastodon <mastodon@example.org>", "To: <ann@example.org>", "Subject: Test of the mail"} <= {*heard}
    assert "This is a test: Test of the mail." in heard
    assert calls_in(tmp_path)[-1].endswith("mail/hand_over ann@example.org Test of the mail")


def test_a_mail_of_the_server_itself_has_what_stands_on_standard_input(tmp_path: Path) -> None:
    with mail_server({}) as (port, heard):
        sending(tmp_path, port)
        words = ("ann@example.org", "2 things", tmp_path / "environment")
        answer = run_script(
            "mail/hand_over", *words, before="mail/as_mastodon", stdin="WRONG: web is gone\n\n.\nMENDED: Ä\n"
        )
    assert sent(answer.stdout).code == 0
    # A line with only a dot would end the mail.
    assert heard[-6:] == ["", "WRONG: web is gone", "", "..", "MENDED: Ä", "QUIT"]


def test_a_senders_name_in_other_letters_keeps_no_mail_back(tmp_path: Path) -> None:
    with mail_server({}) as (port, heard):
        found = sent(sending(tmp_path, port, SMTP_FROM_ADDRESS="Mästödon <mastodon@example.org>").stdout)
    assert found.code == 0 and "From: <mastodon@example.org>" in heard


@pytest.mark.parametrize(
    ("says", "settings", "step", "words"),
    [
        pytest.param({"AUTH": "535 5.7.8 wrong"}, {}, "AUTH", "Are smtp_login, SMTP_PASSWORD", id="password"),
        pytest.param({"MAIL": "550 5.7.1 not yours"}, {}, "MAIL", "refuses the sender mastodon@", id="sender"),
        pytest.param({"MAIL": "530 5.7.0 log in"}, {"SMTP_LOGIN": ""}, "MAIL", "set smtp_login", id="no log-in"),
        pytest.param({"RCPT": "554 5.7.1 Relay denied"}, {}, "RCPT", "speaks of relaying", id="relay"),
        pytest.param({"RCPT": "450 4.7.1 Greylisted"}, {}, "RCPT", "for now only", id="greylisting"),
        pytest.param({".": "550 5.7.1 unverified"}, {}, "DATA", "SPF, DKIM, DMARC", id="content"),
        pytest.param({}, {"SMTP_ENABLE_STARTTLS": "always"}, "EHLO", "offers no STARTTLS", id="no STARTTLS"),
        pytest.param({}, {"SMTP_TLS": "true"}, "", "465 wants smtp_tls = True", id="TLS from the first byte"),
    ],
)
def test_whatever_the_mail_server_says_is_explained(
    tmp_path: Path, says: dict[str, str], settings: dict[str, str], step: str, words: str
) -> None:
    with mail_server(says) as (port, _):
        answer = sending(tmp_path, port, **settings)
    found = sent(answer.stdout)
    way = Way(WAY.server, WAY.port, WAY.sender, settings.get("SMTP_LOGIN", WAY.login), WAY.to)
    assert found.step == step, answer.stdout
    assert words in refusal(found, way), found
    assert next(iter(says.values()), "") in found.said
    # Neither the password nor what curl makes of it.
    for secret in (PASSWORD, b64encode(f"\0mastodon\0{PASSWORD}".encode()).decode()):
        assert secret not in answer.stdout + answer.stderr


def test_a_port_where_nobody_listens_is_named(tmp_path: Path) -> None:
    with mail_server({}) as (port, _):
        pass
    found = sent(sending(tmp_path, port).stdout)
    assert found.code == 7 and "block port 587" in refusal(found, WAY)


def test_where_mastodon_does_not_run_no_mail_is_tried(tmp_path: Path) -> None:
    answer = run_script(
        "mail/send", "mstdn", "a@b.example", "Test", before=CONTAINER, path=stand_in(tmp_path, "docker", "")
    )
    assert answer.returncode == 1 and "does not run" in answer.stderr


# --- The operation ------------------------------------------------------------------------------

ARGUMENTS: dict[str, Any] = {
    "to": "ann@example.org",
    "server": "mail.example.net",
    "port": 587,
    "sender": "Mastodon <mastodon@example.org>",
    "login": "mastodon",
    "domain": "social.example.org",
}


def test_each_run_sends_one_mail_whatever_the_dns_says() -> None:
    for records in ("unknown no name server answers", ""):
        facts = {"mail/records": records} if records else {"mail/records": "".join(NOTHING)}
        (command,) = commands_of(tried_mail, facts, executing=True, **ARGUMENTS)
        assert (command.script, command.words) == (
            "mail/send",
            ("mstdn", "ann@example.org", "Test of the mail of social.example.org", INSIDE),
        )


# No such name, three times.
NOTHING = [f"answer {number} 4d5381830000000000000000\n" for number in range(3)]


def test_without_an_address_it_says_how_to_give_one() -> None:
    assert "mail_test_to=you@example.org" in refusal_of(tried_mail, {}, **ARGUMENTS | {"to": ""})


@pytest.mark.parametrize(
    ("output", "good", "words"),
    [
        ("step DATA\ntook 250 queued\nmail 0", True, '"250 queued"'),
        ("step AUTH\nsaid 535 no\nmail 67", False, "SMTP_PASSWORD"),
        ("", False, "curl did not run"),
    ],
)
def test_the_outcome_is_told_and_decides(monkeypatch: pytest.MonkeyPatch, output: str, good: bool, words: str) -> None:
    said: list[str] = []
    with on_host("@fake", fake_delay=0, fake_delay_jitter=0) as state:
        host = next(iter(state.inventory))
        lines = CommandOutput([OutputLine("stdout", line) for line in output.splitlines()])
        monkeypatch.setattr(host, "run_shell_command", lambda *_, **__: (True, lines))
        monkeypatch.setattr(host, "log", lambda text, *_: said.append(text))
        monkeypatch.setattr(host, "log_styled", lambda text, **_: said.append(text))
        succeeded, _ = ExplainedMail(WAY, "Test").execute(state, host, {})
    assert succeeded is good
    assert words in "\n".join(said)
