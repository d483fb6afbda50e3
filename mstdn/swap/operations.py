"""Swap."""

from pyinfra import host
from pyinfra.api import QuoteString, StringCommand, operation

from mstdn.shell import Commands, script
from mstdn.swap.facts import SWAPPINESS_FILE, SwapState


@operation()
def swap_file(path: str, size_mib: int, swappiness: int) -> Commands:
    """
    Ensure an active swap file of exactly `size_mib`, mode 0600, that comes back after a reboot.

    + size_mib: 0 leaves the server's swap as it is
    + swappiness: vm.swappiness, 0 to 200

    Other swap of at least this size that is active already is respected: then there is nothing to do.
    """
    swap = host.get_fact(SwapState, path=path)
    # Rounded, because the kernel counts each a page short.
    others_mib = round(sum(size for other, size in swap.active.items() if other != path) / 1024)
    if size_mib == 0:
        host.noop("swap_size_mib is 0")
        return
    if others_mib >= size_mib and path not in swap.active:
        host.noop(f"{others_mib} MiB of other swap are active already")
        return
    if path not in swap.active or swap.file_bytes != size_mib * 1024 * 1024:
        yield script("swap/make_file", path, str(size_mib))
    elif (swap.file_mode, swap.file_user) != ("600", "0"):
        yield StringCommand("chown 0:0", QuoteString(path), "&& chmod 0600", QuoteString(path))
    if not swap.in_fstab:
        yield script("swap/write_fstab", path)
    if swap.persisted != str(swappiness):
        yield script("files/write", SWAPPINESS_FILE, "0:0", "0644", stdin=f"vm.swappiness = {swappiness}\n")
    if swap.swappiness != str(swappiness):
        # Not sysctl(8): a minimal server may lack procps.
        yield StringCommand("echo", str(swappiness), "> /proc/sys/vm/swappiness")
