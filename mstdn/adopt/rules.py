"""Whether an instance that was set up by hand may be taken over, and what becomes of each of its parts. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic_core import PydanticCustomError

from mstdn.adopt.facts import MADE_BY_MASTODON, Old
from mstdn.app.environment import variable_name
from mstdn.app.forms import SWITCHES
from mstdn.app.rules import BENEATH_PREFIXES, KNOWN
from mstdn.app.variables import MASTODON_VARIABLES, mastodon_variables
from mstdn.database.stores import REDIS_FORMATS, postgres_in_tag, redis_cannot_read
from mstdn.docker.neighbours import DEFAULT_NETWORK
from mstdn.docker.rules import ALIVE
from mstdn.finding import Finding
from mstdn.kinds.images import release_numbers
from mstdn.kinds.paths import lies_in
from mstdn.layout import ADOPTION_NOTE, ADOPTION_WAY_BACK, FRONT, MASTODON_PROJECT, PROXY_PROJECT
from mstdn.preflight import releases
from mstdn.proxy.neighbours import DEAD_IMAGES, PROXY_IMAGES, names_in
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.sizing.rules import sizing_for

if TYPE_CHECKING:
    from mstdn.docker.facts import Container
    from mstdn.preflight.facts import Listener
    from mstdn.settings import Settings

VERB = "pyinfra inventory.py tasks/adopt.py"
MARGIN_MIB = 512
# From here on Mastodon has the three keys of encryption, and no migration wants OTP_SECRET any more.
OLDEST = (4, 3, 0)
MASTODON_IMAGES = ("ghcr.io/mastodon/mastodon", "tootsuite/mastodon")
WRITERS = ("web", "streaming", "sidekiq")
# In these phases the old instance does not serve any more, and what a run does is to finish.
UNDER_WAY = ("stopped", "switching", "carried")
# What the suite chooses for the server's size, and what only meant something among the old containers.
NOT_CARRIED = frozenset(
    ("WEB_CONCURRENCY", "MAX_THREADS", "MIN_THREADS", "SIDEKIQ_CONCURRENCY", "RAILS_LOG_LEVEL", "TRUSTED_PROXY_IP")
)
# Where it makes a difference that the old instance does not have it.
BOTH_WAYS = frozenset(("WEB_DOMAIN", "S3_ENABLED"))


@dataclass(frozen=True)
class Leaving:
    """A container that is retired. `restart`: its restart policy. `role`: one of the old project's, or "proxy"."""

    id: str
    name: str
    restart: str
    role: str


def leaving(old: Old, containers: Sequence[Container], roots: Collection[str]) -> tuple[Leaving, ...]:
    """
    The old instance's containers that are at work, and the old proxies.

    containers: all of the engine. roots: mastodon_root and proxy_root, as they are set and without links.
    """
    mine = [each for each in old.containers if each.status in ALIVE]
    members = {each.id for each in old.containers}
    proxies = [each for each in containers if each.id not in members and _is_old_proxy(each, old, roots)]
    return (
        *(Leaving(each.id, each.name, each.restart, each.role) for each in mine),
        *(Leaving(each.id, each.name, restart_policy(each), "proxy") for each in proxies),
    )


def restart_policy(container: Container) -> str:
    """ "always", "unless-stopped", "on-failure" or "no"."""
    restart = (json.loads(container.making) if container.making else {}).get("restart") or {}
    return str(restart.get("Name") or "no")


def _is_old_proxy(container: Container, old: Old, roots: Collection[str]) -> bool:
    if container.status not in ALIVE or (container.project == PROXY_PROJECT and container.directory in roots):
        return False
    image = container.reference.removeprefix("docker.io/").partition("@")[0].partition(":")[0]
    return image in DEAD_IMAGES or image in PROXY_IMAGES or container.id in old.proxies


def others(containers: Sequence[Container], gone: Collection[str]) -> tuple[Container, ...]:
    """
    Those that preflight has to look at: all but the ones that are retired.

    One on Docker's default network stays among them: it would lose its ports when the engine restarts, before its time.
    """
    return tuple(each for each in containers if each.id not in gone or DEFAULT_NETWORK in each.networks)


def remaining(
    listeners: Sequence[Listener], containers: Sequence[Container], gone: Collection[str]
) -> tuple[Listener, ...]:
    """Who holds the proxy's ports and is not retired."""
    ports = {each.port for container in containers if container.id in gone for each in container.published}
    return tuple(
        each
        for each in listeners
        if each.port not in ports and not (each.owner and any(identity.startswith(each.owner) for identity in gone))
    )


def not_the_suites(containers: Sequence[Container], roots: Collection[str]) -> Iterator[Finding]:
    """What a first deployment is told where a Mastodon runs already."""
    for container in containers:
        image = container.reference.removeprefix("docker.io/").partition(":")[0]
        if image in MASTODON_IMAGES and container.status in ALIVE and container.directory not in roots:
            yield Finding(
                "warning",
                f"A Mastodon runs here that is not the suite's (the container {container.name}, "
                f"{container.reference}). "
                "If it is to become the suite's, with its posts and keys, leave it as it is, whatever else is said: "
                f"{VERB} tells how.",
            )
            return


def unfinished(phase: str, domain: str) -> Iterator[Finding]:
    """What any other run is told while a take-over is under way. phase: of its note, "" without one."""
    if phase in ("", "finished"):
        return
    give_up = (
        f" To leave it be instead, while the old instance still serves: rm {ADOPTION_NOTE}" if phase == "begun" else ""
    )
    yield Finding(
        "error",
        f"The take-over of the instance of before was begun and is not finished ({phase}). Finish it: {VERB} --data "
        f"yes={domain}.{give_up}",
    )


def needed_mib(old: Old) -> int:
    """Free space in mastodon_root: for a dump, a second database and Redis' jobs, and media that cannot be linked."""
    database = old.database[1] // 1024**2 if old.database else 0
    jobs = old.redis[1] // 1024**2 if old.redis else 0
    media = old.media.kib // 1024 if old.media and not old.media.links else 0
    return database * 3 // 2 + jobs + media + MARGIN_MIB


def carried_keys(old: Old) -> tuple[str, ...]:
    """The names of the keys that are taken over. A pair of which one is missing or odd is made anew."""
    groups: dict[str, list[str]] = {}
    for secret in MADE_BY_MASTODON:
        groups.setdefault(secret.group or secret.name, []).append(secret.name)
    return tuple(name for names in groups.values() if old.good.issuperset(names) for name in names)


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
                f"Your secrets.env lacks what the old instance has; the values stand in {_env_file(old)}:",
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
    if number := old.variables.get("REDIS_DB", "0").strip("0"):
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
            f"{_env_file(old)}, and start the old instance anew with it."
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


def _own_search(old: Old) -> bool:
    """Whether Elasticsearch is one of the old project's containers, which are retired."""
    return old.variables.get("ES_ENABLED") == "true" and old.variables.get("ES_HOST") in {
        name for each in old.containers for name in (each.service, each.name)
    }


def _is_unlike(name: str, was: str, now: str) -> bool:
    if "true" in (was, now) or "false" in (was, now):
        return (was == "true") != (now == "true")
    if name == "ALTERNATE_DOMAINS":
        return set(re.split(r"\s*,\s*", was.strip())) != set(now.split(","))
    return was != now


def settings_to_have(old: Old, settings: Settings) -> Iterator[str]:
    """The lines of group_data/mastodon.py that the operator has to write so that the site stays what it is."""
    was = dict(old.variables)
    if was.get("WEB_DOMAIN") == was.get("LOCAL_DOMAIN"):
        was.pop("WEB_DOMAIN", None)
    if was.get("SMTP_SSL") == "true":
        was["SMTP_TLS"] = "true"
    if was.get("SMTP_TLS") == "true" or was.get("SMTP_ENABLE_STARTTLS") not in ("auto", "always", "never"):
        was.pop("SMTP_ENABLE_STARTTLS", None)
    if not was.get("SMTP_LOGIN"):
        was.pop("SMTP_AUTH_METHOD", None)
    if was.get("SMTP_OPENSSL_VERIFY_MODE") not in ("peer", "none"):
        was.pop("SMTP_OPENSSL_VERIFY_MODE", None)
    now = mastodon_variables(settings, sizing_for(1024, settings))
    for name, variable in MASTODON_VARIABLES.items():
        if name in NOT_CARRIED or name == "LOCAL_DOMAIN" or not (name in was or name in BOTH_WAYS):
            continue
        if variable.only_with and was.get("S3_ENABLED") != "true":
            continue
        if _is_unlike(name, was.get(name, ""), now.get(name, "")):
            yield f"{variable.setting} = {_in_python(was.get(name, ''), getattr(settings, variable.setting))}"
    if missing := dict(_environment_to_have(old, settings)):
        yield f"mastodon_environment = {json.dumps({**settings.mastodon_environment, **missing}, ensure_ascii=False)}"


def _environment_to_have(old: Old, settings: Settings) -> Iterator[tuple[str, str]]:
    for name, value in sorted(old.variables.items()):
        if name in NOT_CARRIED or not (name in KNOWN or name.startswith(BENEATH_PREFIXES)):
            continue
        if name.startswith("ES_") and _own_search(old):
            continue
        try:
            variable_name(name)
        except PydanticCustomError:
            continue
        # Whatever is not "true" is false for Mastodon.
        meant = value if name not in SWITCHES or value in ("true", "false") else "false"
        if settings.mastodon_environment.get(name) != meant:
            yield name, meant


def _in_python(value: str, present: object) -> str:
    if isinstance(present, bool):
        return str(value == "true")
    if isinstance(present, int):
        return value
    if isinstance(present, tuple):
        return json.dumps([each for each in re.split(r"\s*,\s*", value.strip()) if each])
    return json.dumps(value, ensure_ascii=False)


def secrets_to_have(old: Old, settings: Settings, secrets: Collection[str]) -> Iterator[str]:
    """The names that secrets.env has to have. secrets: those that are set."""
    for name in sorted(old.brought & OPERATOR_SECRETS.keys()):
        if name in secrets or name in settings.mastodon_environment:
            continue
        if name.startswith("AWS_") and old.variables.get("S3_ENABLED") != "true":
            continue
        if name.startswith("ES_") and _own_search(old):
            continue
        yield name


def _env_file(old: Old) -> str:
    return f"{old.directory or 'the old directory'}/.env.production"


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
    if _own_search(old):
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


def note(old: Old, gone: Sequence[Leaving], containers: Sequence[Container], settings: Settings, now: int) -> str:
    """
    The text that the server notes of a take-over that begins.

    containers: all of the engine. now: seconds since the epoch.
    """
    ids = {each.id for each in gone}
    places = [(old.project, old.directory), *((each.project, each.directory) for each in containers if each.id in ids)]
    variables: Mapping[str, str] = old.variables
    lines = {
        "phase": "begun",
        "begun": str(now),
        "domain": settings.local_domain,
        "project": old.project,
        "directory": old.directory,
        "version": old.version,
        "user": variables.get("DB_USER") or "mastodon",
        "database": variables.get("DB_NAME") or "mastodon_production",
        "proxy": settings.proxy_root,
        "media": old.media.path if old.media else "",
        "owner": old.media.owner if old.media else "",
        "writers": " ".join(each.id for each in gone if each.role in WRITERS),
        "fronts": " ".join(each.id for each in gone if each.role == "nginx"),
    }
    return "".join(
        [
            *(f"{key} {value}\n" for key, value in lines.items() if value),
            *(f"compose {project}\t{place}\n" for project, place in dict.fromkeys(places) if project and place),
            *(f"container {each.id}\t{each.restart}\t{each.name}\t{each.role}\n" for each in gone),
        ]
    )


def way_back(old: Old) -> str:
    """What to type on the server to go back, and to forget the old one."""
    directory = f", and of {old.note['directory']} postgres, redis and public/system" if "directory" in old.note else ""
    ids = " ".join(identity[:12] for identity in old.listed)
    return (
        f"To go back, on the server: sh {ADOPTION_WAY_BACK} (what was posted since is then not there). When nothing "
        f"has been missing for a while, the old containers may go: docker rm {ids}{directory}"
    )
