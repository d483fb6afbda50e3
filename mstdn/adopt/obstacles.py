"""What keeps an instance that was set up by hand from being taken over, with its remedies. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from mstdn.adopt.agreement import env_file, secrets_to_have, settings_to_have
from mstdn.adopt.facts import MADE_BY_MASTODON, Old
from mstdn.adopt.rules import UNDER_WAY, VERB, leaving, needed_mib
from mstdn.database.stores import REDIS_FORMATS, postgres_in_tag, redis_cannot_read
from mstdn.docker.rules import ALIVE
from mstdn.kinds.images import release_numbers
from mstdn.kinds.paths import lies_in
from mstdn.layout import FRONT, MASTODON_PROJECT, PROXY_PROJECT
from mstdn.preflight import releases
from mstdn.proxy.neighbours import names_in

if TYPE_CHECKING:
    from mstdn.docker.facts import Container
    from mstdn.settings import Settings

# From here on Mastodon has the three keys of encryption, and no migration wants OTP_SECRET any more.
OLDEST = (4, 3, 0)


def obstacles(
    old: Old, containers: Sequence[Container], settings: Settings, secrets: Collection[str], roots: Collection[str]
) -> Iterator[str]:
    """
    Everything because of which nothing may begin, each with what to do.

    secrets: the names of the operator's secrets that are set. containers, roots: as leaving() takes them.
    """
    domain = settings.local_domain
    if settings.yes not in ("", domain):
        yield f'"{settings.yes}" is not the name of this instance. Say it: {VERB} --data yes={domain}'
    if old.phase == "finished":
        return
    if old.phase in UNDER_WAY:
        if old.note.get("domain") != domain:
            yield (
                f"The take-over of {old.note.get('domain')} is under way here, and local_domain is {domain}. Set it "
                "as it was, and finish that first."
            )
        return
    if old.ours:
        yield (
            "An instance of the suite is installed here already, so there is nothing to take over: "
            "pyinfra inventory.py deploy.py"
        )
        return
    if not old.project:
        yield _nobody(old, settings)
        return
    yield from _names(old, containers, settings, roots)
    yield from _database(old, settings)
    yield from _redis(old, settings)
    yield from _release(old, settings)
    yield from _keys(old, settings)
    yield from _places(old, settings)
    yield from _sites(old, containers, roots)
    if lines := list(settings_to_have(old, settings)):
        yield "\n".join(
            [
                "Your settings differ from what the old instance has. In group_data/mastodon.py:",
                *(f"    {each}" for each in lines),
                "(What the site shall not have any more: take it out of the old .env.production first, and start the "
                "old instance anew with it: docker compose up -d.)",
            ]
        )
    if names := list(secrets_to_have(old, settings, secrets)):
        yield "\n".join(
            [
                f"Your secrets.env lacks what the old instance has; the values stand in {env_file(old)}:",
                *(f"    {name}='…'" for name in names),
            ]
        )


def _nobody(old: Old, settings: Settings) -> str:
    listed = [f"{each.domain}, of the project {each.project} in {each.directory or '?'}" for each in old.candidates]
    if not listed:
        return (
            "There is no Mastodon here that was started with Compose (no container with LOCAL_DOMAIN in its "
            "environment, but for the suite's own). If it is stopped or was taken down, start it, in its directory: "
            "docker compose up -d. For a new instance: pyinfra inventory.py deploy.py"
        )
    if settings.adopt_from:
        return f"No Mastodon was started from {settings.adopt_from}. Here are: {'; '.join(listed)}."
    return (
        f"There is more than one Mastodon here: {'; '.join(listed)}. Name the directory of the one that is meant: "
        f"{VERB} --data adopt_from={old.candidates[0].directory or '/…'}"
    )


def _names(old: Old, containers: Sequence[Container], settings: Settings, roots: Collection[str]) -> Iterator[str]:
    gone = {each.id for each in leaving(old, containers, roots)}
    places = {(each.project, each.directory) for each in containers if each.id in gone and each.project}
    for project, directory in sorted(places):
        if project in (MASTODON_PROJECT, PROXY_PROJECT):
            yield (
                f"The Compose project in {directory} is called {project}, as the suite's own has to be. Give it "
                f"another name, while its data stay in its directory: cd {directory} && docker compose down && docker "
                f"compose --project-name old-{project} up -d"
            )
        for setting, root in (("mastodon_root", settings.mastodon_root), ("proxy_root", settings.proxy_root)):
            if directory and (lies_in(directory, root) or lies_in(root, directory)):
                yield (
                    f"The old instance lies in {directory}, and {setting} is {root}: the two must be apart, so that "
                    f'there is a way back. Set another one, such as {setting} = "{root}-mstdn".'
                )
    found = old.variables.get("LOCAL_DOMAIN", "")
    if found != settings.local_domain:
        yield (
            f'The instance here is {found}, and local_domain is "{settings.local_domain}". It is in the name of every '
            f'account and can never change: set local_domain = "{found}".'
        )


def _container_of(old: Old, role: str, variable: str) -> Iterator[str]:
    name = old.variables.get(variable, "")
    if old.running(role):
        return
    if there := next((each for each in old.containers if each.role == role), None):
        yield f"The old {there.service} ({there.name}) is {there.status}, and has to run: docker start {there.name}"
    else:
        yield (
            f"{variable} is {name or 'not set'}, and the old project {old.project} has no container of that name. The "
            "suite runs PostgreSQL and Redis in containers of its own, and takes over what is in one of Compose's "
            'only. Move the data into one first (docs.joinmastodon.org, "Moving to a new server").'
        )


def _database(old: Old, settings: Settings) -> Iterator[str]:
    if "DATABASE_URL" in old.brought:
        yield (
            "The old instance has DATABASE_URL. Say the same with DB_HOST, DB_USER, DB_NAME and DB_PASS, and start it "
            "anew."
        )
        return
    yield from _container_of(old, "db", "DB_HOST")
    if words := old.refused.get("postgres"):
        yield f"The old database does not answer to DB_USER of the old .env.production. In its words: {words.strip()}"
    if old.database is None:
        return
    version, wanted = old.database[0], postgres_in_tag(settings.postgres_image)
    if wanted and int(version.split(".")[0]) > int(wanted):
        yield (
            f'The old database is PostgreSQL {version}, and postgres_image = "{settings.postgres_image}" is older and '
            f'cannot load it. Set postgres_image = "postgres:{version.split(".")[0]}-trixie".'
        )


def _redis(old: Old, settings: Settings) -> Iterator[str]:
    if "REDIS_URL" in old.brought:
        yield "The old instance has REDIS_URL. Say the same with REDIS_HOST and REDIS_PASSWORD, and start it anew."
        return
    yield from _container_of(old, "redis", "REDIS_HOST")
    if words := old.refused.get("redis"):
        yield f"The old Redis does not answer. In its words: {words.strip()}"
    if old.variables.get("REDIS_NAMESPACE"):
        yield (
            "The old instance has REDIS_NAMESPACE, with which Mastodon does not boot since 4.4. Move its keys first: "
            "https://github.com/mastodon/redis_namespace_migration"
        )
    if number := old.variables.get("REDIS_DB", "0").lstrip("0"):
        yield (
            f"The old instance has its jobs in the database {number} of Redis, and the suite in 0. While the old "
            f"Mastodon is stopped: redis-cli SWAPDB 0 {number}; take REDIS_DB out of .env.production, and start it "
            "anew."
        )
    if old.redis:
        numbers = tuple(map(int, old.redis[0].split(".")[:2]))
        known = [written for release, written in sorted(REDIS_FORMATS.items()) if release <= numbers]
        newest = max(REDIS_FORMATS)
        # One that is not known yet may write what nobody here can read.
        if numbers > newest:
            known.append(max(REDIS_FORMATS.values()) + 1)
        if known and (text := redis_cannot_read(known[-1], settings.redis_image)):
            yield text


def _release(old: Old, settings: Settings) -> Iterator[str]:
    if not old.version:
        yield (
            f"Which release the old instance runs cannot be read: {old.image} has no lib/mastodon/version.rb. Is it "
            "Mastodon's image?"
        )
        return
    if release_numbers(old.version) < OLDEST:
        yield (
            f"The old instance runs {old.version}. The migrations up to v4.3 need its OTP_SECRET and keys that it does "
            "not have yet: bring it to the newest v4.3 patch first, where it is, one minor release after another, as "
            "the notes of each say (github.com/mastodon/mastodon/releases). Then run this again."
        )
        return
    if text := releases.refusal(old.version, settings.mastodon_version):
        yield text.replace("is installed", "runs here")


def _keys(old: Old, settings: Settings) -> Iterator[str]:
    encryption = [secret.name for secret in MADE_BY_MASTODON if secret.group == "encryption"]
    if old.keys == "other":
        yield (
            f"{settings.mastodon_root}/secrets/instance.env holds other keys than the old instance has, and nobody "
            "knows whose. If they are of an attempt that does not matter, move it away: mv "
            f"{settings.mastodon_root}/secrets /root/"
        )
    if not old.good.issuperset(encryption):
        wrong = ", ".join(sorted(set(encryption) - old.good))
        yield (
            f"The old web has no {wrong} of the form that bin/rails db:encryption:init gives (32 letters and digits). "
            "Without the right ones, what is encrypted in the database cannot be read: look at "
            f"{env_file(old)}, and start the old instance anew with it."
        )


def _places(old: Old, settings: Settings) -> Iterator[str]:
    elsewhere = any(old.variables.get(name) == "true" for name in ("S3_ENABLED", "SWIFT_ENABLED", "AZURE_ENABLED"))
    if old.media is None and not elsewhere:
        yield (
            "The old web mounts nothing as public/system, so the uploads lie in its container and go with it. Copy "
            "them out (docker cp), mount the directory as Mastodon's docker-compose.yml does, and start it anew."
        )
    if old.occupied:
        yield (
            f"{settings.mastodon_root}/database holds a database already, and nobody knows whose. If it is of an "
            f"attempt that does not matter, move it away: mv {settings.mastodon_root} {settings.mastodon_root}.gone"
        )
    if old.mounted:
        yield (
            f"A file system is mounted on {settings.mastodon_root}/database, where the new database has to take its "
            "place. Mount it elsewhere, such as /mnt/database, make a directory in it, and make a link of the old name "
            "to that."
        )
    if old.free_kib // 1024 < needed_mib(old):
        yield (
            f"The take-over needs {needed_mib(old)} MiB in {settings.mastodon_root}, and {old.free_kib // 1024} MiB "
            "are free. Make room (docker image prune, journalctl --vacuum-size=100M), or set mastodon_root to a bigger "
            "disk."
        )


def _sites(old: Old, containers: Sequence[Container], roots: Collection[str]) -> Iterator[str]:
    """Other sites behind the old proxy."""
    gone = leaving(old, containers, roots)
    if not any(each.role == "proxy" for each in gone):
        return
    retired = {each.id for each in gone}
    for container in containers:
        names = sorted({name for asked in container.asks for name in names_in(asked)})
        if names and container.id not in retired and container.status in ALIVE and FRONT not in container.networks:
            yield (
                f"The container {container.name} is the site {', '.join(names)} behind the old proxy, which goes. The "
                f"suite's proxy leads to it once it is on the network {FRONT}: docker network inspect {FRONT} "
                f">/dev/null 2>&1 || docker network create {FRONT}; docker network connect {FRONT} {container.name} "
                "(and write that into its docker-compose.yml)."
            )
