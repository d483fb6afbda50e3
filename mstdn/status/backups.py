"""Backups, drills, and a restore that was begun. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.status.complaint import Complaint, Wanted
from mstdn.status.facts import Machine
from mstdn.status.limits import BACKUP_DAYS, DAY, DRILL_DAYS
from mstdn.status.words import ago, number


def complaints(machine: Machine, wanted: Wanted) -> Iterator[Complaint]:
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
    elif not last:
        yield Complaint(
            "error", "backup", "No backup was made yet.", "Make one: pyinfra inventory.py tasks/backup.py -y"
        )
    elif (age := machine.now - number(last.get("time", ""))) > BACKUP_DAYS * DAY:
        yield Complaint(
            "error",
            "backup",
            f"The last backup is {ago(age)} old.",
            "Make one: pyinfra inventory.py tasks/backup.py -y; why there is none: journalctl --unit mstdn-backup "
            "--lines 30",
        )
    for file, result in results.items():
        task = file.removesuffix("-result")
        # Of programs that are no longer there, and of a restore that was given up.
        past = (not wanted.backups and task in ("backup", "drill")) or (
            task == "restore" and "restoring" not in results
        )
        if not file.endswith("-result") or past:
            continue
        if result.get("result", "") not in ("ok", ""):
            yield Complaint(
                "error",
                task,
                f"The last {task} did not succeed: {result.get('why') or result.get('result', '')}",
                f"Run it again: pyinfra inventory.py tasks/{task}.py -y; what it said: journalctl --unit mstdn-{task}",
            )
        elif task == "drill" and (age := machine.now - number(result.get("time", ""))) > DRILL_DAYS * DAY:
            yield Complaint(
                "error",
                "drill",
                f"That a backup can be restored was proven {ago(age)} ago.",
                "Prove it: pyinfra inventory.py tasks/drill.py -y",
            )
