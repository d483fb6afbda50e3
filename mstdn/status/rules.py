"""What is wrong with a server, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mstdn.certificates.facts import CertificateFiles
from mstdn.certificates.rules import defect
from mstdn.database.rules import Work, work
from mstdn.docker.facts import Container
from mstdn.finding import Level
from mstdn.kinds.images import release_numbers
from mstdn.layout import DEPLOYMENT
from mstdn.postgres.facts import Directories
from mstdn.postgres.rules import REMOVE, VERB, sorted_otherwise, wanted_major
from mstdn.preflight.releases import NEWEST_PATCH
from mstdn.status.facts import Machine, Parts, Unit

DEPLOY = "pyinfra inventory.py deploy.py"
MIB = 1024
GIB = 1024 * MIB
DAY = 86400
# What an hour of uploads, or one backup, may take.
LEAST_FREE_KIB = GIB
LEAST_FREE_SHARE, LITTLE_FREE_SHARE = 0.05, 0.15
MOST_INODES = 95
# Mastodon itself calls queues slow from minutes on; pull and the like may lag when somebody new is followed.
SLOW_SECONDS, STUCK_SECONDS = 300, 3600
QUEUES_PEOPLE_WAIT_FOR = ("default", "ingress", "push", "mailers", "scheduler")
BACKUP_DAYS, DRILL_DAYS = 2, 15
# Conditions of a service that nobody has to look at; not all have a health check.
GOOD = ("healthy", "running")


@dataclass(frozen=True)
class Wanted:
    """
    What there should be. `release`: of Mastodon. `services`: by project, in their order. `images`: of web, by which the
    release is known. `names`: host names with a certificate. `swap`: the suite provides it. `root`, `proxy`: the
    directories of the projects, to be named in remedies. `suite`: the text of this suite. `backups`: the suite makes
    them. `alerts`: the server looks at itself. `told`: somebody is told then. `postgres`: the image of PostgreSQL.
    """

    release: str
    services: Mapping[str, tuple[str, ...]]
    web_image: str
    names: tuple[str, ...]
    root: str
    proxy: str
    suite: str
    swap: bool = True
    backups: bool = True
    alerts: bool = True
    told: bool = True
    postgres: str = ""


@dataclass(frozen=True)
class Seen:
    """
    What there is. `machine`: None if it could not be looked at. `containers`: None if the engine could not be asked,
    and `silent` why, "" otherwise. `installed`: the lines of state/installed.env. `directories`: of the database;
    `collation`: the versions by whose rules its indexes were sorted and by which it sorts now, where they differ.
    """

    machine: Machine | None = None
    installed: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[Container, ...] | None = None
    silent: str = ""
    certificates: CertificateFiles = field(default_factory=CertificateFiles)
    parts: Parts = field(default_factory=Parts)
    directories: Directories = field(default_factory=Directories)
    collation: tuple[str, str] | None = None


@dataclass(frozen=True)
class Complaint:
    """Something wrong ("error") or worth knowing ("warning"): `about` a part, what it is, and the remedy."""

    level: Level
    about: str
    text: str
    remedy: str


def complaints(seen: Seen, wanted: Wanted) -> tuple[Complaint, ...]:
    """Everything wrong and worth knowing, what is wrong first."""
    found = [*_everything(seen, wanted)]
    return tuple(sorted(found, key=lambda each: each.level != "error"))


def _everything(seen: Seen, wanted: Wanted) -> Iterator[Complaint]:
    if not seen.installed.get("MASTODON_VERSION"):
        yield Complaint("error", "release", "No instance is installed on this server.", f"Deploy it: {DEPLOY}")
        if seen.machine:
            yield from _machine(seen.machine, wanted, installed=False)
        return
    yield from _release(seen.installed, wanted, seen.parts)
    yield from _postgres(seen, wanted)
    if seen.containers is None:
        yield Complaint(
            "error",
            "containers",
            f"The containers cannot be looked at: {seen.silent}.",
            "On the server: systemctl restart docker; why it does not run: journalctl --unit docker --lines 30",
        )
    else:
        yield from _containers(seen.containers, wanted)
        yield from _certificates(seen, wanted)
        yield from _parts(seen, wanted)
    if seen.machine:
        yield from _machine(seen.machine, wanted, installed=True)
        yield from _units(seen.machine.units)
        yield from _backups(seen.machine, wanted)
        yield from _alerts(seen.machine, wanted)


def _release(installed: Mapping[str, str], wanted: Wanted, parts: Parts) -> Iterator[Complaint]:
    here = installed["MASTODON_VERSION"]
    if work(installed) is Work.AT_WORK:
        yield Complaint(
            "warning",
            "release",
            "A deployment is at work: a dump, migrations, or containers that make room for others.",
            f"Watch it, on the server: journalctl --follow --unit {DEPLOYMENT}; the next run waits for its end",
        )
    elif following := installed.get("NEXT_VERSION"):
        yield Complaint(
            "error",
            "release",
            f"An upgrade from {here} to {following} was begun and is not finished.",
            f"Finish it: {DEPLOY}",
        )
    elif here != wanted.release:
        yield Complaint(
            "warning", "release", f"{here} is installed, and mastodon_version is {wanted.release}.", f"Deploy: {DEPLOY}"
        )
    urgent = [each for each in (f"v{name}" for name, mends in parts.updates if mends) if _is_newer(each, here)]
    # A patch of the same minor release is the smallest step.
    urgent.sort(key=lambda each: (release_numbers(each)[:2] != release_numbers(here)[:2], release_numbers(each)))
    if urgent:
        yield Complaint(
            "error",
            "release",
            f"{', '.join(urgent)} {'are out and mend' if len(urgent) > 1 else 'is out and mends'} security; "
            f"{here} is installed.",
            f'Read its notes, set mastodon_version = "{urgent[0]}" and deploy: {DEPLOY}',
        )
    if (newer := newer_patch(here)) and newer not in urgent:
        yield Complaint(
            "warning",
            "release",
            f"{newer} is out, and patches of Mastodon mend security: {here} is behind.",
            f'Set mastodon_version = "{newer}" and deploy: {DEPLOY}',
        )


def _is_newer(release: str, here: str) -> bool:
    """Whether one release comes after another. One that is no release yet ("v4.8.0-beta.1") does not."""
    try:
        return release_numbers(release) > release_numbers(here)
    except ValueError:
        return False


def _postgres(seen: Seen, wanted: Wanted) -> Iterator[Complaint]:
    found, here = seen.directories, seen.directories.major
    if phase := found.under.get("phase"):
        yield Complaint(
            "warning" if found.working else "error",
            "PostgreSQL",
            "The database moves into a new data directory at this moment."
            if found.working
            else f"A move of the database into a new data directory was begun and is not finished ({phase}).",
            f"Watch it: {VERB}" if found.working else f"Finish it, or have its remains taken away: {VERB}",
        )
    elif here and (named := wanted_major(wanted.postgres, "")) not in ("", here):
        yield Complaint(
            "warning",
            "PostgreSQL",
            f"PostgreSQL {here} has the database, and postgres_image names {named}.",
            f"Move the database: {VERB}",
        )
    if seen.collation:
        yield Complaint(
            "warning",
            "PostgreSQL",
            f"The database was moved under another Debian: {sorted_otherwise(seen.collation)}.",
            f"Have it made anew: {VERB}",
        )
    if found.before and not phase:
        yield Complaint(
            "warning",
            "PostgreSQL",
            f"The data directory of before the last move is kept: {found.real}.before (PostgreSQL {found.before}, "
            f"{gigabytes(found.before_mib * MIB)}).",
            f"Remove it when nothing is missing: {REMOVE}",
        )


def newer_patch(release: str) -> str:
    """The newest patch of the same minor release that the suite knows, if it is newer; else ""."""
    try:
        numbers = release_numbers(release)
    except ValueError:
        return ""
    newest = NEWEST_PATCH.get(numbers[:2], "")
    return newest if newest and release_numbers(newest) > numbers else ""


def condition(containers: Iterable[Container]) -> str:
    """How a service is, from its containers: "healthy", "unhealthy", "exited" …; "missing" without one."""
    found = list(containers)
    if not found:
        return "missing"
    (first, *others) = found
    state = first.status if first.status != "running" else {"none": "running"}.get(first.health, first.health)
    return f"{state} ({len(found)} containers)" if others else state


def of_service(containers: Iterable[Container], project: str, service: str) -> list[Container]:
    """Its containers, but for those of "docker compose run"."""
    return [each for each in containers if (each.project, each.service, each.once) == (project, service, False)]


def _containers(containers: tuple[Container, ...], wanted: Wanted) -> Iterator[Complaint]:
    for project, services in wanted.services.items():
        directory = wanted.root if project == "mstdn" else wanted.proxy
        for service in services:
            state = condition(of_service(containers, project, service))
            if state in GOOD:
                continue
            yield Complaint(
                "warning" if state == "starting" else "error",
                f"{project}/{service}",
                f"{service} of {project} is {state}.",
                f"{'Look again in a minute' if state == 'starting' else f'Mend it: {DEPLOY}'}; what it says: cd "
                f"{directory} && docker compose logs --tail 30 {service}",
            )
    web = of_service(containers, "mstdn", "web")
    if web and all(each.reference != wanted.web_image for each in web):
        yield Complaint(
            "warning",
            "mstdn/web",
            f"web runs {web[0].reference}, and by its settings it would be {wanted.web_image}.",
            f"Deploy: {DEPLOY}",
        )


def _certificates(seen: Seen, wanted: Wanted) -> Iterator[Complaint]:
    now = seen.machine.now if seen.machine else 0
    for name in wanted.names if now else ():
        if wrong := defect(seen.certificates.installed.get(name), name, now):
            yield Complaint(
                "error",
                "certificate",
                f"{name}: {wrong}.",
                f"Have it made or put back: {DEPLOY}; why it was not: cd {wanted.proxy} && docker compose logs --tail "
                "50 acme-companion",
            )
    if seen.certificates.configuration != "accepted":
        yield Complaint(
            "error",
            "proxy/nginx",
            f"What docker-gen wrote for the proxy's nginx is {seen.certificates.configuration}.",
            f"Have it written anew: {DEPLOY}",
        )


def _parts(seen: Seen, wanted: Wanted) -> Iterator[Complaint]:
    parts = seen.parts
    for silent, name in (("db", "PostgreSQL"), ("redis", "Redis")):
        if silent in parts.silent:
            yield Complaint(
                "error",
                name,
                f"{name} runs and does not answer.",
                f"Mend it: {DEPLOY}; what it says: cd {wanted.root} && docker compose logs --tail 30 {silent}",
            )
    if parts.most_connections and parts.connections > 0.9 * parts.most_connections:
        yield Complaint(
            "warning",
            "PostgreSQL",
            f"{parts.connections} of {parts.most_connections} connections are in use.",
            "Set fewer web_processes, web_threads or sidekiq_threads, and deploy; who has them: SELECT * FROM "
            "pg_stat_activity in a database console (docs/runbook.md)",
        )
    if parts.pending:
        yield Complaint(
            "error",
            "migrations",
            f"{len(parts.pending)} migrations of the release that runs have not run: {_some(parts.pending)}.",
            f"Run them: {DEPLOY}",
        )
    if any(each != "ok" for each in parts.writes):
        yield Complaint(
            "error",
            "Redis",
            "Redis cannot write to its disk, and then takes no more jobs: nothing is posted or delivered.",
            f"Free some disk (docs/runbook.md, The disk fills), then: cd {wanted.root} && docker compose restart redis",
        )
    if seen.machine and parts.retries is not None:
        yield from _queues(parts, seen.machine.now, wanted)


def _some(names: tuple[str, ...], most: int = 3) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def _queues(parts: Parts, now: float, wanted: Wanted) -> Iterator[Complaint]:
    logs = f"cd {wanted.root} && docker compose logs --tail 30 sidekiq"
    if not parts.processes:
        yield Complaint(
            "error", "queues", "No Sidekiq is at work: posts go nowhere.", f"Mend it: {DEPLOY}; what it says: {logs}"
        )
    for queue in parts.queues:
        waits = now - queue.since if queue.since is not None else 0
        if waits < SLOW_SECONDS:
            continue
        stuck = waits >= STUCK_SECONDS or queue.name in QUEUES_PEOPLE_WAIT_FOR
        yield Complaint(
            "error" if stuck else "warning",
            "queues",
            f"{queue.jobs} jobs wait in the queue {queue.name}, the oldest for {int(waits // 60)} minutes.",
            f"Set more sidekiq_threads if memory allows it, and deploy; what Sidekiq is at: {logs}",
        )


def _machine(machine: Machine, wanted: Wanted, *, installed: bool) -> Iterator[Complaint]:
    for disk in machine.disks:
        share = disk.available / disk.size if disk.size else 1
        if share < LEAST_FREE_SHARE or disk.available < LEAST_FREE_KIB or (disk.inodes or 0) >= MOST_INODES:
            level: Level = "error"
        elif share < LITTLE_FREE_SHARE:
            level = "warning"
        else:
            continue
        full = f", and {disk.inodes} % of its inodes are in use" if (disk.inodes or 0) >= MOST_INODES else ""
        yield Complaint(
            level,
            "disk",
            f"{gigabytes(disk.available)} of {gigabytes(disk.size)} are free at {disk.mount}{full}.",
            "See what takes it: docker system df; and docs/runbook.md, The disk fills",
        )
    if installed and wanted.swap and not machine.swap:
        yield Complaint("error", "memory", "There is no swap, though swap_size_mib asks for it.", f"Mend it: {DEPLOY}")
    # Where the kernel does not tell them apart (an old one), nothing can be said.
    if machine.memory and machine.available + machine.free < 0.1 * machine.memory:
        yield Complaint(
            "error",
            "memory",
            f"Memory and swap are full: {machine.available // MIB} MiB and {machine.free // MIB} MiB are left.",
            "See who takes it: docker stats --no-stream; then set a larger swap_size_mib or fewer web_processes and "
            "sidekiq_threads, and deploy",
        )
    if machine.killed:
        yield Complaint(
            "warning",
            "memory",
            f"Since the server started, the kernel has ended {machine.killed} programs for want of memory.",
            "See which: journalctl --dmesg --grep 'Out of memory|oom-kill'; then set a larger swap_size_mib, or a "
            "larger …_memory_mib for the part that was ended",
        )
    if machine.reboot:
        yield Complaint(
            "warning",
            "machine",
            "An update of the system waits for a reboot.",
            "Reboot in a quiet moment: everything comes back by itself",
        )


def _units(units: Iterable[Unit]) -> Iterator[Complaint]:
    for unit in units:
        if unit.active == "failed":
            name = unit.name.rpartition(".")[0]
            again = DEPLOY if name == DEPLOYMENT else f"systemctl start {name}"
            yield Complaint(
                "error",
                "timers",
                f"{unit.name} failed ({unit.result}).",
                f"See why: journalctl --unit {unit.name} --lines 30; then: {again}",
            )
        elif unit.name.endswith(".timer") and unit.loaded == "loaded" and unit.active != "active":
            yield Complaint("error", "timers", f"{unit.name} does not wait for its time.", f"Mend it: {DEPLOY}")


def _backups(machine: Machine, wanted: Wanted) -> Iterator[Complaint]:
    last, results = machine.noted.get("backup", {}), machine.noted
    if "restoring" in results:
        yield Complaint(
            "error",
            "restore",
            "A restore was begun and is not finished; until then no backup is made.",
            "Finish it: pyinfra inventory.py tasks/restore.py",
        )
    if not wanted.backups:
        yield Complaint(
            "warning",
            "backup",
            "Backups are off: if this server is lost, so is everything on it.",
            "Set backup_repository, and BACKUP_PASSPHRASE in secrets.env, and deploy; or docs/runbook.md, Backups by "
            "hand",
        )
        return
    if not last:
        yield Complaint(
            "error", "backup", "No backup was made yet.", "Make one: pyinfra inventory.py tasks/backup.py -y"
        )
    elif (age := machine.now - _number(last.get("time", ""))) > BACKUP_DAYS * DAY:
        yield Complaint(
            "error",
            "backup",
            f"The last backup is {ago(age)} old.",
            "Make one: pyinfra inventory.py tasks/backup.py -y; why there is none: journalctl --unit mstdn-backup "
            "--lines 30",
        )
    for file, result in results.items():
        task = file.removesuffix("-result")
        if not file.endswith("-result"):
            continue
        if result.get("result") not in ("ok", ""):
            yield Complaint(
                "error",
                task,
                f"The last {task} did not succeed: {result.get('why') or result.get('result', '')}",
                f"Run it again: pyinfra inventory.py tasks/{task}.py -y; what it said: journalctl --unit mstdn-{task}",
            )
        elif task == "drill" and (age := machine.now - _number(result.get("time", ""))) > DRILL_DAYS * DAY:
            yield Complaint(
                "warning",
                "drill",
                f"That a backup can be restored was proven {ago(age)} ago.",
                "Prove it: pyinfra inventory.py tasks/drill.py -y",
            )


def _alerts(machine: Machine, wanted: Wanted) -> Iterator[Complaint]:
    for channel, text in machine.noted.get("alerts", {}).items() if wanted.alerts else ():
        since, _, why = text.partition(" ")
        yield Complaint(
            "error",
            "alerts",
            f"For {ago(machine.now - _number(since))} alerts have not got out by {channel}: {why}",
            "Try it: pyinfra inventory.py tasks/alert_test.py -y",
        )
    if not wanted.alerts or not wanted.told:
        yield Complaint(
            "warning",
            "alerts",
            "Nobody is told when something breaks.",
            "Set alerts_mail_to, or ALERTS_WEBHOOK_URL in secrets.env, and deploy",
        )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def ago(seconds: float) -> str:
    """A length of time in its largest unit: "3 days"."""
    for unit, length in (("day", DAY), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number = int(seconds // length)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{max(0, int(seconds))} s"


def gigabytes(kib: float) -> str:
    """KiB as people read them: "12.3 GiB"."""
    return f"{kib / GIB:.1f} GiB" if kib >= GIB else f"{kib / MIB:.0f} MiB"
