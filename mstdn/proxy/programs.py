"""What the proxy needs a server to do by itself. Pure."""

from __future__ import annotations

from mstdn.files.tree import ConfigFile
from mstdn.layout import PROXY_PROJECT
from mstdn.timers.units import program, service


def proxy_programs() -> tuple[ConfigFile, ...]:
    """
    The program that follows each start of the engine, and its unit.

    Not the socket proxy's own watchdog (-stoponwatchdog): a container that ends while the engine is still starting may
    be killed and started again for ever (moby/moby#48912), and what ends because the socket is away ends just then.
    """
    return (
        program("socket", "docker/container", "proxy/take_socket"),
        service(
            "mstdn-socket",
            "Give the proxy Docker's new socket after a restart of Docker",
            f"socket {PROXY_PROJECT} socket-proxy",
            timeout_seconds=300,
            wanted_by="docker.service",
        ),
    )
