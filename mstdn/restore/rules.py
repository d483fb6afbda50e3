"""Whether a backup can come back onto a server. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from mstdn.layout import RESTORE_NOTE
from mstdn.preflight import releases
from mstdn.restore.facts import Way
from mstdn.settings import Settings

FORMAT = "1"
MARGIN_MIB = 512


def is_resumed(way: Way) -> bool:
    """Whether a restore of this snapshot was begun already: then what is here may be its own half-made work."""
    return bool(way.restoring) and way.restoring.get("snapshot") == way.snapshot


def data_are_restored(way: Way) -> bool:
    """Whether database, jobs and media of the restore that is under way are in their place."""
    return way.restoring.get("data") == "restored"


def only_has_to_be_finished(way: Way, snapshot: str) -> bool:
    """Whether nothing of the repository is needed any more. snapshot: the setting."""
    noted = way.restoring.get("snapshot", "")
    return data_are_restored(way) and (snapshot == "latest" or snapshot.startswith(noted))


def made(way: Way) -> str:
    """When the backup was made, for people."""
    time = way.manifest.get("time", "")
    return f"{datetime.fromtimestamp(int(time), timezone.utc):%Y-%m-%d %H:%M} UTC" if time.isdecimal() else "once"


def needed_mib(way: Way, root: str) -> dict[str, tuple[int, int]]:
    """
    Free space that a restore needs: a dump in mastodon_root, a new database beside the old one, and media.

    By where it is needed (root, or the mount of another disk): how much, and how much there is.
    """
    database = int(way.manifest.get("database_bytes", "0")) // 1024 // 1024
    media = int(way.manifest.get("media_kib") or "0") // 1024
    needed, free = {root: MARGIN_MIB + database}, {root: way.free_kib // 1024}
    # Media that are here already are written over.
    for part, mib in (("database", database), ("media", 0 if way.instance else media)):
        kib, mount = way.elsewhere.get(part, (way.free_kib, root))
        needed[mount] = needed.get(mount, MARGIN_MIB) + mib
        free[mount] = kib // 1024
    return {mount: (mib, free[mount]) for mount, mib in needed.items()}


def obstacle(way: Way, settings: Settings) -> str | None:
    """Why this backup must not come back here, with what to do; None if it may."""
    place = settings.backup_repository
    if way.refused:
        return _refused(way.refused, place)
    if not way.snapshot and settings.snapshot == "latest" and "data" in way.restoring:
        return (
            f"The restore of {way.restoring.get('snapshot', '')} has replaced something already and is not finished, "
            f"and {place} does not have that backup any more. Another one can only begin anew, and what was here "
            f"before stays only if it gets another name. On the server, in {settings.mastodon_root}: docker compose "
            "exec db psql -U postgres --command 'ALTER DATABASE mastodon_before_restore RENAME TO mastodon_kept'; mv "
            f"redis/before-restore redis/kept; rm {RESTORE_NOTE}. Then: pyinfra inventory.py tasks/restore.py --data "
            "replace=yes"
        )
    if not way.snapshot:
        what = "no backup" if settings.snapshot == "latest" else f"no backup {settings.snapshot}"
        return (
            f"{place} has {what} of {settings.local_domain}. On the server, /usr/local/lib/mstdn/restic snapshots "
            "shows which there are."
        )
    if way.manifest.get("format", FORMAT) != FORMAT:
        return f"The backup {way.snapshot} was made by a newer version of the suite. Take that one or a newer one."
    for key, setting, value in (
        ("domain", "local_domain", settings.local_domain),
        ("root", "mastodon_root", settings.mastodon_root),
        ("proxy", "proxy_root", settings.proxy_root),
    ):
        if way.manifest.get(key) != value:
            return (
                f'The backup {way.snapshot} was made with {setting} = "{way.manifest.get(key, "")}", and it is '
                f'"{value}" now. Set it as it was; it can be changed afterwards, as docs/runbook.md says.'
            )
    if text := releases.refusal(way.manifest.get("mastodon", ""), settings.mastodon_version):
        return f"The backup {way.snapshot} is of {way.manifest.get('mastodon')}. {text}"
    if text := _postgres(way.manifest.get("postgres", ""), settings.postgres_image):
        return text
    if way.instance and not is_resumed(way) and settings.replace != "yes":
        return (
            f"A Mastodon lives here, and would be replaced by the backup {way.snapshot}: what was posted since would "
            "be gone from it. If that is meant: --data replace=yes. Its database, jobs and keys are kept aside."
        )
    if is_resumed(way) and settings.snapshot != "latest" and not settings.snapshot.startswith(way.snapshot):
        return (
            f"A restore of {way.snapshot} has replaced something already and is not finished. Finish it first, without "
            "--data snapshot=…; then restore the other one."
        )
    for mount, (needed, free) in needed_mib(way, settings.mastodon_root).items():
        if free < needed and not data_are_restored(way):
            return (
                f"The backup {way.snapshot} needs {needed} MiB in {mount}, and {free} MiB are free. Make room, or use "
                "a bigger disk. Nothing was touched."
            )
    return None


def _refused(words: str, place: str) -> str:
    if "wrong password" in words:
        return (
            f"The passphrase does not open {place}: BACKUP_PASSPHRASE in secrets.env is not the one that it was made "
            "with."
        )
    if re.search(r"unable to open config file|Is there a repository|does not exist", words) and not re.search(
        r"(?i)access.?denied|no such host|refused|Permission denied|Host key", words
    ):
        return f"There is no repository at {place}. Is the address right, is its disk mounted?"
    if re.search("ciphertext verification failed|does not match|is damaged|invalid data returned", words):
        return (
            f"{place} is damaged: what it holds of this backup cannot be read. Nothing was changed. Take an older one "
            '(--data snapshot=…); docs/runbook.md, "A backup is damaged", says what can be kept. In restic\'s words: '
            f"{words.strip()}"
        )
    # restic ends such words with its guess that there may be no repository.
    words = re.sub(r"\s*Is there a repository at the following location\?.*", "", words).strip()
    look = ""
    if place.startswith("s3:") and re.search("(?i)access.?denied|InvalidAccessKeyId|SignatureDoesNotMatch", words):
        look = (
            " Look at BACKUP_AWS_ACCESS_KEY_ID and BACKUP_AWS_SECRET_ACCESS_KEY in secrets.env, and at what that key "
            "may do with the bucket."
        )
    elif place.startswith("s3:") and re.search("400 Bad Request|AuthorizationHeaderMalformed", words):
        look = " Is backup_s3_region the bucket's region?"
    return f"{place} cannot be read.{look} In restic's words: {words}"


def _postgres(made_by: str, image: str) -> str | None:
    made, tag = re.match(r"\d+", made_by), re.search(r"(?:^|/)postgres:(\d+)", image)
    if made and tag and int(tag[1]) < int(made[0]):
        return (
            f'The backup is of PostgreSQL {made_by}, and postgres_image = "{image}" is older: it cannot read the dump. '
            f'Set postgres_image = "postgres:{made[0]}-trixie" or newer.'
        )
    return None
