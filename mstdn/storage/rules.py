"""
Whether the directories of an instance are there, or only the empty places of volumes that are not mounted. Pure.

A new Mastodon under an old name is not a first installation: other servers know the old keys, and believe nothing that
is signed with new ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.finding import Finding
from mstdn.layout import INSTANCE_NOTE
from mstdn.storage.facts import FileSystem, Note, Storage


def findings(storage: Storage, root: str, domain: str, site: str, proxy_root: str) -> Iterator[Finding]:
    """root, proxy_root, domain, site: the settings mastodon_root, proxy_root, local_domain, and the site's own name."""
    note = storage.note
    if storage.backups_in:
        yield Finding(
            "error",
            f"The directory of backups (backup_repository) lies in {storage.backups_in}, by a link or a mount: each "
            "backup would hold those before it, and whoever takes the instance off this server takes them along. Set "
            "backup_repository to a directory apart from it, and move what is there: mv OLD NEW.",
        )
    if note and not storage.instance:
        yield Finding("error", _lost(note, storage, root))
        return
    if not note and not storage.instance and storage.certificate:
        yield Finding(
            "error",
            f"{proxy_root} has a certificate for {site}, so Mastodon was installed here before, but {root} holds none. "
            f"Is its volume mounted? Look with: findmnt {root}; grep {root} /etc/fstab; mount {root}. And is "
            "mastodon_root what it was? Only if a new instance is really meant, with new keys: "
            f"rm -r {proxy_root}/certs/{site}*",
        )
        return
    written = (*storage.places, *storage.system)
    for mount in dict.fromkeys(place.mount for place in written if place.read_only):
        lying = ", ".join(place.directory for place in written if place.mount == mount)
        yield Finding(
            "error",
            f"Nothing can be written to {lying}: {mount} is mounted read-only. The kernel does that by itself after an "
            f"error of the disk (dmesg | tail -n 50; then have it checked). Otherwise: mount -o remount,rw {mount}",
        )
    for place in storage.places:
        if note and place.directory in note.mounts and place.directory != root:
            mount, was = note.mounts[place.directory]
            if mount not in storage.mounts and _lies_under(place.real, mount):
                yield Finding(
                    "error",
                    f"{place.directory} lay on {_named(was)}, mounted on {mount}, and nothing is mounted there now. "
                    f"{_mount_it(mount, was)} If you moved it on purpose: take the line of {place.directory} out of "
                    f"{INSTANCE_NOTE}.",
                )
                continue
        if place.astray:
            yield Finding(
                "error",
                f"{place.directory} is a link to {place.real}, and that does not exist. If it lies on a volume, mount "
                f"that; otherwise: mkdir -p {place.real}",
            )


def _lost(note: Note, storage: Storage, root: str) -> str:
    was = f"This server was installed as {note.domain} (on {note.since}, in {note.root})"
    anew = f"Only if a new instance is really meant, with new keys and no posts: rm {INSTANCE_NOTE}"
    if note.root != root:
        return (
            f'{was}, and mastodon_root is now {root}, where nothing is. Set mastodon_root = "{note.root}"; or take '
            f"Mastodon down (docker compose --project-directory {note.root} down), move the directory to {root}, and "
            f"correct MASTODON_ROOT in {INSTANCE_NOTE}. {anew}"
        )
    mount, file_system = note.mounts.get(root, ("", FileSystem("")))
    if mount and mount not in storage.mounts:
        return (
            f"{was}, but {root} holds nothing of it: it lay on {_named(file_system)}, mounted on {mount}, and nothing "
            f"is mounted there now. {_mount_it(mount, file_system)} {anew}"
        )
    if mount and storage.mounts[mount] != file_system:
        return (
            f"{was}, but {root} holds nothing of it: on {mount} is now {_named(storage.mounts[mount])}, and it was "
            f"{_named(file_system)}. Mount that. {anew}"
        )
    return (
        f"{was}, but {root} holds nothing of it. Was the directory moved, or is it on a volume that is not mounted? "
        f"Look with: findmnt {root}; grep {root} /etc/fstab. Otherwise put it back from your backup. {anew}"
    )


def _mount_it(mount: str, file_system: FileSystem) -> str:
    if "[" in file_system.source:
        directory = file_system.source.partition("[")[2].rstrip("]")
        return f"Mount it (mount {mount}, or mount --bind {directory} {mount}; look into /etc/fstab), then run again."
    return f"Attach the volume and mount it (mount {mount}; look into /etc/fstab), then run again."


def _named(file_system: FileSystem) -> str:
    return file_system.source + (f" (UUID {file_system.uuid})" if file_system.uuid else "")


def _lies_under(path: str, mount: str) -> bool:
    return path == mount or path.startswith(mount.rstrip("/") + "/")


def note_of(storage: Storage, root: str, domain: str, today: str) -> Note:
    """What the note shall say. today: used where no day is known, "2026-11-25"."""
    mounts = {
        place.directory: (place.mount, storage.mounts[place.mount])
        for place in storage.places
        if place.mount in storage.mounts
    }
    return Note(domain, root, (storage.note and storage.note.since) or today, mounts)
