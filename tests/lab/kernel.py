"""
What a server changes in the kernel that it shares with this machine, and how to take it back.

Swap and the settings below vm/ belong to no container. What they were before the lab is kept as a label of the lab's
network, which is the first to come and the last to go.
"""

import json

from tests.lab.builder import PREFIX
from tests.lab.engine import Engine

LABEL = "mstdn-lab.kernel-settings"
SETTINGS = ("vm/swappiness", "vm/overcommit_memory", "vm/max_map_count")
SWAP_DIRECTORY = "/swap.d"


def label(engine: Engine) -> str:
    """The kernel's settings now, as the label to give to the network."""
    paths = [f"/proc/sys/{name}" for name in SETTINGS]
    values = engine.run("run", "--rm", "--network", "none", f"{PREFIX}base", "cat", *paths).stdout.split()
    return f"{LABEL}={json.dumps(dict(zip(SETTINGS, values, strict=True)))}"


def restore(engine: Engine, network: str, container: str) -> None:
    """Turn off the swap in this container's volumes, and put the settings back to what the network's label says."""
    template = f'{{{{index .Labels "{LABEL}"}}}}'
    settings: dict[str, str] = json.loads(engine.run("network", "inspect", "--format", template, network).stdout)
    engine.run(
        *("run", "--rm", "--interactive", "--network", "none", "--volumes-from", container),
        *("--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
        *("--security-opt", "systempaths=unconfined", f"{PREFIX}base", "sh", "-eu", "-s"),
        *(f"{name}={value}" for name, value in settings.items()),
        stdin=f"""
            for file in {SWAP_DIRECTORY}/*; do
                # By trying, because the name in /proc/swaps changes when the container stops. 4: it was not in use.
                swapoff "$file" 2>/dev/null || [ $? = 4 ]
            done
            for setting; do printf %s "${{setting#*=}}" >"/proc/sys/${{setting%%=*}}"; done
        """,
        title=f"put the kernel back as it was before {container}",
    )
