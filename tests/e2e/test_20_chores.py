"""What is tidied up by itself: content retention is chosen once, and chores are done without anybody noticing."""

from __future__ import annotations

import json
import time

from tests.e2e.instance import SERVICES, Instance
from tests.lab.commands import wait_until

NOTE = "/srv/mastodon/state/retention"
RETENTION = "tasks/retention.py | Choose how long copies of others' content are kept"
CHORES = "tasks/chores.py"
KEY = "media_cache_retention_period"


def sql(instance: Instance, text: str) -> str:
    command = f"docker exec -i {instance.container('mstdn', 'db')} psql -U postgres -At mastodon_production"
    return instance.run(command, stdin=text).strip()


def chosen(instance: Instance) -> str:
    return sql(instance, f"SELECT value FROM settings WHERE var = '{KEY}'")  # noqa: S608 (a constant)


def test_the_installation_has_chosen_how_long_copies_are_kept(instance: Instance) -> None:
    assert chosen(instance) == "--- 14"
    assert instance.run(f"cat {NOTE}") == f"chosen {KEY} 14\n"


def test_what_the_owner_chooses_later_stays(instance: Instance) -> None:
    # As the administration pages write an empty field.
    sql(instance, f"UPDATE settings SET value = '--- ''''' WHERE var = '{KEY}'")  # noqa: S608
    assert instance.converge().changed == [] and instance.converge(retention_media_days=3).changed == []
    assert chosen(instance) == "--- ''"


def test_what_the_owner_has_chosen_before_the_suite_came_stays_too(instance: Instance) -> None:
    sql(instance, f"UPDATE settings SET value = '--- 90' WHERE var = '{KEY}'")  # noqa: S608
    instance.run(f"rm {NOTE}")
    run = instance.converge()
    assert run.changed == [RETENTION] and chosen(instance) == "--- 90"
    assert instance.run(f"cat {NOTE}") == f"kept {KEY}\n"
    assert instance.converge().changed == []


def test_a_run_that_was_killed_before_it_had_chosen_is_finished_by_the_next(instance: Instance) -> None:
    sql(instance, f"DELETE FROM settings WHERE var = '{KEY}'")  # noqa: S608
    instance.run(f"rm {NOTE}; echo half >{NOTE}.new")
    assert instance.plan().planned == [RETENTION]
    assert instance.converge().changed == [RETENTION]
    assert chosen(instance) == "--- 14" and instance.plan().planned == []


def test_the_chores_leave_nothing_that_nobody_knows_and_touch_no_container(instance: Instance) -> None:
    media = "/srv/mastodon/media/media_attachments/files"
    orphan = f"{media}/111/222/333/original/orphan.png"
    token = instance.token("tidy")
    header = ("--header", f"Authorization: Bearer {token}")
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    instance.world.visitor.run(f"echo {pixel} | base64 -d >/run/pixel.png")
    answer = instance.visit("/api/v2/media", *header, "--form", "file=@/run/pixel.png;type=image/png")
    assert answer.status in (200, 202), answer
    address = json.loads(answer.body)["url"].partition(f"//{instance.domain}")[2]
    instance.run(f"install -D /etc/hostname {orphan} && chown -R 991:991 {media}")
    started = instance.started()
    run = instance.converge(CHORES)
    assert "Removed 1 orphans" in run.stderr and "tootctl media remove --prune-profiles --days 30" in run.stderr
    assert not instance.succeeds(f"test -e {orphan}") and instance.visit(address, "--head").status == 200
    assert instance.started() == started
    assert "result ok" in instance.run("cat /var/lib/mstdn/chores-result")
    assert "mstdn-chores.timer" in instance.run("systemctl list-timers --all 'mstdn-*'")
    assert instance.run("docker ps --all --quiet --filter label=com.docker.compose.oneoff=True").strip() == ""
    assert "Removed 0 orphans" in instance.converge(CHORES).stderr


def test_chores_wait_for_whoever_changes_the_server(instance: Instance) -> None:
    hold = "exec 9>>/run/mstdn.lock; flock 9; exec sleep 60"
    holder = instance.run(f"setsid sh -c '{hold}' </dev/null >/dev/null 2>&1 & echo $!").strip()
    wait_until("the lock is held", lambda: not instance.succeeds("flock --nonblock /run/mstdn.lock true"), timeout=10)
    try:
        before = instance.run("cat /var/lib/mstdn/chores-result")
        instance.run("systemctl start --no-block mstdn-chores.service")
        time.sleep(2)
        assert instance.run("cat /var/lib/mstdn/chores-result") == before
        assert instance.run("docker ps --quiet --filter label=com.docker.compose.oneoff=True").strip() == ""
    finally:
        instance.run(f"kill {holder}")
    ended = "systemctl show --property ActiveState --value mstdn-chores.service | grep -qx inactive"
    wait_until("the chores are done", lambda: instance.succeeds(ended), timeout=60)
    assert instance.run("cat /var/lib/mstdn/chores-result") != before


def test_chores_make_room_for_a_run_and_have_not_failed(instance: Instance) -> None:
    state = "systemctl show --property ActiveState --value mstdn-chores.service"
    instance.run("systemctl start --no-block mstdn-chores.service")
    begun = "docker ps --quiet --filter label=com.docker.compose.oneoff=True | grep -q ."
    wait_until("a chore is begun", lambda: instance.succeeds(begun), timeout=60, interval=0.1)
    # It stands still, as it seems to where there are a million files.
    instance.run("systemctl kill --signal STOP mstdn-chores.service")
    assert instance.run(state).strip() == "activating"
    assert "tasks/app.py | Start Mastodon" in instance.converge(default_locale="de").changed
    assert instance.run(state).strip() == "inactive"
    assert "result skipped" in instance.run("cat /var/lib/mstdn/chores-result")
    instance.converge()
    assert "Removed 0 orphans" in instance.converge(CHORES).stderr


def test_a_run_that_waits_for_the_server_itself_says_for_what(instance: Instance) -> None:
    hold = "--unit=mstdn-elsewhere --property=Type=oneshot flock /run/mstdn.lock sleep 8"
    instance.run(f"systemd-run --quiet --no-block {hold}")
    wait_until("the lock is held", lambda: not instance.succeeds("flock --nonblock /run/mstdn.lock true"), timeout=10)
    instance.run("chmod 0600 /srv/mastodon/compose.yaml")
    run = instance.converge()
    assert run.changed == ["tasks/configuration.py | Write the configuration of Mastodon"]
    assert "The server is at work by itself: mstdn-elsewhere.service. This goes on when that is done" in run.stderr
    assert instance.converge().changed == []


# --- Logs ---------------------------------------------------------------------------------------

LOGS = "find /var/log /srv/mastodon/state /srv/proxy /var/lib/mstdn -name '*.log' -size +20M"


def test_every_log_is_bounded(instance: Instance) -> None:
    for project, services in SERVICES.items():
        for service in services:
            kind = instance.inspect(project, service)["HostConfig"]["LogConfig"]
            assert kind == {"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}}, (project, service)
    # What nginx would write into files goes the same way.
    for project in SERVICES:
        links = instance.inside(project, "nginx", "readlink /var/log/nginx/access.log /var/log/nginx/error.log")
        assert links.split() == ["/dev/stdout", "/dev/stderr"]
    # The journal keeps a tenth of its disk, and 4 GiB at most, unless somebody says otherwise (journald.conf(5)).
    shown = instance.run(
        "systemd-analyze cat-config systemd/journald.conf | grep -E '^(SystemMaxUse|RuntimeMaxUse)='", check=False
    )
    assert shown == ""
    assert instance.run(LOGS) == ""


# --- The system ---------------------------------------------------------------------------------

UPDATES = "tasks/updates.py | Let the system install its security fixes"
FILE = "/etc/apt/apt.conf.d/52mstdn"


def test_the_system_installs_its_security_fixes_and_dockers_only_if_asked(instance: Instance) -> None:
    plan = instance.plan(updates_enabled=True)
    assert plan.planned == [UPDATES]
    try:
        assert instance.converge(updates_enabled=True).changed == [UPDATES]
        assert instance.converge(updates_enabled=True).changed == []
        tried = instance.run("unattended-upgrade --dry-run --debug 2>&1")
        origins = next(line for line in tried.splitlines() if "Allowed origins are" in line)
        assert "Security" in origins and "origin=Docker" not in origins
        assert 'Unattended-Upgrade "1"' in instance.run("apt-config dump APT::Periodic::Unattended-Upgrade")
        started = instance.started()
        assert instance.converge(updates_enabled=True, updates_docker=True).changed == [UPDATES]
        assert "origin=Docker" in instance.run("unattended-upgrade --dry-run --debug 2>&1")
        assert instance.converge(updates_enabled=True, updates_docker=True).changed == []
        assert instance.started() == started
        # Somebody decides otherwise, in a file that is read later.
        instance.run("echo 'APT::Periodic::Unattended-Upgrade \"0\";' >/etc/apt/apt.conf.d/99lab")
        run = instance.converge(updates_enabled=True)
        assert run.changed == [UPDATES] and "turned off on this server" in run.stderr
        assert not instance.succeeds(f"test -e {FILE}") and instance.converge(updates_enabled=True).changed == []
    finally:
        instance.run("rm -f /etc/apt/apt.conf.d/99lab")
    assert instance.converge(updates_enabled=True).changed == [UPDATES]
    assert instance.converge().changed == [UPDATES] and not instance.succeeds(f"test -e {FILE}")
