"""Settings of the kernel."""

from __future__ import annotations

from pyinfra import host

from mstdn.asking import ask
from mstdn.fact import Question
from mstdn.files.commands import put_file
from mstdn.kernel.facts import KernelSetting, Setting
from mstdn.operation import announce, operation
from mstdn.shell import Commands, script

OVERCOMMIT, OVERCOMMIT_FILE = "vm.overcommit_memory", "/etc/sysctl.d/60-mastodon-redis.conf"
# The kernel's own choice; 1 is what Redis asks for, 2 is somebody's decision.
BY_DEFAULT, WANTED = "0", "1"


def overcommit_question() -> Question[Setting]:
    """What memory_for_forks asks."""
    return KernelSetting.of(OVERCOMMIT, OVERCOMMIT_FILE)


@operation
def memory_for_forks() -> Commands:
    """
    Ensure that Redis can write its data to disk where memory is nearly full (vm.overcommit_memory).

    It does so in a copy of itself that shares its memory. With the kernel's own 0 that copy is refused where there is
    not enough for all of it, though it needs next to nothing. A 2, which somebody has decided for, stays.
    Source: Redis' own warning at its start, and redis.io/docs/latest/operate/oss_and_stack/management/admin.
    """
    found = ask(overcommit_question())
    if found.now not in (BY_DEFAULT, WANTED):
        host.noop(f"{OVERCOMMIT} is {found.now or 'not known to this kernel'}")
        return
    if found.after != WANTED:
        announce(f"{OVERCOMMIT_FILE} does not say {OVERCOMMIT} = {WANTED}")
        yield put_file(OVERCOMMIT_FILE, "0:0", "0644", f"{OVERCOMMIT} = {WANTED}\n")
    if found.now != WANTED:
        announce(f"{OVERCOMMIT} is {found.now}, not {WANTED}")
        yield script("kernel/apply", OVERCOMMIT, WANTED)
