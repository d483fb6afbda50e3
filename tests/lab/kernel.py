"""
The swap that a server leaves in the kernel, which it shares with this machine and with every other server.

A server's own list of swap and its own settings below vm/ are arranged by images/server/init; the swap itself is real.
"""

from tests.lab.engine import Engine

SWAP_DIRECTORY = "/swap.d"


def release_swap(engine: Engine, container: str) -> None:
    """Turn off the swap that lies in this container's volumes."""
    image = engine.run("container", "inspect", "--format", "{{.Image}}", container).stdout.strip()
    engine.run(
        *("run", "--rm", "--interactive", "--network", "none", "--volumes-from", container),
        *("--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
        *(image, "sh", "-eu", "-s"),
        stdin=f"""
            for file in {SWAP_DIRECTORY}/*; do
                # By trying, because the name in /proc/swaps changes when the container stops. 4: it was not in use.
                /sbin/swapoff "$file" 2>/dev/null || [ $? = 4 ]
            done
        """,
        title=f"turn off the swap of {container}",
    )
