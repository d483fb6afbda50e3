"""Disks, memory and swap of the machine, and a reboot that it waits for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from mstdn.finding import Level
from mstdn.status.complaint import DEPLOY, Complaint, Wanted
from mstdn.status.facts import Machine
from mstdn.status.limits import LEAST_FREE_KIB, LITTLE_FREE_SHARE, MIB, MOST_INODES
from mstdn.status.words import gigabytes


def complaints(machine: Machine, wanted: Wanted, *, installed: bool) -> Iterator[Complaint]:
    for disk in machine.disks:
        share = disk.available / disk.size if disk.size else 1
        is_full = 100 - 100 * share > wanted.disk_percent or disk.available < LEAST_FREE_KIB
        if is_full or (disk.inodes or 0) >= MOST_INODES:
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
