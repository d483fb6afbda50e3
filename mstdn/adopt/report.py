"""What the operator is told of a take-over before he agrees to it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from mstdn.adopt.agreement import own_search
from mstdn.adopt.facts import MADE_BY_MASTODON, Old
from mstdn.adopt.rules import UNDER_WAY, WRITERS, Leaving, carried_keys, leaving, needed_mib
from mstdn.layout import ADOPTION_WAY_BACK

if TYPE_CHECKING:
    from mstdn.docker.facts import Container
    from mstdn.settings import Settings


def report(old: Old, containers: Sequence[Container], settings: Settings, roots: Collection[str]) -> Iterator[str]:
    """What was found, and what becomes of each part of it."""
    if not old.project or old.phase in (*UNDER_WAY, "finished"):
        return
    gone = leaving(old, containers, roots)
    yield (
        f"The Mastodon in {old.directory or 'a directory that nobody knows'} (project {old.project}): "
        f"{old.variables.get('LOCAL_DOMAIN', '?')}, {old.version or '?'}, {old.image}"
    )
    yield (
        f"- its programs: {_listed(gone, WRITERS)}: stopped and kept; Mastodon {settings.mastodon_version} takes their "
        "place"
    )
    if not old.image.partition(":")[0].endswith(("tootsuite/mastodon", "/mastodon/mastodon")):
        yield (
            f"  {old.image} is not Mastodon's own name: if it is a fork or has changes of yours, see mastodon_image "
            "and mastodon_image_source"
        )
    if old.database:
        yield (
            f"- its database, PostgreSQL {old.database[0]}, {old.database[1] // 1024**2} MiB: dumped and loaded into a "
            f"new one of {settings.postgres_image}, row by row counted; the old directory is only read"
        )
    if old.extensions:
        yield f"  extensions that do not come along: {', '.join(old.extensions)}"
    if old.redis:
        yield (
            f"- its jobs and feeds, Redis {old.redis[0]}, {old.redis[1] // 1024**2} MiB: saved by it, and read by "
            f"{settings.redis_image}"
        )
    if old.media:
        how = "linked, so that they take no more room" if old.media.links else "copied, for it is another disk"
        yield f"- its uploads, {old.media.kib // 1024} MiB in {old.media.path}: {how}; they stay there too"
    keys = carried_keys(old)
    yield f"- its keys: {', '.join(keys)} are taken over, and stay on the server"
    if anew := [secret.name for secret in MADE_BY_MASTODON if secret.name not in keys and secret.group != "encryption"]:
        yield (
            f"  made anew: {', '.join(anew)}. With another SECRET_KEY_BASE everybody logs in once more; with other "
            "VAPID keys browsers have to be allowed to get notifications once more"
        )
    yield "  passwords of PostgreSQL and Redis are new ones; OTP_SECRET and PAPERCLIP_SECRET are not needed any more"
    if others_of_it := _listed(gone, ("nginx", "other")):
        yield f"- its other containers: {others_of_it}: stopped and kept"
    if own_search(old):
        yield (
            "  with them goes Elasticsearch, and ES_* with it: full-text search is off until you bring one "
            "(docs/runbook.md)"
        )
    if proxies := _listed(gone, ("proxy",)):
        yield f"- the old proxy: {proxies}: stopped and kept; the suite's takes ports 80 and 443"
    for name in settings.public_domains:
        directory, verdict = old.certificates.get(name, ("", ""))
        if verdict == "good":
            yield f"- the certificate of {name} in {directory}: carried over, until a new one has come"
        else:
            why = f", because the one in {directory} {verdict}" if verdict else ""
            yield f"- a certificate for {name} is made anew{why}"
    yield (
        f"It needs {needed_mib(old)} MiB of {old.free_kib // 1024} that are free. Visitors are not served while the "
        "database is dumped and loaded, which is rehearsed before and told, and until the new Mastodon has booted."
    )
    yield f"Then there is a way back: sh {ADOPTION_WAY_BACK}"


def _listed(gone: Sequence[Leaving], roles: Collection[str]) -> str:
    return ", ".join(each.name for each in gone if each.role in roles)
