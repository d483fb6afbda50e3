"""The machine: system, memory, disks, clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mstdn.finding import Finding
from mstdn.layout import SYSTEM_PLACES
from mstdn.sizing.rules import film_shortfall_mib

if TYPE_CHECKING:
    from mstdn.preflight.facts import ServerReport
    from mstdn.settings import Settings

SYSTEMS = (("debian", "12"), ("debian", "13"), ("ubuntu", "22.04"), ("ubuntu", "24.04"), ("ubuntu", "26.04"))
ARCHITECTURES = ("amd64", "arm64")
# Roughly what the images, the checkout and a first database come to.
FILES = 150_000
# MiB and files for what the suite writes in each of SYSTEM_PLACES: a few hundred KB, and room for what packages add.
SYSTEM_NEEDS = (16, 200)
CLOCK_TOLERANCE_SECONDS = 60
# Roughly: compiling the assets was ended by the kernel on a machine of 4 GB beside a running Mastodon (mastodon#35396).
BUILD_MEMORY_MIB = 4096


def findings(report: ServerReport, settings: Settings, now: float) -> Iterator[Finding]:
    """now: this machine's clock, in seconds since the epoch."""
    yield from _system(report)
    yield from _memory(report, settings)
    yield from _disks(report, settings)
    yield from _clock(report, now)


def _system(report: ServerReport) -> Iterator[Finding]:
    if report.system not in SYSTEMS:
        supported = ", ".join(f"{name.capitalize()} {version}" for name, version in SYSTEMS)
        yield Finding("error", f"This is {' '.join(report.system)}. Use a server with one of {supported}.")
    # Without dpkg nobody says which.
    if report.architecture not in (*ARCHITECTURES, ""):
        yield Finding(
            "error",
            f"The architecture is {report.architecture}, for which Mastodon has no images. Use a server with "
            f"{' or '.join(ARCHITECTURES)}.",
        )
    if report.init != "systemd":
        yield Finding(
            "error",
            f"Process 1 is {report.init}, not systemd, which starts Docker at boot. Use a whole (virtual) machine "
            "instead of a container, or install systemd-sysv and reboot.",
        )


def _memory(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    if not report.limits_memory:
        yield Finding(
            "warning",
            "The kernel cannot limit the memory of a container, so one that grows can starve the others. On the "
            "server, add cgroup_enable=memory to the kernel's command line and reboot; on a VPS that is a container "
            "itself, only its provider can.",
        )
    total = report.memory_mib + sum(report.swaps.values()) + _missing_swap(report, settings)
    needed = settings.preflight_memory_and_swap_mib
    if settings.mastodon_image_source == "source" and needed <= total < BUILD_MEMORY_MIB:
        yield Finding(
            "warning",
            f"Memory ({report.memory_mib} MiB) and planned swap come to {total} MiB; to build Mastodon's images from "
            f"source takes about {BUILD_MEMORY_MIB} MiB, and the kernel ends a build that gets less. Set "
            f"swap_size_mib = {settings.swap_size_mib + BUILD_MEMORY_MIB - total}, if only for the build.",
        )
    missing = film_shortfall_mib(report.memory_mib, settings)
    if settings.sidekiq_memory_mib is None and needed <= total < report.memory_mib + settings.swap_size_mib + missing:
        yield Finding(
            "warning",
            f"Films as phones take them (2160p) need {missing} MiB more than memory ({report.memory_mib} MiB) and "
            "planned swap come to: the kernel ends their conversion, and they stay in processing. Smaller ones work. "
            f"If such films are uploaded here, set swap_size_mib = {settings.swap_size_mib + missing}.",
        )
    if total < needed:
        more = settings.swap_size_mib + needed - total
        yield Finding(
            "error",
            f"Memory ({report.memory_mib} MiB) and planned swap come to {total} MiB; Mastodon needs {needed} MiB to "
            f"boot. Set swap_size_mib = {more} or use a server with more memory.",
        )


def _missing_swap(report: ServerReport, settings: Settings) -> int:
    """MiB by which the swap file will make swap grow: nothing where there is enough other swap already."""
    here = report.swaps.get(settings.swap_path, 0)
    others = sum(report.swaps.values()) - here
    if others >= settings.swap_size_mib and not here:
        return 0
    return max(0, settings.swap_size_mib - here)


def _disks(report: ServerReport, settings: Settings) -> Iterator[Finding]:
    """Images and data need the setting's space wherever they lie; the swap file needs its own on top."""
    space = settings.preflight_free_disk_gib * 1024 // (3 if report.installed else 1)
    swap = _missing_swap(report, settings)
    files = FILES // (3 if report.installed else 1)
    # Parts of the instance count where they lie apart from the rest of it.
    roots = {disk.mount for disk in report.disks if disk.path == settings.mastodon_root}
    parts = [disk for disk in report.disks if disk.path.startswith(f"{settings.mastodon_root}/")]
    counted = [disk for disk in report.disks if disk not in parts or disk.mount not in roots]
    needs = dict.fromkeys(SYSTEM_PLACES, SYSTEM_NEEDS) | {settings.swap_path: (0, 0)}
    for mount in dict.fromkeys(disk.mount for disk in counted):
        disks = [disk for disk in counted if disk.mount == mount]
        needed_by_each = [needs.get(disk.path, (space, files)) for disk in disks]
        needed = max(mib for mib, _ in needed_by_each)
        needed += swap if any(disk.path == settings.swap_path for disk in disks) else 0
        # Beside data or images, what the suite writes elsewhere does not count.
        named = ", ".join(disk.path for disk in disks if disk.path not in SYSTEM_PLACES) or ", ".join(
            disk.path for disk in disks
        )
        free = min(disk.free_mib for disk in disks)
        wanted = max(number for _, number in needed_by_each)
        left = min((disk.free_files for disk in disks if disk.free_files is not None), default=wanted)
        if left < wanted:
            yield Finding(
                "error",
                f"{mount} can take only {left} more files, whatever their size "
                f"(df -i {mount}), but {named} need {wanted}. Remove many small ones "
                f"(du --inodes -x {mount} | sort -n | tail), or use a file system that was made with more inodes.",
            )
        if free < needed:
            yield Finding(
                "error",
                f"{mount} has {free} MiB free, but {named} need {needed} MiB. Make "
                "room (docker image prune --all, which leaves what runs; docker builder prune; journalctl "
                "--vacuum-size=100M; apt-get clean), enlarge the disk, or lower preflight_free_disk_gib or "
                "swap_size_mib.",
            )


def _clock(report: ServerReport, now: float) -> Iterator[Finding]:
    behind = round(now - report.clock)
    if abs(behind) > CLOCK_TOLERANCE_SECONDS:
        yield Finding(
            "error",
            f"The server's clock is {abs(behind)} s {'behind' if behind > 0 else 'ahead of'} this machine's. "
            "Certificates and federation need the right time. On the server: timedatectl set-ntp true. If it is this "
            "machine that is wrong, set its clock.",
        )
