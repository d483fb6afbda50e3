"""Where an instance lies, and what is said when it is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mstdn.finding import Finding
from mstdn.storage.facts import FileSystem, Note, Place, Places, Storage
from mstdn.storage.rules import findings, note_of

ROOT, MEDIA = "/srv/mastodon", "/srv/mastodon/media"
VOLUME = FileSystem("/dev/sdb1", "6a1e-77")
BOUND = FileSystem("/dev/vda1[/data/m]", "0b1e-11")
HERE = (Place(ROOT, ROOT, "/"), Place(MEDIA, MEDIA, "/"))
ON_VOLUME = (Place(ROOT, ROOT, ROOT), Place(MEDIA, MEDIA, ROOT))
NOTE = Note("social.example.org", ROOT, "2026-11-25")
NOTE_OF_VOLUME = replace(NOTE, mounts={ROOT: (ROOT, VOLUME), MEDIA: (ROOT, VOLUME)})
INSTALLED = Storage(HERE, {}, instance=True, certificate=True, note=NOTE)


def found(storage: Storage, root: str = ROOT) -> list[Finding]:
    return list(findings(storage, root, "social.example.org", "social.example.org", "/srv/proxy"))


@pytest.mark.parametrize(
    "storage",
    [
        pytest.param(Storage(HERE), id="bare"),
        pytest.param(INSTALLED, id="installed"),
        pytest.param(replace(INSTALLED, note=None), id="installed by an edition that made no note"),
        pytest.param(
            replace(INSTALLED, note=NOTE_OF_VOLUME, places=ON_VOLUME, mounts={ROOT: VOLUME}), id="on a volume"
        ),
        pytest.param(replace(INSTALLED, places=ON_VOLUME, mounts={ROOT: VOLUME}), id="moved to a volume"),
        pytest.param(
            replace(INSTALLED, note=NOTE_OF_VOLUME, places=ON_VOLUME, mounts={ROOT: BOUND}),
            id="moved to another volume",
        ),
    ],
)
def test_an_instance_that_is_where_it_should_be_gives_no_finding(storage: Storage) -> None:
    assert found(storage) == []


@pytest.mark.parametrize("storage", [Storage(HERE), INSTALLED])
def test_a_file_system_to_which_nothing_can_be_written_is_named_once(storage: Storage) -> None:
    places = (Place(ROOT, ROOT, "/srv", read_only=True), Place(MEDIA, MEDIA, "/srv", read_only=True))
    (only,) = found(replace(storage, places=(*places, Place("/srv/proxy", "/data/proxy", "/data"))))
    assert only.level == "error"
    assert f"to {ROOT}, {MEDIA}: /srv is mounted read-only" in only.text
    assert "mount -o remount,rw /srv" in only.text


@pytest.mark.parametrize("storage", [Storage(HERE), INSTALLED])
def test_nor_can_the_suite_do_without_the_systems_own(storage: Storage) -> None:
    system = (Place("/etc", "/etc", "/"), Place("/usr/local", "/usr/local", "/usr", read_only=True))
    (only,) = found(replace(storage, system=system))
    assert only.level == "error" and "Nothing can be written to /usr/local: /usr is mounted read-only" in only.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            {"note": NOTE_OF_VOLUME},
            (
                "it lay on /dev/sdb1 (UUID 6a1e-77), mounted on /srv/mastodon, and nothing is mounted there now",
                "Attach the volume and mount it (mount /srv/mastodon",
            ),
            id="a volume",
        ),
        pytest.param(
            {"note": replace(NOTE, mounts={ROOT: (ROOT, BOUND)})},
            ("it lay on /dev/vda1[/data/m]", "mount --bind /data/m /srv/mastodon"),
            id="a bind mount",
        ),
        pytest.param(
            {"note": NOTE_OF_VOLUME, "places": ON_VOLUME, "mounts": {ROOT: FileSystem("/dev/sdc1", "other")}},
            ("on /srv/mastodon is now /dev/sdc1 (UUID other), and it was /dev/sdb1 (UUID 6a1e-77)",),
            id="another volume, empty",
        ),
        pytest.param({}, ("Otherwise put it back from your backup",), id="the directory is gone"),
    ],
)
def test_an_instance_that_is_not_there_is_no_first_installation(
    changes: dict[str, object], words: tuple[str, ...]
) -> None:
    (finding,) = found(replace(INSTALLED, instance=False, **changes))  # type: ignore[arg-type]
    assert finding.level == "error"
    assert finding.text.startswith(
        f"This server was installed as social.example.org (on 2026-11-25, in {ROOT}), but {ROOT} holds nothing"
    )
    for each in (*words, "rm /var/lib/mstdn/instance"):
        assert each in finding.text


def test_another_root_than_the_installed_one_is_not_a_second_instance() -> None:
    (finding,) = found(replace(INSTALLED, instance=False), root="/data/mastodon")
    assert 'mastodon_root is now /data/mastodon, where nothing is. Set mastodon_root = "/srv/mastodon"' in finding.text


def test_a_certificate_tells_of_an_instance_that_nothing_else_remembers() -> None:
    (finding,) = found(Storage(HERE, certificate=True))
    assert "/srv/proxy has a certificate for social.example.org" in finding.text
    assert "rm -r /srv/proxy/certs/social.example.org*" in finding.text


def test_a_part_of_the_instance_on_a_volume_that_is_not_mounted_is_named() -> None:
    note = replace(NOTE, mounts={MEDIA: ("/mnt/big", VOLUME)})
    storage = replace(INSTALLED, note=note, places=(HERE[0], Place(MEDIA, "/mnt/big/media", "/", astray=True)))
    (finding,) = found(storage)
    assert finding.text.startswith(
        "/srv/mastodon/media lay on /dev/sdb1 (UUID 6a1e-77), mounted on /mnt/big, and nothing is mounted there now."
    )
    assert "/var/lib/mstdn/instance" in finding.text
    # Moved back on purpose: it does not lie there any more.
    assert found(replace(storage, places=HERE)) == []


def test_a_link_that_leads_nowhere_is_named_with_what_to_mount_or_make() -> None:
    (finding,) = found(replace(INSTALLED, places=(HERE[0], Place(MEDIA, "/mnt/big/media", "/", astray=True))))
    assert "a link to /mnt/big/media, and that does not exist" in finding.text
    assert "mkdir -p /mnt/big/media" in finding.text


def test_the_note_is_read_as_it_was_written_and_keeps_its_day() -> None:
    storage = Storage(
        (*ON_VOLUME, Place("/srv/proxy", "/srv/proxy", "/")),
        {ROOT: VOLUME, "/boot": FileSystem("/dev/vda2")},
        instance=True,
    )
    note = note_of(storage, ROOT, "social.example.org", "2026-11-25")
    assert note == NOTE_OF_VOLUME
    lines = [f"noted {line}" for line in note.text.splitlines() if not line.startswith("#")]
    assert Places().process(lines).note == note
    assert note_of(replace(storage, note=note), ROOT, "social.example.org", "2027-01-01") == note


def test_the_scripts_lines_are_read() -> None:
    storage = Places().process(
        [
            "noted LOCAL_DOMAIN=social.example.org",
            "noted MASTODON_ROOT=/srv/mastodon",
            "noted SINCE=2026-11-25",
            "instance",
            "certificate",
            "place /srv/mastodon\t/srv/mastodon\t/srv/mastodon",
            "place /srv/mastodon/media\t/mnt/big/media\t/",
            "place /run\t/run\t/run\tro",
            "astray /srv/mastodon/media",
            "mount /srv/mastodon /dev/vda1[/data/m] 0b1e-11",
            "mount /boot /dev/vda2",
        ]
    )
    assert storage == Storage(
        (Place(ROOT, ROOT, ROOT), Place(MEDIA, "/mnt/big/media", "/", astray=True)),
        {ROOT: BOUND, "/boot": FileSystem("/dev/vda2")},
        instance=True,
        certificate=True,
        note=NOTE,
        system=(Place("/run", "/run", "/run", read_only=True),),
    )
