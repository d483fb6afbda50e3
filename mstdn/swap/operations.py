"""Swap."""

from collections.abc import Iterator

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand

from mstdn.asking import ask
from mstdn.files.commands import put_file
from mstdn.operation import announce, operation
from mstdn.refusal import refuse
from mstdn.shell import Commands, script
from mstdn.swap.facts import SWAPPINESS_FILE, Swap, SwapState
from mstdn.swap.rules import others_mib, somebodys_file


@operation
def swap_file(path: str, size_mib: int, swappiness: int) -> Commands:
    """
    Ensure an active swap file of exactly `size_mib`, mode 0600, that comes back after a reboot.

    + size_mib: 0 leaves the server's swap as it is
    + swappiness: vm.swappiness, 0 to 200

    Other swap of at least this size that is active already is respected: then there is nothing to do. Refuses to put
    it in the place of a file that is no swap.
    """
    swap = ask(SwapState.of(path))
    # A link leads to the file: the kernel knows only that.
    path, others = swap.path or path, others_mib(swap)
    if size_mib == 0:
        host.noop("swap_size_mib is 0")
        return
    if others >= size_mib and path not in swap.active:
        host.noop(f"{others} MiB of other swap are active already")
        return
    if swap.foreign:
        yield from refuse(somebodys_file(swap, path))
        return
    if swap.file_bytes is not None or swap.in_fstab:
        announce(*_reasons(swap, path, size_mib, swappiness))
    if path not in swap.active or swap.file_bytes != size_mib * 1024 * 1024:
        yield script("swap/make_file", path, str(size_mib))
    elif (swap.file_mode, swap.file_user) != ("600", "0"):
        yield StringCommand("chown 0:0", QuoteString(path), "&& chmod 0600", QuoteString(path))
    if not swap.in_fstab:
        yield script("swap/write_fstab", path)
    if swap.persisted != str(swappiness):
        yield put_file(SWAPPINESS_FILE, "0:0", "0644", f"vm.swappiness = {swappiness}\n")
    if swap.swappiness != str(swappiness):
        # Not sysctl(8): a minimal server may lack procps.
        yield StringCommand("echo", str(swappiness), "> /proc/sys/vm/swappiness")


def _reasons(swap: Swap, path: str, size_mib: int, swappiness: int) -> Iterator[str]:
    """What is not as it should be."""
    if swap.file_bytes is None:
        yield f"{path} does not exist"
    elif swap.file_bytes != size_mib * 1024 * 1024:
        yield f"{path} has {swap.file_bytes // 1024 // 1024} MiB, not {size_mib}"
    elif path not in swap.active:
        yield f"{path} is not in use"
    elif (swap.file_mode, swap.file_user) != ("600", "0"):
        yield f"{path} has mode 0{swap.file_mode} and owner {swap.file_user}, not 0600 and 0"
    if not swap.in_fstab:
        yield f"/etc/fstab has no line for {path}"
    if swap.persisted != str(swappiness):
        yield f"{SWAPPINESS_FILE} does not say vm.swappiness = {swappiness}"
    if swap.swappiness != str(swappiness):
        yield f"vm.swappiness is {swap.swappiness}, not {swappiness}"
