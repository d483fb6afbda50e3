"""The ways that alerts take, the certificates that visitors get, and what an operator is told of a test."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pyinfra.connectors.util import CommandOutput, OutputLine

from mstdn.alerts.operations import ExplainedAlerts, alert_secrets, tried_alerts
from mstdn.alerts.rules import outcome, webhook_findings
from mstdn.layout import PROGRAMS
from mstdn.mail.delivery import Way
from tests.harness import Command, calls_in, commands_of, on_host, refusal_of, run_script, settings_with, stand_in
from tests.unit.certificates.test_scripts import make_certificate

WAY = Way("mail.example.net", 587, "mastodon@example.org", "mastodon", "ann@example.org")
SETTINGS = settings_with(alerts_mail_to="ann@example.org")
ADDRESS = {"ALERTS_WEBHOOK_URL": SecretStr("https://ntfy.example/canary")}


@contextmanager
def webhook(status: int, body: str = "", location: str = "") -> Iterator[tuple[int, list[dict[str, str]]]]:
    """One that answers so. Its port, and what it was told."""
    heard: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            heard.append({"path": self.path, "text": text, **dict(self.headers.items())})
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *words: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1], heard
        server.shutdown()


def posted(directory: Path, port: int) -> subprocess.CompletedProcess[str]:
    file = directory / "webhook"
    file.write_text(f"http://127.0.0.1:{port}/canary?auth=to\\ken\n".replace("\\", "%5C"))
    text = 'WRONG: "web" is gone.\n\nÄ line more\n'
    return run_script("alerts/webhook", file, 'social.example.org: 1 "wrong"', "high", stdin=text)


def test_a_message_is_posted_as_ntfy_takes_it(tmp_path: Path) -> None:
    with webhook(200, '{"id":"x"}') as (port, heard):
        answer = posted(tmp_path, port)
    assert answer.stdout.splitlines() == ["webhook 0 200", 'answered {"id":"x"}']
    (told,) = heard
    assert told["text"] == 'WRONG: "web" is gone.\n\nÄ line more\n'
    assert told["Title"] == 'social.example.org: 1 "wrong"' and told["Priority"] == "high"
    assert told["Content-Type"].startswith("text/plain") and told["path"] == "/canary?auth=to%5Cken"


def test_the_address_is_no_argument_of_a_program(tmp_path: Path) -> None:
    path = stand_in(tmp_path, "curl", "cat >/dev/null; cat <&3 >/dev/null")
    (tmp_path / "webhook").write_text("https://ntfy.example/canary\n")
    run_script("alerts/webhook", tmp_path / "webhook", "title", "high", stdin="text\n", path=path)
    assert calls_in(tmp_path) and "canary" not in "".join(calls_in(tmp_path))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, '{"error":"forbidden"}', "is the token in ALERTS_WEBHOOK_URL right?"),
        (404, "", "look at the path in ALERTS_WEBHOOK_URL"),
        (301, "", "leads elsewhere"),
        (500, "oops", 'It says: "oops"'),
    ],
)
def test_what_a_webhook_refuses_is_explained(tmp_path: Path, status: int, body: str, words: str) -> None:
    with webhook(status, body, location="https://elsewhere.example" if status == 301 else "") as (port, _):
        answer = posted(tmp_path, port)
    good, (bad,) = outcome(f"channel webhook\n{answer.stdout}", WAY)
    assert good == [] and words in bad and "canary" not in bad


def test_a_port_where_nobody_listens_is_explained(tmp_path: Path) -> None:
    with webhook(200) as (port, _):
        pass
    _, (bad,) = outcome(f"channel webhook\n{posted(tmp_path, port).stdout}", WAY)
    assert "Nobody listens there" in bad and "canary" not in bad


def test_the_outcome_of_both_channels_is_told() -> None:
    good, bad = outcome(
        "channel mail\nstep DATA\ntook 250 queued\nmail 0\nby container\nchannel webhook\nwebhook 0 200\n", WAY
    )
    assert good == [
        'mail.example.net took the mail for ann@example.org, sent by the container of web: "250 queued".',
        "The webhook took the message.",
    ]
    assert bad == []
    good, bad = outcome("channel mail\nstep AUTH\nsaid 535 no\nmail 67\nby server\n", WAY)
    assert good == [] and "SMTP_PASSWORD" in bad[0]


# --- Certificates -------------------------------------------------------------------------------


def test_the_certificate_that_visitors_get_is_told_with_its_time(tmp_path: Path) -> None:
    make_certificate(tmp_path / "chain.pem", tmp_path / "key.pem", "a.example", days=30)
    # $4 is the address, $6 the name.
    served = (
        f'case "$*" in *s_client*a.example | *s_client*b.example) cat "{tmp_path}/chain.pem" ;; *s_client*) exit 1 ;;'
    )
    path = stand_in(tmp_path, "openssl", f'{served} *) exec /usr/bin/openssl "$@" ;; esac')
    answer = run_script("alerts/certificates", "a.example", "b.example", "c.example", path=path)
    first, *others = answer.stdout.splitlines()
    assert others == ["certificate b.example none", "certificate c.example none"]
    _, name, begin, end = first.split(" ")
    assert name == "a.example" and int(end) - int(begin) == 30 * 86400 and abs(int(begin) - time.time()) < 60


# --- Operations ---------------------------------------------------------------------------------


def test_the_address_of_a_webhook_is_for_root_and_gone_where_there_is_none() -> None:
    directory = "/srv/mastodon/secrets/alerts"
    made = commands_of(alert_secrets, {}, settings=SETTINGS, brought=ADDRESS)
    assert made == [
        Command("files/put", ("directory", "0:0", "0700", directory)),
        Command("files/put", ("file", "0:0", "0600", f"{directory}/webhook"), "https://ntfy.example/canary\n"),
    ]
    assert commands_of(alert_secrets, {}, settings=SETTINGS, brought={}) == []
    there = {"files/state": f"state 41c0 0:0 {directory}\nstate 8180 0:0 {directory}/webhook\n"}
    assert commands_of(alert_secrets, there, settings=SETTINGS, brought={}) == [Command("files/remove", (directory,))]
    off = settings_with(alerts_enabled=False)
    assert commands_of(alert_secrets, there, settings=off, brought=ADDRESS) == [Command("files/remove", (directory,))]


def test_an_address_that_is_none_is_refused_and_not_shown() -> None:
    for address in ("ntfy.sh/topic", "https://", "https://a b", "ftp://a", "https://[x"):
        (finding,) = webhook_findings({"ALERTS_WEBHOOK_URL": SecretStr(address)})
        assert finding.level == "error" and address not in finding.text.replace("https://ntfy.sh", "")
    for address in ("https://ntfy.sh/topic", "http://10.0.0.2:8080/topic?auth=x"):
        assert list(webhook_findings({"ALERTS_WEBHOOK_URL": SecretStr(address)})) == []
    assert list(webhook_findings({})) == []


def test_a_test_sends_by_what_lies_on_the_server() -> None:
    assert commands_of(tried_alerts, {}, settings=SETTINGS, brought={}) == [
        Command("alerts/try", (f"{PROGRAMS}/alerts",))
    ]
    assert "alerts_mail_to" in refusal_of(tried_alerts, {}, settings=settings_with(), brought={})
    off = settings_with(alerts_enabled=False)
    assert "alerts_enabled" in refusal_of(tried_alerts, {}, settings=off, brought=ADDRESS)


def test_a_server_without_the_watcher_says_so(tmp_path: Path) -> None:
    answer = run_script("alerts/try", tmp_path / "alerts")
    assert answer.returncode == 1 and "Deploy" in answer.stderr
    stand_in(tmp_path, "alerts", 'echo "channel $1"')
    assert run_script("alerts/try", tmp_path / "bin/alerts").stdout == "channel test\n"


@pytest.mark.parametrize(
    ("output", "good", "words"),
    [
        ("channel mail\ntook 250 queued\nmail 0\nby server", True, "took the mail"),
        ("channel mail\nmail 0\nby server\nchannel webhook\nwebhook 6 000", False, "no server of that name"),
        ("", False, "Nobody is told"),
    ],
)
def test_the_outcome_is_told_and_decides(monkeypatch: pytest.MonkeyPatch, output: str, good: bool, words: str) -> None:
    said: list[str] = []
    with on_host("@fake", fake_delay=0, fake_delay_jitter=0) as state:
        host = next(iter(state.inventory))
        lines = CommandOutput([OutputLine("stdout", line) for line in output.splitlines()])
        monkeypatch.setattr(type(host), "run_shell_command", lambda *_, **__: (True, lines))
        monkeypatch.setattr(type(host), "log", lambda _, text, *__: said.append(text))
        monkeypatch.setattr(type(host), "log_styled", lambda _, text, **__: said.append(text))
        succeeded, _ = ExplainedAlerts(WAY).execute(state, host, {})
    assert succeeded is good and words in "\n".join(said)
