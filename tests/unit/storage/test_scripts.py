"""What storage/state.sh sees of directories, links and mounts of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from mstdn.storage.facts import Note, Places, Storage
from tests.harness import answer_of

DOMAIN = "social.example.org"


def seen(directory: Path, *directories: Path, note: str = "") -> Storage:
    (directory / "note").write_text(note) if note else None
    return answer_of(
        Places.of(
            str(directory / "note"),
            str(directory / "mastodon"),
            str(directory / "proxy"),
            DOMAIN,
            [str(each) for each in directories],
        )
    )


def test_nothing_is_seen_on_a_bare_server(tmp_path: Path) -> None:
    storage = seen(tmp_path, tmp_path / "mastodon")
    assert (storage.instance, storage.certificate, storage.note) == (False, False, None)
    (place,) = storage.places
    assert (place.directory, place.real) == (str(tmp_path / "mastodon"), str(tmp_path / "mastodon"))
    assert not place.astray
    assert str(tmp_path).startswith(place.mount)


def test_an_instance_a_certificate_and_the_note_are_seen(tmp_path: Path) -> None:
    (tmp_path / "mastodon/state").mkdir(parents=True)
    (tmp_path / "mastodon/state/installed.env").write_text("LOCAL_DOMAIN=x\n")
    (tmp_path / f"proxy/certs/{DOMAIN}").mkdir(parents=True)
    (tmp_path / f"proxy/certs/{DOMAIN}/fullchain.pem").touch()
    note = Note(DOMAIN, str(tmp_path / "mastodon"), "2026-11-25")
    storage = seen(tmp_path, note=note.text)
    assert (storage.instance, storage.certificate, storage.note) == (True, True, note)
    # An operator is told to take a line out of it, and may leave half of one.
    assert seen(tmp_path, note=f"{note.text}MOUNT=/srv/mastodon\n\nMOUNT=\n").note == note


@pytest.mark.parametrize("kept", ["state/installed.env", "secrets/instance.env", "database/PG_VERSION"])
def test_an_instance_that_lost_a_file_of_its_own_is_no_volume_that_is_not_mounted(tmp_path: Path, kept: str) -> None:
    (tmp_path / "mastodon" / kept).parent.mkdir(parents=True)
    (tmp_path / "mastodon" / kept).write_text("17\n")
    assert seen(tmp_path).instance


@pytest.mark.parametrize("empty", ["mastodon/state/installed.env", f"proxy/certs/{DOMAIN}"])
def test_an_empty_file_or_directory_proves_nothing(tmp_path: Path, empty: str) -> None:
    (tmp_path / empty).parent.mkdir(parents=True)
    (tmp_path / empty).touch() if empty.endswith(".env") else (tmp_path / empty).mkdir()
    storage = seen(tmp_path)
    assert (storage.instance, storage.certificate) == (False, False)


def test_links_are_followed_and_one_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    (tmp_path / "media").symlink_to(tmp_path / "big")
    (tmp_path / "away").symlink_to(tmp_path / "not-mounted/media")
    media, away, below = seen(tmp_path, tmp_path / "media", tmp_path / "away", tmp_path / "media/x").places
    assert (media.real, media.astray) == (str(tmp_path / "big"), False)
    assert (away.real, away.astray) == (str(tmp_path / "not-mounted/media"), True)
    assert (below.real, below.astray) == (str(tmp_path / "big/x"), False)


@pytest.mark.parametrize(
    ("options", "of_all", "read_only"),
    [
        ("rw,relatime", "rw,errors=remount-ro", False),
        ("ro,relatime", "rw", True),
        ("ro", "rw", True),
        ("rw,relatime", "ro,errors=remount-ro", True),
        ("rw,relatime", "ro", True),
    ],
)
def test_what_is_mounted_read_only_is_seen(tmp_path: Path, options: str, of_all: str, *, read_only: bool) -> None:
    line = "{} 1 8:1 / {} {} shared:1 - ext4 /dev/sda1 {}\n"
    (tmp_path / "mounts").write_text(
        line.format(1, "/", "rw", "rw") + line.format(2, tmp_path, options, of_all) + line.format(3, "/etc", "ro", "ro")
    )
    question = Places.of("/nonexistent", "/m", "/p", DOMAIN, [str(tmp_path / "m"), "/m"])
    here, above = answer_of(question, instead={"/proc/self/mountinfo": tmp_path / "mounts"}).places
    assert (here.mount, here.read_only) == (str(tmp_path), read_only)
    assert (above.mount, above.read_only) == ("/", False)


def test_the_mount_of_a_directory_is_the_one_that_is_nearest(tmp_path: Path) -> None:
    proc, root = seen(tmp_path, Path("/proc/self"), Path("/")).places
    assert (proc.mount, root.mount) == ("/proc", "/")


@pytest.mark.parametrize(
    ("link", "repository", "inside"),
    [
        pytest.param("", "volume/backups", "", id="apart"),
        pytest.param("mastodon", "volume/backups", "mastodon", id="the whole instance is on the volume"),
        pytest.param("mastodon/media", "volume/backups", "mastodon/media", id="the media are on the volume"),
        pytest.param("mastodon/other name", "volume", "mastodon/other name", id="it is that directory itself"),
        pytest.param("mastodon/media", "volume/not/made/yet", "mastodon/media", id="it is not there yet"),
        pytest.param("proxy", "volume/backups", "proxy", id="the proxy is on the volume"),
        pytest.param("mastodon/media", "elsewhere", "mastodon/media", id="it is a link itself"),
    ],
)
def test_backups_that_lie_in_the_instance_by_a_link_are_seen(
    tmp_path: Path, link: str, repository: str, inside: str
) -> None:
    (tmp_path / "volume/backups").mkdir(parents=True)
    (tmp_path / "elsewhere").symlink_to("volume/backups")
    if link:
        (tmp_path / link).parent.mkdir(exist_ok=True)
        (tmp_path / link).symlink_to(tmp_path / "volume")
    root, proxy = tmp_path / "mastodon", tmp_path / "proxy"
    question = Places.of("/nowhere", str(root), str(proxy), DOMAIN, [], backups=str(tmp_path / repository))
    assert answer_of(question).backups_in == (str(tmp_path / inside) if inside else "")
