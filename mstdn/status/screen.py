"""The state of a server on one screen, and as one line of JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mstdn.status.complaint import Complaint, Seen, Wanted
from mstdn.status.containers import GOOD, condition, of_service
from mstdn.status.facts import Machine
from mstdn.status.limits import DAY
from mstdn.status.release import newer_patch
from mstdn.status.words import ago, gigabytes
from mstdn.versions import MASTODON

WIDTH = 12
BYTES_IN_KIB = 1024


def text(host: str, domain: str, seen: Seen, wanted: Wanted, found: tuple[Complaint, ...]) -> str:
    """The screen: a line for each part, then what is wrong with its remedy, then the verdict."""
    lines = [f"{domain} on {host}", *(f"  {title:{WIDTH}} {what}" for title, what in _rows(seen, wanted)), ""]
    for level, title in (("error", "Wrong:"), ("warning", "Worth knowing:")):
        these = [each for each in found if each.level == level]
        if these:
            lines += [title, *(line for each in these for line in (f"  - {each.text}", f"    {each.remedy}")), ""]
    wrong = sum(each.level == "error" for each in found)
    verdict = f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong." if wrong else "All is well on the server."
    return "\n".join([*lines, f"{verdict} What visitors see: pyinfra inventory.py tasks/verify.py -y", ""])


def _rows(seen: Seen, wanted: Wanted) -> Iterator[tuple[str, str]]:
    here = seen.installed.get("MASTODON_VERSION", "none")
    following = f", on its way to {seen.installed['NEXT_VERSION']}" if "NEXT_VERSION" in seen.installed else ""
    patch = newer_patch(here)
    newest = f"newest known: {MASTODON}" + (f", of its own minor {patch}" if patch else "")
    yield "release", f"{here}{following} (set: {wanted.release}; {newest})"
    machine, parts = seen.machine, seen.parts
    if machine:
        yield "suite", f"{machine.suite or 'none'} converged it last, this is {wanted.suite}"
    for project, services in wanted.services.items():
        if seen.containers is None:
            yield project, f"not known: {seen.silent}"
            continue
        states = {each: condition(of_service(seen.containers, project, each)) for each in services}
        odd = [f"{service} {state}" for service, state in states.items() if state not in GOOD]
        well = [service for service, state in states.items() if state in GOOD]
        yield project, "; ".join([*odd, *([f"in order: {', '.join(well)}"] if well else [])])
    if machine:
        certificates = (
            f"{name} {(found.end - machine.now) // DAY} days"
            if (found := seen.certificates.installed.get(name))
            else f"{name} none"
            for name in wanted.names
        )
        yield "certificates", ", ".join(certificates)
        yield "disk", ", ".join(f"{each.mount} {gigabytes(each.available)} free" for each in machine.disks)
        yield (
            "memory",
            f"{gigabytes(machine.available)} of {gigabytes(machine.memory)} available, "
            f"swap {gigabytes(machine.swap - machine.free)} of {gigabytes(machine.swap)} in use",
        )
    if parts.database is not None:
        size = gigabytes(parts.database / BYTES_IN_KIB)
        yield "database", f"{size}, {parts.connections} of {parts.most_connections} connections"
        pending = f"{len(parts.pending)} pending" if parts.pending else "none pending"
        yield "migrations", "not known" if parts.empty else pending
    if machine and parts.retries is not None:
        yield "queues", _queues(seen)
    if machine:
        yield from _timed(machine, wanted)


def _queues(seen: Seen) -> str:
    now = seen.machine.now if seen.machine else 0
    waiting = [
        f"{each.name} {each.jobs}" + (f" (oldest {ago(now - each.since)})" if each.since is not None else "")
        for each in seen.parts.queues
        if each.jobs
    ]
    parts = seen.parts
    return f"{', '.join(waiting) or 'empty'}; {parts.retries} to be tried again, {parts.dead} given up"


def _timed(machine: Machine, wanted: Wanted) -> Iterator[tuple[str, str]]:
    last = machine.noted.get("backup", {})
    time = last.get("time", "")
    if time.isdecimal():
        yield "backup", f"{ago(machine.now - int(time))} ago, snapshot {last.get('snapshot', '?')[:8]}"
    else:
        yield "backup", "none" if wanted.backups else "off"
    drill = machine.noted.get("drill-result", {})
    if drill.get("time", "").isdecimal():
        yield "drill", f"{drill.get('result', '?')}, {ago(machine.now - int(drill['time']))} ago"
    timers = [each for each in machine.units if each.name.endswith(".timer")]
    told = (f"{each.name.removesuffix('.timer')} {each.next or 'not waiting'}" for each in timers)
    yield "timers", ", ".join(told) or "none"


def as_json(host: str, domain: str, seen: Seen, wanted: Wanted, found: tuple[Complaint, ...]) -> str:
    """The same for programs, on one line. Sizes are in KiB, times in seconds since the epoch."""
    machine, parts = seen.machine, seen.parts
    told: dict[str, Any] = {
        "host": host,
        "domain": domain,
        "ok": not any(each.level == "error" for each in found),
        "complaints": [
            {"level": each.level, "about": each.about, "text": each.text, "remedy": each.remedy} for each in found
        ],
        "release": {
            "installed": seen.installed.get("MASTODON_VERSION"),
            "under_way": seen.installed.get("NEXT_VERSION"),
            "set": wanted.release,
            "newest_known": MASTODON,
        },
        "suite": {"converged": machine.suite if machine else None, "this": wanted.suite},
        "containers": None
        if seen.containers is None
        else {
            f"{project}/{service}": condition(of_service(seen.containers, project, service))
            for project, services in wanted.services.items()
            for service in services
        },
        "certificates": {name: found.end for name, found in seen.certificates.installed.items()},
        "database_bytes": parts.database,
        "connections": [parts.connections, parts.most_connections],
        "pending_migrations": list(parts.pending),
        "updates": {version: {"mends_security": urgent} for version, urgent in parts.updates},
        "queues": {each.name: {"jobs": each.jobs, "since": each.since} for each in parts.queues},
        "retries": parts.retries,
        "dead": parts.dead,
    }
    if machine:
        told |= {
            "time": machine.now,
            "disks": {
                each.mount: {"size": each.size, "available": each.available, "inodes_percent": each.inodes}
                for each in machine.disks
            },
            "memory": {"size": machine.memory, "available": machine.available},
            "swap": {"size": machine.swap, "free": machine.free},
            "killed": machine.killed,
            "reboot": machine.reboot,
            "units": {each.name: {"active": each.active, "next": each.next} for each in machine.units},
            "noted": {file: dict(values) for file, values in machine.noted.items()},
        }
    return json.dumps(told, sort_keys=True)
