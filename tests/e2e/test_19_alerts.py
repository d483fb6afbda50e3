"""Alerts: what is wrong with a server is told once by mail and webhook, its end once, and it costs next to nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.instance import Instance
from tests.lab.addresses import VISITOR
from tests.lab.commands import wait_until

MAIL_TO = "keeper@example.org"
PORT = 8088
ON: dict[str, Any] = {"alerts_mail_to": MAIL_TO}
TASK, TEST = "tasks/timers.py", "tasks/alert_test.py"
HEARD = "/run/heard.jsonl"
# The timer waits for ever, so that nobody but the tests has rounds.
DROP_IN = "/etc/systemd/system/mstdn-alerts.timer.d"
SELDOM = (
    f"mkdir -p {DROP_IN}; printf '[Timer]\\nOnCalendar=\\nOnCalendar=2099-01-01\\n' >{DROP_IN}/lab.conf;"
    " systemctl daemon-reload; systemctl restart mstdn-alerts.timer"
)
OFTEN = f"rm -r {DROP_IN}; systemctl daemon-reload; systemctl restart mstdn-alerts.timer"
# Takes a POST as ntfy does, and keeps it; one to another path is refused.
LISTENER = f"""
import json, http.server
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/topic":
            with open("{HEARD}", "a") as file:
                file.write(json.dumps({{"title": self.headers["Title"], "text": text}}) + "\\n")
        self.send_response(200 if self.path == "/topic" else 403)
        self.end_headers()
http.server.HTTPServer(("", {PORT}), Hook).serve_forever()
"""


@dataclass
class Watched:
    """An instance whose watcher tells a webhook and the lab's mail server."""

    instance: Instance

    def look(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            # systemd takes no more than five starts in ten seconds.
            self.instance.run("systemctl reset-failed mstdn-alerts.service; systemctl start mstdn-alerts.service")

    def fail(self, rounds: int = 1) -> None:
        """Rounds that fail; whoever is started for that has done what it does."""
        for _ in range(rounds):
            before = self.told_of_failures()
            units = "mstdn-alerts.service mstdn-alerts-failed.service"
            self.instance.run(f"systemctl reset-failed {units}; ! systemctl start mstdn-alerts.service")
            self._wait_for_another_than(before)

    def _wait_for_another_than(self, before: str) -> None:
        wait_until("somebody is told", lambda: self.told_of_failures() not in ("", before), timeout=60)

    def told_of_failures(self) -> str:
        """Which run of the unit was the last, "" while one is under way."""
        shown = "systemctl show --property {} --value mstdn-alerts-failed.service"
        state, last = (self.instance.run(shown.format(each)).strip() for each in ("ActiveState", "InvocationID"))
        return last or "none" if state == "inactive" else ""

    def mails(self) -> list[str]:
        return [
            f"{mail.message['Subject']}\n{mail.message.get_content()}" for mail in self.instance.world.mails(MAIL_TO)
        ]

    def posts(self) -> list[str]:
        lines = self.instance.world.visitor.run(f"cat {HEARD} 2>/dev/null", check=False).stdout.splitlines()
        return ["{title}\n{text}".format(**json.loads(line)) for line in lines]

    @contextmanager
    def told(self, *words: str) -> Iterator[None]:
        """In this block exactly one message comes by each channel, with these words in it."""
        mails, posts = len(self.mails()), len(self.posts())
        yield
        (mail,), (post,) = self.mails()[mails:], self.posts()[posts:]
        for word in words:
            assert word in mail and word in post, (word, mail, post)

    @contextmanager
    def silence(self) -> Iterator[None]:
        mails, posts = len(self.mails()), len(self.posts())
        yield
        assert (self.mails()[mails:], self.posts()[posts:]) == ([], [])


@pytest.fixture(scope="module")
def watched(instance: Instance) -> Iterator[Watched]:
    """Nobody else looks: each test has its rounds when it wants them."""
    visitor = instance.world.visitor
    visitor.run(f"rm -f {HEARD}; cat >/run/listener.py", stdin=LISTENER)
    listener = visitor.run("setsid python3 /run/listener.py </dev/null >/dev/null 2>&1 & echo $!").stdout.strip()
    instance.run("rm -f /var/lib/mstdn/alerts")
    environment = instance.world.environment() | {"ALERTS_WEBHOOK_URL": f"http://{VISITOR.ipv4}:{PORT}/topic"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(instance.world), "environment", lambda _: environment)
        instance.converge(TASK, **ON)
        instance.run(SELDOM)
        yield Watched(instance)
        instance.run(OFTEN)
    visitor.run(f"kill {listener}; rm -f {HEARD} /run/listener.py")
    instance.run("rm -f /var/lib/mstdn/alerts")
    instance.converge()


def test_the_watcher_is_there_by_itself_and_a_second_run_changes_nothing(watched: Watched) -> None:
    instance = watched.instance
    assert "mstdn-alerts.timer" in instance.run("systemctl list-timers --all 'mstdn-*'")
    assert instance.converge(TASK, **ON).changed == [] and instance.plan(**ON).planned == []
    assert instance.run("stat -c '%a %u' /srv/mastodon/secrets/alerts/webhook").split() == ["600", "0"]


def test_where_all_is_well_nobody_is_told_and_nothing_is_written(watched: Watched) -> None:
    instance, mark = watched.instance, "/run/lab-mark"
    instance.run(f"touch {mark}")
    started = instance.started()
    with watched.silence():
        watched.look(3)
    assert instance.run(f"find /var/lib/mstdn /srv/mastodon/state /srv/proxy/certs -newer {mark} -type f").strip() == ""
    assert instance.run("cat /var/lib/mstdn/alerts 2>&1", check=False).endswith("No such file or directory\n")
    assert instance.started() == started


def test_a_round_costs_less_than_a_second_of_one_core_and_twenty_megabytes(watched: Watched) -> None:
    watched.look()
    instance = watched.instance
    shown = instance.run("systemctl show --property CPUUsageNSec,MemoryPeak mstdn-alerts.service")
    values = dict(line.split("=", 1) for line in shown.splitlines())
    assert 0 < int(values["CPUUsageNSec"]) < 1_000_000_000, values
    if values.get("MemoryPeak", "").isdecimal():
        assert int(values["MemoryPeak"]) < 20_000_000, values
    # Where the kernel does not count it: what all of its processes had at once, looked at a hundred times a second.
    peak = int(instance.run(PEAK).split()[-1])
    assert 0 < peak < 20_000, f"{peak} kB"


# The largest sum, in kB, of what the processes of the round have for themselves, with their part of what they share.
PEAK = """
systemctl start --no-block mstdn-alerts.service
group=/sys/fs/cgroup/system.slice/mstdn-alerts.service peak=0
while systemctl show --property ActiveState --value mstdn-alerts.service | grep -qx activating; do
    for _ in 1 2 3 4 5 6 7 8; do
        sum=$(for pid in $(cat $group/cgroup.procs 2>/dev/null); do cat /proc/$pid/smaps_rollup 2>/dev/null; done |
            awk '$1 == "Pss:" { sum += $2 } END { print sum + 0 }')
        [ "$sum" -le "$peak" ] || peak=$sum
    done
done
echo $peak
"""


def test_a_test_of_both_ways_arrives_and_what_fails_is_explained(watched: Watched) -> None:
    instance = watched.instance
    with watched.told("test of its alerts", "Nothing is wrong"):
        run = instance.converge(TEST, **ON)
    assert "took the mail for keeper@example.org" in run.stderr and "The webhook took the message" in run.stderr
    with watched.silence():
        assert instance.plan(TEST, **ON).planned
    address = "/srv/mastodon/secrets/alerts/webhook"
    instance.run(f"sed -i 's|/topic|/other|' {address}")
    try:
        said = instance.refusal(TEST, **ON)
    finally:
        instance.run(f"sed -i 's|/other|/topic|' {address}")
    assert "ALERTS_WEBHOOK_URL" in said and "403" in said and "took the mail" in said


def test_a_service_that_is_down_is_told_once_and_its_end_once_even_after_a_reboot(watched: Watched) -> None:
    instance = watched.instance
    instance.run(f"docker stop --time 5 {instance.container('mstdn', 'streaming')}")
    try:
        with watched.silence():
            watched.look()
        with watched.told("1 wrong", "WRONG: streaming of mstdn is exited.", "tasks/status.py"):
            watched.look(3)
        with watched.silence():
            instance.world.reboot()
            # The engine starts what somebody stopped; so it is stopped again.
            _until(instance, "systemctl is-active docker")
            instance.run(f"docker stop --time 5 {instance.container('mstdn', 'streaming')}")
            watched.look(2)
    finally:
        instance.converge(**ON)
    with watched.told("1 mended", "MENDED after ", "streaming of mstdn"):
        watched.look(3)


def _until(instance: Instance, command: str) -> None:
    wait_until(command, lambda: instance.succeeds(command), timeout=120)


REDIS = 'export REDISCLI_AUTH=$(cut -d " " -f 2 /run/secrets/redis.conf); '
SICK: dict[str, tuple[Callable[[Instance], None], Callable[[Instance], None], str]] = {
    "queue": (
        lambda it: _inside(
            it,
            "redis",
            REDIS + "redis-cli SADD queues lab; "
            """redis-cli LPUSH queue:lab '{"class":"Lab","args":[],"enqueued_at":1700000000000}'""",
        ),
        lambda it: _inside(it, "redis", REDIS + "redis-cli SREM queues lab; redis-cli DEL queue:lab"),
        "1 jobs wait in the queue lab",
    ),
    "release": (
        lambda it: _sql(it, "INSERT INTO software_updates (version, urgent) VALUES ('99.1.0', true)"),
        lambda it: _sql(it, "DELETE FROM software_updates"),
        "Mastodon v99.1.0 is out and mends security",
    ),
    "migration": (
        lambda it: _sql(it, "UPDATE schema_migrations SET version = '1' WHERE version = '20160220174730'"),
        lambda it: _sql(it, "UPDATE schema_migrations SET version = '20160220174730' WHERE version = '1'"),
        "1 migrations of the release that runs have not run",
    ),
    "unit": (
        lambda it: _run(
            it,
            "printf '[Service]\\nExecStart=/bin/false\\n' >/run/systemd/system/mstdn-lab.service;"
            " systemctl daemon-reload; systemctl start mstdn-lab; true",
        ),
        lambda it: _run(
            it,
            "rm /run/systemd/system/mstdn-lab.service; systemctl reset-failed mstdn-lab; systemctl daemon-reload",
        ),
        "mstdn-lab.service failed (exit-code)",
    ),
    "firewall": (
        lambda it: _run(it, "iptables-save -t nat >/run/lab-nat; iptables -t nat -F POSTROUTING"),
        lambda it: _run(it, "iptables-restore -T nat </run/lab-nat"),
        "The network mstdn_outbound has no way out",
    ),
    "disk": (
        lambda it: _tell(it, "ALERT_DISK_PERCENT=[0-9]*", "ALERT_DISK_PERCENT=0"),
        lambda it: _tell(it, "ALERT_DISK_PERCENT=0", "ALERT_DISK_PERCENT=90"),
        "% full",
    ),
    "certificate": (
        lambda it: _tell(it, "ALERT_NAMES=.*", "ALERT_NAMES=nobody.example.org"),
        lambda it: _tell(it, "ALERT_NAMES=.*", f"ALERT_NAMES={it.domain}"),
        "nobody.example.org is served without a certificate of its own",
    ),
    "engine": (
        lambda it: _run(it, "systemctl stop docker.service docker.socket"),
        lambda it: _run(it, "systemctl start docker.socket docker.service"),
        "The containers cannot be looked at: Docker does not run",
    ),
}


def _run(instance: Instance, command: str) -> None:
    instance.run(command)


def _inside(instance: Instance, service: str, command: str) -> None:
    instance.inside("mstdn", service, command)


def _sql(instance: Instance, text: str) -> None:
    instance.run(f"docker exec -i {instance.container('mstdn', 'db')} psql -U postgres mastodon_production", stdin=text)


def _tell(instance: Instance, before: str, after: str) -> None:
    instance.run(f"sed -i 's|^{before}|{after}|' /usr/local/lib/mstdn/settings")


@pytest.mark.parametrize("sick", SICK)
def test_whatever_is_wrong_is_told_once_and_its_end_once(watched: Watched, sick: str) -> None:
    begin, end, words = SICK[sick]
    begin(watched.instance)
    try:
        with watched.told(words):
            watched.look(3)
    finally:
        end(watched.instance)
    _until(watched.instance, "systemctl is-active docker")
    with watched.told("MENDED"):
        watched.look(3)


def test_a_watcher_that_does_not_work_is_told_once_and_its_end_once(watched: Watched) -> None:
    instance = watched.instance
    # Whatever its programs read is broken.
    instance.run("echo if >>/usr/local/lib/mstdn/settings")
    try:
        with watched.silence():
            watched.fail()
        with watched.told(
            "the watcher", "does not come to its end (exit-code, ", "settings", "pyinfra inventory.py deploy.py"
        ):
            watched.fail(3)
    finally:
        assert instance.converge(**ON).changed == ["tasks/timers.py | Install the programs that run by themselves"]
    with watched.told("MENDED after ", "looks at the server again"):
        watched.look(3)
    assert not instance.succeeds("test -e /var/lib/mstdn/alerts-failed")


def test_a_run_at_work_silences_the_watcher(watched: Watched) -> None:
    instance = watched.instance
    instance.run(f"docker stop --time 5 {instance.container('mstdn', 'streaming')}")
    hold = "exec 9>>/run/mstdn.lock; flock 9; exec sleep 60"
    holder = instance.run(f"setsid sh -c '{hold}' </dev/null >/dev/null 2>&1 & echo $!").strip()
    wait_until("the lock is held", lambda: not instance.succeeds("flock --nonblock /run/mstdn.lock true"), timeout=10)
    try:
        with watched.silence():
            watched.look(3)
    finally:
        instance.run(f"kill {holder}")
        instance.converge(**ON)
    with watched.silence():
        watched.look(2)


def test_containers_that_a_run_rolls_alarm_nobody(watched: Watched) -> None:
    ended = threading.Event()

    def rounds() -> None:
        while not ended.is_set():
            watched.look()

    watcher = threading.Thread(target=rounds)
    with watched.silence():
        watcher.start()
        try:
            changed = watched.instance.converge(app_stop_timeout_seconds=21, **ON).changed
            assert "tasks/app.py | Start Mastodon" in changed
        finally:
            ended.set()
            watcher.join()
        watched.instance.converge(**ON)
        watched.look(2)
    assert not watched.instance.succeeds("test -e /var/lib/mstdn/alerts")


def test_what_could_not_be_sent_is_sent_later_and_status_says_so(watched: Watched) -> None:
    instance = watched.instance
    part = "/srv/mastodon/secrets/mastodon.env"
    instance.run(f"cp -p {part} {part}.lab && sed 's/^SMTP_PASSWORD=.*/SMTP_PASSWORD=wrong/' {part}.lab >{part}")
    _tell(instance, "ALERT_DISK_PERCENT=[0-9]*", "ALERT_DISK_PERCENT=0")
    mails, posts = len(watched.mails()), len(watched.posts())
    try:
        watched.look(3)
        assert len(watched.mails()) == mails and len(watched.posts()) == posts + 1
        assert "535" in instance.run("grep '^failed mail' /var/lib/mstdn/alerts")
        assert "wrong" not in instance.run("cat /var/lib/mstdn/alerts")
    finally:
        instance.run(f"cat {part}.lab >{part} && rm {part}.lab")
    watched.look()
    assert len(watched.mails()) == mails + 1 and len(watched.posts()) == posts + 1
    _tell(instance, "ALERT_DISK_PERCENT=0", "ALERT_DISK_PERCENT=90")
    watched.look(2)


def test_no_secret_is_an_argument_or_in_a_log(watched: Watched) -> None:
    instance = watched.instance
    look = "while :; do cat /proc/[0-9]*/cmdline; sleep 0.02; done >>/run/lab-arguments 2>/dev/null"
    recorder = instance.run(
        f"rm -f /run/lab-arguments; setsid sh -c '{look}' </dev/null >/dev/null 2>&1 & echo $!"
    ).strip()
    try:
        instance.converge(TEST, **ON)
        time.sleep(0.1)
    finally:
        instance.run(f"kill {recorder}")
    for secret in (f"{PORT}/topic", "lab-smtp-password"):
        assert instance.run(f"tr '\\0' ' ' </run/lab-arguments | grep -cF -e {secret}", check=False).strip() == "0"
        assert instance.run(f"journalctl | grep -cF -e {secret}", check=False).strip() == "0"
