"""What the watcher on a server calls wrong: exactly, and the same as tasks/status.py from the same lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from mstdn.alerts.programs import alert_settings
from mstdn.certificates.facts import Certificate, CertificateFiles
from mstdn.docker.facts import Containers
from mstdn.kinds.dotenv import dotenv_text
from mstdn.layout import MASTODON_SERVICES, PROXY_SERVICES
from mstdn.networks.facts import FirewallWays
from mstdn.networks.rules import closed_ways
from mstdn.settings import Settings
from mstdn.status.complaint import Seen
from mstdn.status.facts import MachineState, PartStates
from mstdn.status.looking import wanted
from mstdn.status.rules import complaints
from tests.harness import container_line, read, run_script, settings_with
from tests.unit.networks.rulesets import ENGINE_26, ENGINE_28, ENGINE_29, NFTABLES, Ruleset
from tests.unit.networks.rulesets import NETWORKS as BRIDGES

NOW = 1_800_000_000
DAY = 86_400
SETTINGS = settings_with(backup_repository="/srv/backups", alerts_mail_to="ann@example.org")
SERVICES = [*(f"mstdn {each}" for each in MASTODON_SERVICES), *(f"proxy {each}" for each in PROXY_SERVICES)]
RELEASE = SETTINGS.mastodon_version
MACHINE = f"""now {NOW}
memory 4000000 3000000 2000000 2000000
disk / 40000000 20000000 9%
unit mstdn-backup.timer loaded active success Thu 2027-01-15 03:31:00 UTC
unit mstdn-backup.service loaded inactive success
noted backup time {NOW - 3600}
noted backup-result time {NOW - 3600}
noted backup-result result ok
noted backup-result why
noted drill-result time {NOW - 3 * DAY}
noted drill-result result ok
looked machine
"""
CONTAINERS = "".join(f"container {each} False running healthy\n" for each in SERVICES) + "looked containers\n"
PARTS = f"""database 1000 14 100
queue default 3 {NOW - 20}
queue pull 0 -
jobs 5 1 1
writes ok
looked parts
"""
NETWORKS = "looked networks\n"
CERTIFICATES = f"certificate social.example.org {NOW - 10 * DAY} {NOW + 80 * DAY}\nlooked certificates\n"
WELL = MACHINE + CONTAINERS + PARTS + NETWORKS + CERTIFICATES + f"release {RELEASE}\n"


def judged(directory: Path, seen: str, **settings: str) -> list[str]:
    """What judge.sh says, with a bar where it has a tab."""
    file = directory / "settings"
    file.write_text(dotenv_text(alert_settings(SETTINGS) | settings))
    answer = run_script("alerts/judge", stdin=seen, instead={"/usr/local/lib/mstdn/settings": file})
    assert (answer.returncode, answer.stderr) == (0, "")
    return [line.replace("\t", "|") for line in answer.stdout.splitlines()]


def test_where_all_is_well_nothing_is_said(tmp_path: Path) -> None:
    assert judged(tmp_path, WELL) == []


HOUR = 3600
WRONG = [
    # what is otherwise: lines before and after; what is said
    (
        "disk / 40000000 20000000 9%",
        "disk / 40000000 3000000 9%",
        ["disk//|The disk at / is 92 % full: 2929 MiB are free."],
    ),
    (
        "disk / 40000000 20000000 9%",
        "disk / 4000000 900000 9%",
        ["disk//|The disk at / is 77 % full: 878 MiB are free."],
    ),
    (
        "disk / 40000000 20000000 9%",
        "disk /mnt/my disk 40000000 20000000 97%",
        ["disk//mnt/my disk|The disk at /mnt/my disk holds so many files that 97 % of its inodes are in use."],
    ),
    ("disk / 40000000 20000000 9%", "disk / 40000000 20000000 -", []),
    (
        "mstdn-backup.service loaded inactive success",
        "mstdn-backup.service loaded failed exit-code",
        ["task/backup|mstdn-backup.service failed (exit-code)."],
    ),
    (
        "mstdn-backup.timer loaded active success",
        "mstdn-backup.timer loaded inactive success",
        ["timer/mstdn-backup.timer|mstdn-backup.timer does not wait for its time."],
    ),
    (
        "backup-result result ok\nnoted backup-result why",
        "backup-result result failed\nnoted backup-result why The disk is full.",
        ["task/backup|The last backup did not succeed: The disk is full."],
    ),
    ("drill-result result ok", "drill-result result skipped", ["task/drill|The last drill did not succeed: skipped"]),
    (f"noted backup time {NOW - 3600}\n", "", ["backup|No backup was made yet."]),
    (
        f"noted backup time {NOW - 3600}",
        f"noted backup time {NOW - 50 * HOUR}",
        ["backup|The last backup is 2 days old."],
    ),
    (
        f"drill-result time {NOW - 3 * DAY}",
        f"drill-result time {NOW - 16 * DAY}",
        ["drill|That a backup can be restored was proven 16 days ago."],
    ),
    (
        "looked machine",
        "noted restoring snapshot 1a2b\nlooked machine",
        ["restore|A restore was begun and is not finished; until then no backup is made."],
    ),
    ("web False running healthy", "web False running unhealthy", ["container/mstdn/web|web of mstdn is unhealthy."]),
    (
        "web False running healthy",
        "web False restarting none",
        ["?migrations", "container/mstdn/web|web of mstdn is restarting."],
    ),
    ("container mstdn sidekiq False running healthy\n", "", ["container/mstdn/sidekiq|sidekiq of mstdn is missing."]),
    ("acme-companion False running healthy", "acme-companion False running none", []),
    # It may come up: neither wrong nor right.
    ("streaming False running healthy", "streaming False running starting", ["?container/mstdn/streaming"]),
    # "docker compose run" leaves such ones behind, which are nobody's service.
    ("looked containers", "container mstdn web True exited none\nlooked containers", []),
    (
        "redis False running healthy",
        "redis False exited none",
        ["?queue/", "?redis", "?sidekiq", "?writes", "container/mstdn/redis|redis of mstdn is exited."],
    ),
    (
        "database 1000 14 100",
        "silent db",
        ["?migrations", "?release/", "database|PostgreSQL runs and does not answer."],
    ),
    (
        "writes ok",
        "pending 3_new\npending 4_newer\nwrites ok",
        ["migrations|2 migrations of the release that runs have not run, such as 3_new."],
    ),
    ("jobs 5 1 1", "jobs 5 1 0", ["sidekiq|No Sidekiq is at work: posts go nowhere."]),
    (
        "writes ok",
        "writes err",
        ["writes|Redis cannot write to its disk, and then takes no more jobs: nothing is posted or delivered."],
    ),
    (
        f"queue default 3 {NOW - 20}",
        f"queue default 3 {NOW - 400}",
        ["queue/default|3 jobs wait in the queue default, the oldest for 6 minutes."],
    ),
    (
        f"queue default 3 {NOW - 20}",
        f"queue push 3 {NOW - 400}123",
        ["queue/push|3 jobs wait in the queue push, the oldest for 6 minutes."],
    ),
    ("queue pull 0 -", f"queue pull 9 {NOW - 3000}", []),
    (
        "queue pull 0 -",
        f"queue pull 9 {NOW - 3700}",
        ["queue/pull|9 jobs wait in the queue pull, the oldest for 61 minutes."],
    ),
    (
        "writes ok",
        "update 99.1.0 t\nupdate 99.0.1 f\nupdate 99.2.0-beta.1 t\nupdate 4.4.0 t\nwrites ok",
        [f"release/99.1.0|Mastodon v99.1.0 is out and mends security; {RELEASE} is installed."],
    ),
    (
        f"certificate social.example.org {NOW - 10 * DAY} {NOW + 80 * DAY}",
        f"certificate social.example.org {NOW - 71 * DAY} {NOW + 19 * DAY}",
        ["certificate/social.example.org|The certificate of social.example.org ends in 19 days and was not renewed."],
    ),
    (
        f"certificate social.example.org {NOW - 10 * DAY} {NOW + 80 * DAY}",
        f"certificate social.example.org {NOW - 91 * DAY} {NOW - DAY}",
        ["certificate/social.example.org|The certificate of social.example.org has ended."],
    ),
    # One of six days is renewed in its last third.
    (f"{NOW - 10 * DAY} {NOW + 80 * DAY}", f"{NOW - 3 * DAY} {NOW + 3 * DAY}", []),
    (
        f"{NOW - 10 * DAY} {NOW + 80 * DAY}",
        "none",
        ["certificate/social.example.org|social.example.org is served without a certificate of its own."],
    ),
]


@pytest.mark.parametrize(("before", "after", "said"), WRONG, ids=[row[1][:50].strip() or row[0] for row in WRONG])
def test_each_thing_is_told_in_its_words_and_nothing_else(
    tmp_path: Path, before: str, after: str, said: list[str]
) -> None:
    assert before in WELL
    assert judged(tmp_path, WELL.replace(before, after)) == said


# By the key of an alert: of what tasks/status.py complains then.
ABOUT = {
    "disk": "disk",
    "task": "timers",
    "timer": "timers",
    "backup": "backup",
    "drill": "drill",
    "restore": "restore",
    "database": "PostgreSQL",
    "migrations": "migrations",
    "sidekiq": "queues",
    "queue": "queues",
    "writes": "Redis",
    "release": "release",
    "certificate": "certificate",
}


def complained(seen: str, settings: Settings = SETTINGS) -> set[str]:
    """Of what tasks/status.py would complain that saw the same; what is only worth knowing is left out."""
    lines = seen.splitlines()

    def of(*keys: str) -> str:
        return "\n".join(line for line in lines if line.split(" ")[0] in keys)

    containers = [line.split(" ") for line in lines if line.startswith("container ")]
    described = "".join(
        container_line(
            f"{project}/{service}",
            once=once,
            status=state,
            health=health,
            **({"reference": wanted(settings).web_image} if service == "web" else {}),
        )
        for _, project, service, once, state, health in containers
    )
    ends = [line.split(" ")[1:] for line in lines if line.startswith("certificate ") and not line.endswith(" none")]
    found = complaints(
        Seen(
            machine=read(MachineState, of("now", "memory", "disk", "unit", "noted")),
            installed={"MASTODON_VERSION": RELEASE},
            containers=read(Containers, described),
            certificates=CertificateFiles(
                installed={name: Certificate("AB", True, int(begin), int(end), (name,)) for name, begin, end in ends}
            ),
            parts=read(PartStates, of("database", "pending", "update", "queue", "jobs", "writes", "silent")),
        ),
        wanted(settings),
    )
    return {each.about for each in found if each.level == "error"}


@pytest.mark.parametrize(("before", "after", "said"), WRONG, ids=[row[1][:50].strip() or row[0] for row in WRONG])
def test_status_complains_of_the_same_things(before: str, after: str, said: list[str]) -> None:
    alerts = [line.split("|")[0] for line in said if not line.startswith("?")]
    expected = set()
    for key in alerts:
        kind, _, rest = key.partition("/")
        if kind == "container" or (kind == "task" and "result" in after):
            expected.add(rest)
        else:
            expected.add(ABOUT[kind])
    assert complained(WELL.replace(before, after)) == expected


@pytest.mark.parametrize(("percent", "wrong"), [(95, False), (90, True), (80, True)])
def test_both_call_a_disk_full_from_the_same_number_on(tmp_path: Path, percent: int, wrong: bool) -> None:
    seen = WELL.replace("disk / 40000000 20000000 9%", "disk / 40000000 3000000 9%")
    settings = SETTINGS.model_copy(update={"alerts_disk_percent": percent})
    assert bool(judged(tmp_path, seen, ALERT_DISK_PERCENT=str(percent))) is wrong
    assert complained(seen, settings) == ({"disk"} if wrong else set())


@pytest.mark.parametrize(("task", "wrong"), [("chores", True), ("backup", False), ("drill", False)])
def test_without_backups_both_tell_of_what_still_runs_and_failed(tmp_path: Path, task: str, wrong: bool) -> None:
    failed = f"noted {task}-result time {NOW}\nnoted {task}-result result failed\nnoted {task}-result why It is full."
    seen = WELL.replace("looked machine", f"{failed}\nlooked machine")
    expected = [f"task/{task}|The last {task} did not succeed: It is full."] if wrong else []
    assert judged(tmp_path, seen, ALERT_BACKUPS="no") == expected
    assert complained(seen, SETTINGS.model_copy(update={"backup_repository": ""})) == ({task} if wrong else set())


@pytest.mark.parametrize("begun", [True, False])
def test_a_restore_that_failed_counts_for_both_until_it_is_given_up(tmp_path: Path, begun: bool) -> None:
    lines = ["noted restore-result result failed", "noted restore-result why It is full.", "looked machine"]
    seen = WELL.replace("looked machine", "\n".join([*(["noted restoring snapshot 1a2b"] if begun else []), *lines]))
    failed = "task/restore|The last restore did not succeed: It is full."
    assert (failed in judged(tmp_path, seen)) is begun and bool(judged(tmp_path, seen)) is begun
    assert complained(seen) == ({"restore"} if begun else set())


LOOKS = {
    "machine": MACHINE,
    "containers": CONTAINERS,
    "parts": PARTS,
    "networks": NETWORKS,
    "certificates": CERTIFICATES,
}


@pytest.mark.parametrize("part", LOOKS)
def test_a_look_that_does_not_come_to_its_end_is_told(tmp_path: Path, part: str) -> None:
    said = judged(tmp_path, WELL.replace(LOOKS[part], ""))
    wrong = [line for line in said if not line.startswith("?")]
    assert len(wrong) == 1 and wrong[0].startswith(f"look/{part}|The watcher cannot look at ")
    assert f"alerts-{part} does not come to its end" in wrong[0]
    assert len(said) > 1


def test_without_the_time_nothing_that_depends_on_it_is_right(tmp_path: Path) -> None:
    soon = CERTIFICATES.replace(f"{NOW - 10 * DAY} {NOW + 80 * DAY}", f"{NOW - 80 * DAY} {NOW + 10 * DAY}")
    seen = (
        WELL.replace(MACHINE, "").replace(CERTIFICATES, soon).replace(f"default 3 {NOW - 20}", f"default 3 {NOW - 400}")
    )
    assert {"?queue/", "?certificate/social.example.org"} <= set(judged(tmp_path, seen))


def test_what_could_not_be_looked_at_is_neither_wrong_nor_right(tmp_path: Path) -> None:
    silent = MACHINE + "unknown Docker does not run\nlooked containers\nunknown x\nlooked parts\nlooked networks\n"
    assert judged(tmp_path, silent + CERTIFICATES) == [
        "?container/",
        "?database",
        "?migrations",
        "?queue/",
        "?redis",
        "?release/",
        "?rules/",
        "?sidekiq",
        "?writes",
        "engine|The containers cannot be looked at: Docker does not run.",
    ]
    assert set(judged(tmp_path, f"now {NOW}\n")) >= {
        "?disk/",
        "?task/",
        "?backup",
        "?container/",
        "?rules/",
        "?certificate/",
    }


def test_without_backups_nobody_misses_one_and_a_release_is_told_only_if_wanted(tmp_path: Path) -> None:
    without = MACHINE.replace(f"noted backup time {NOW - 3600}\n", "").replace("result ok", "result failed")
    seen = without + CONTAINERS + PARTS + "update 99.1.0 t\n" + NETWORKS + CERTIFICATES + f"release {RELEASE}\n"
    assert judged(tmp_path, seen, ALERT_BACKUPS="no", ALERT_RELEASES="no") == []


KINDS = (ENGINE_26, ENGINE_28, ENGINE_29, NFTABLES)
HALVES = [(), ("nat",), ("172.20.0.0/16",), ("filter",), ("FORWARD",)]


@pytest.mark.parametrize("ruleset", KINDS, ids=lambda each: each.name)
@pytest.mark.parametrize("without", HALVES, ids=lambda words: words[0] if words else "all of them")
def test_the_engines_rules_are_judged_as_a_run_judges_them(
    tmp_path: Path, ruleset: Ruleset, without: tuple[str, ...]
) -> None:
    rules = (f"rule {rule.family} {rule.place} {rule.text}" for rule in ruleset.rules if rule.family == 4)
    lines = "\n".join(
        [*BRIDGES, *(rule for rule in rules if not any(word in rule for word in without)), "forwarding 1"]
    )
    found = judged(tmp_path, WELL.replace(NETWORKS, f"{lines}\n{NETWORKS}"))
    by_a_run = [each for each in closed_ways(read(FirewallWays, lines), engine=(26, 1)) if "reach" not in each]
    assert [line.split("|")[0].removeprefix("rules/") for line in found] == sorted(
        {each.split(" ")[2] for each in by_a_run}
    )
    assert bool(found) == bool(without)


def test_a_firewall_that_somebody_else_keeps_is_not_judged_and_forwarding_is(tmp_path: Path) -> None:
    off = "\n".join([*BRIDGES, "forwarding 0", ""])
    assert judged(tmp_path, WELL.replace(NETWORKS, f"{off}unmanaged 4\n{NETWORKS}")) == []
    assert any(
        line.startswith("rules/forwarding|") for line in judged(tmp_path, WELL.replace(NETWORKS, off + NETWORKS))
    )
