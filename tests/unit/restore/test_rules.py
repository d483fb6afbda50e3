"""Whether a backup may come back here, and what it takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mstdn.restore.facts import Way, WayBack
from mstdn.restore.operations import begun_restore, finished_restore, remounted_stores, restored_data
from mstdn.restore.rules import data_are_restored, made, needed_mib, obstacle
from tests.harness import Command, commands_of, container_line, read, refusal_of, settings_with

ON: dict[str, Any] = {"backup_repository": "/srv/backups", "mastodon_version": "v4.7.60"}
MANIFEST = {
    "format": "1",
    "time": "1764000000",
    "domain": "social.example.org",
    "root": "/srv/mastodon",
    "proxy": "/srv/proxy",
    "mastodon": "v4.7.5",
    "postgres": "17.5 (Debian 17.5-1)",
    "database_bytes": str(1024**3),
    "media_kib": str(2 * 1024**2),
}
BARE = Way(free_kib=40 * 1024**2, snapshot="1a2b3c4d", manifest=MANIFEST)
LIVING = replace(BARE, instance=True, keys=True)
BEGUN = {"snapshot": "1a2b3c4d", "begun": "1764000001"}


def test_a_bare_server_takes_a_backup() -> None:
    assert obstacle(BARE, settings_with(**ON)) is None


def test_a_living_instance_is_replaced_only_if_that_is_meant() -> None:
    said = obstacle(LIVING, settings_with(**ON))
    assert said is not None and "--data replace=yes" in said
    assert obstacle(LIVING, settings_with(replace="yes", **ON)) is None


def test_what_an_interrupted_restore_made_is_no_living_instance() -> None:
    assert obstacle(replace(LIVING, restoring=BEGUN), settings_with(**ON)) is None


def test_a_restore_that_has_replaced_nothing_gives_way_to_that_of_another_backup() -> None:
    other = replace(LIVING, restoring=BEGUN, snapshot="5e6f7a8b")
    settings = {**ON, "snapshot": "5e6f7a8b"}
    # The instance lives still, so that it has to be said again that it may be replaced.
    text = obstacle(other, settings_with(**settings))
    assert text is not None and "--data replace=yes" in text
    assert obstacle(other, settings_with(replace="yes", **settings)) is None
    look = f"instance\nkeys\n{NOTE}{LOOK.replace('1a2b3c4d', '5e6f7a8b')}"
    commands = commands_of(begun_restore, {"restore/look": look}, settings=settings_with(replace="yes", **settings))
    assert commands == [Command("restore/begin", ("5e6f7a8b",))]


OBSTACLES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    # what the server answers otherwise, settings, part of what is said
    ({"refused": "Fatal: wrong password or no key found"}, {}, "BACKUP_PASSPHRASE in secrets.env"),
    ({"refused": "unable to open config file: stat: no such file Is there a repository at"}, {}, "no repository at"),
    ({"refused": "unable to open config file: Access Denied."}, {}, "In restic's words: unable"),
    ({"snapshot": ""}, {}, "no backup of social.example.org"),
    ({"snapshot": ""}, {"snapshot": "ffffffff"}, "no backup ffffffff of"),
    ({"manifest": MANIFEST | {"format": "2"}}, {}, "newer version of the suite"),
    ({"manifest": MANIFEST | {"domain": "other.example.org"}}, {}, 'local_domain = "other.example.org"'),
    ({"manifest": MANIFEST | {"root": "/data/m"}}, {}, 'mastodon_root = "/data/m"'),
    ({"manifest": MANIFEST | {"proxy": "/data/p"}}, {}, 'proxy_root = "/data/p"'),
    ({"manifest": MANIFEST | {"mastodon": "v4.5.1"}}, {}, "is of v4.5.1"),
    ({"manifest": MANIFEST | {"mastodon": "v4.8.0"}}, {}, "is of v4.8.0"),
    ({}, {"postgres_image": "postgres:16-trixie"}, "postgres:17"),
    ({"free_kib": 1024**2}, {}, "4608 MiB in /srv/mastodon, and 1024 MiB are free"),
    ({"restoring": BEGUN | {"data": "replaced"}}, {"snapshot": "ffffffff"}, "Finish it first"),
    ({"snapshot": "", "restoring": BEGUN | {"data": "replaced"}}, {}, "does not have that backup any more"),
    ({"refused": "Load(<data/1a>): ciphertext verification failed"}, {}, "is damaged"),
]


@pytest.mark.parametrize(("answer", "settings", "said"), OBSTACLES, ids=[row[2] for row in OBSTACLES])
def test_what_cannot_come_back_is_told_before_anything_is_touched(
    answer: dict[str, Any], settings: dict[str, Any], said: str
) -> None:
    text = obstacle(replace(BARE, **answer), settings_with(**ON | settings))
    assert text is not None and said in text


S3 = "s3:https://fsn1.your-objectstorage.com/backups/mastodon"
S3_WORDS = [
    # restic's words, part of what is said
    (
        "Fatal: unable to open config file: Stat: Access Denied. Is there a repository at the following location? x",
        "KEY",
    ),
    ("retrying after 30s: Stat: 400 Bad Request", "backup_s3_region"),
    (
        "unable to open config file: Stat: The specified bucket does not exist. Is there a repository at",
        "no repository",
    ),
]


@pytest.mark.parametrize(("words", "said"), S3_WORDS, ids=[row[1] for row in S3_WORDS])
def test_what_a_store_refuses_is_told_with_the_setting_to_look_at(words: str, said: str) -> None:
    text = obstacle(replace(BARE, refused=words), settings_with(**ON | {"backup_repository": S3}))
    assert text is not None and said in text
    assert "Is there a repository" not in text


def test_when_a_backup_was_made_is_told_as_people_read_it() -> None:
    assert made(BARE) == "2025-11-24 16:00 UTC"
    assert made(Way()) == "once"


def test_media_that_are_here_need_no_more_space() -> None:
    free = 40 * 1024
    assert needed_mib(BARE, "/srv/mastodon") == {"/srv/mastodon": (2 * 1024 + 2 * 1024 + 512, free)}
    assert needed_mib(LIVING, "/srv/mastodon") == {"/srv/mastodon": (2 * 1024 + 512, free)}


def test_what_lies_on_another_disk_needs_its_room_there() -> None:
    elsewhere = {"media": (1024**2, "/mnt/big disk"), "database": (2 * 1024**2, "/mnt/fast")}
    way = read(WayBack, LOOK + "elsewhere media 1048576 /mnt/big disk\nelsewhere database 2097152 /mnt/fast\n")
    assert way == replace(BARE, elsewhere=elsewhere)
    text = obstacle(way, settings_with(**ON))
    assert text is not None and "2560 MiB in /mnt/big disk, and 1024 MiB are free" in text
    # Those of the root are enough for the dump.
    root = replace(way, free_kib=1600 * 1024, elsewhere=elsewhere | {"media": (1024**3, "/mnt/big disk")})
    assert obstacle(root, settings_with(**ON)) is None


def test_once_the_data_are_in_their_place_space_is_no_obstacle() -> None:
    way = replace(LIVING, restoring=BEGUN | {"data": "restored"}, free_kib=0)
    assert data_are_restored(way)
    assert obstacle(way, settings_with(**ON)) is None


# --- Operations ---------------------------------------------------------------------------------

LOOK = "free 41943040\nsnapshot 1a2b3c4d\n" + "".join(f"manifest {key} {value}\n" for key, value in MANIFEST.items())
NOTE = "restoring snapshot 1a2b3c4d\nrestoring begun 1764000001\n"


def test_the_lines_of_the_way_back_are_read() -> None:
    assert read(WayBack, LOOK) == BARE
    assert read(WayBack, "instance\nkeys\n" + NOTE + LOOK) == replace(LIVING, restoring=BEGUN)


def test_a_restore_is_begun_once() -> None:
    settings = settings_with(**ON)
    assert commands_of(begun_restore, {"restore/look": LOOK}, settings=settings) == [
        Command("restore/begin", ("1a2b3c4d",))
    ]
    assert commands_of(begun_restore, {"restore/look": f"keys\n{NOTE}{LOOK}"}, settings=settings) == []
    # Only the feeds are missing: whatever became of the repository, it is not asked for anything.
    for repository in ("free 1\n", "free 1\nrefused Fatal: unable to open config file\n"):
        look = f"instance\nkeys\n{NOTE}restoring data restored\n{repository}"
        assert commands_of(begun_restore, {"restore/look": look}, settings=settings) == []
    # Cut off before the keys were there.
    assert len(commands_of(begun_restore, {"restore/look": NOTE + LOOK}, settings=settings)) == 1


def test_a_restore_that_must_not_be_is_refused_in_a_plan_and_in_a_run() -> None:
    facts = {"restore/look": f"instance\nkeys\n{LOOK}"}
    assert "--data replace=yes" in refusal_of(begun_restore, facts, settings=settings_with(**ON))
    assert "Backups are off" in refusal_of(begun_restore, {}, settings=settings_with())


def test_data_are_brought_by_the_unit_once_the_stores_run() -> None:
    facts = {"restore/look": f"keys\n{NOTE}{LOOK}"}
    commands = commands_of(restored_data, facts, settings=settings_with(**ON), timeout_seconds=300)
    assert [command.script for command in commands] == ["compose/up", "database/let_in", "timers/follow"]
    assert commands[-1].words == ("mstdn-restore.service", "The restore")
    facts = {"restore/look": f"keys\n{NOTE}restoring data restored\n{LOOK}"}
    assert commands_of(restored_data, facts, settings=settings_with(**ON), timeout_seconds=300) == []


def test_a_restore_is_finished_once() -> None:
    settings = settings_with(**ON)
    facts = {"restore/look": f"instance\nkeys\n{NOTE}restoring data restored\n{LOOK}"}
    assert [each.script for each in commands_of(finished_restore, facts, settings=settings)] == ["timers/follow"]
    assert commands_of(finished_restore, {"restore/look": f"instance\nkeys\n{LOOK}"}, settings=settings) == []


def test_stores_whose_passwords_were_replaced_are_started_anew() -> None:
    settings, restoring = settings_with(**ON), f"instance\nkeys\n{NOTE}restoring data restored\n{LOOK}"
    gone = container_line("db") + container_line("redis") + "gone id-of-db /run/secrets/postgres-password\n"

    def scripts(containers: str, look: str = restoring) -> list[str]:
        facts = {"docker/containers": containers, "restore/look": look}
        return [each.script for each in commands_of(remounted_stores, facts, settings=settings, timeout_seconds=300)]

    assert scripts(gone) == ["compose/restart", "compose/up"]
    assert scripts(container_line("db") + container_line("redis")) == []
    # Without a restore that is the business of a deployment.
    assert scripts(gone, f"instance\nkeys\n{LOOK}") == []
