"""
The container engine that the lab runs on: one that already answers, or else one of the lab's own.

The own engine is Debian's docker.io, started without systemd and kept apart from any other by its data root, exec
root, pid file, socket, containerd namespace and cgroup, all under HOME. Images are built on the host's network, so it
needs no default bridge.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.lab import debian, firewall
from tests.lab.commands import Completed, LabError, run, step, wait_until

HOME = Path("/var/lib/mstdn-lab")
SOCKET = HOME / "docker.sock"
PID_FILE = HOME / "dockerd.pid"
EXEC_ROOT = HOME / "run"
CONTAINERD_PID_FILE = EXEC_ROOT / "containerd/containerd.pid"
LOG = HOME / "dockerd.log"
FIREWALL_BEFORE = HOME / "firewall-before.json"
DEFAULT_BRIDGE = Path("/sys/class/net/docker0")
CGROUP_PARENT = "mstdn-lab"
START_SECONDS = 60
STOP_SECONDS = 60


@dataclass(frozen=True)
class Engine:
    """How to talk to an engine: `environment` is given to each docker command."""

    environment: Mapping[str, str]

    def run(
        self,
        *arguments: str,
        stdin: str | bytes | IO[bytes] = b"",
        check: bool = True,
        timeout: float | None = None,
        title: str = "",
    ) -> Completed:
        """Run `docker` with these arguments. See `commands.run`."""
        return run(
            ["docker", *arguments],
            stdin=stdin,
            check=check,
            timeout=timeout,
            environment=self.environment,
            title=title,
        )

    def answers(self) -> bool:
        """Whether the engine is there and willing."""
        if not shutil.which("docker"):
            return False
        return self.run("version", "--format", "{{.Server.Version}}", check=False).returncode == 0


def _engine(address: str = "") -> Engine:
    # The classic builder is in every engine; BuildKit needs a plugin that Debian 12 does not have.
    # Go collects garbage from 4 MB on, times GOGC/100. To a command of milliseconds that is a quarter of its work.
    environment = {**os.environ, "DOCKER_BUILDKIT": "0", "GOGC": "400"}
    if address:
        environment["DOCKER_HOST"] = address
    return Engine(environment)


def running() -> Engine | None:
    """The engine that DOCKER_HOST names, else the lab's own, else the default one; None when none answers."""
    candidates = [_engine()] if "DOCKER_HOST" in os.environ else [_engine(f"unix://{SOCKET}"), _engine()]
    return next((engine for engine in candidates if engine.answers()), None)


def provide() -> Engine:
    """
    An engine that answers, started (and installed) when there is none.

    Raises LabError when that needs rights that we do not have.
    """
    if engine := running():
        return engine
    if "DOCKER_HOST" in os.environ:
        raise LabError(
            f"No engine answers at DOCKER_HOST={os.environ['DOCKER_HOST']}. Start it, or unset the variable."
        )
    if os.geteuid() != 0:
        raise LabError(
            "No container engine answers, and only root could start one.\n"
            "Start Docker (and join its group), or run this as root: the lab then brings its own engine."
        )
    if not (shutil.which("dockerd") and shutil.which("docker")):
        with step("Install Docker from Debian's packages"):
            debian.install("docker.io")
            if not shutil.which("docker"):  # Debian 13 and later keep the command apart
                debian.install("docker-cli")
    with step("Start the lab's own engine"):
        return _start()


def recover() -> Engine | None:
    """The lab's own engine, started again if it ended without `stop` (a crash, a restart of this machine)."""
    if FIREWALL_BEFORE.exists() and os.geteuid() == 0:
        with step("Start the lab's own engine once more"):
            return _start()
    return None


def _start() -> Engine:
    EXEC_ROOT.mkdir(parents=True, exist_ok=True)
    if not FIREWALL_BEFORE.exists():
        firewall.remember(FIREWALL_BEFORE)
    for pid_file in (PID_FILE, CONTAINERD_PID_FILE):
        if not _process_id(pid_file):  # The killed leave their numbers behind, and the next engine would heed them.
            pid_file.unlink(missing_ok=True)
    engine = _engine(f"unix://{SOCKET}")
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            [
                "dockerd",
                *("--host", f"unix://{SOCKET}"),
                *("--data-root", str(HOME / "data")),
                *("--exec-root", str(EXEC_ROOT)),
                *("--pidfile", str(PID_FILE)),
                *("--containerd-namespace", "mstdn-lab"),
                *("--containerd-plugins-namespace", "mstdn-lab-plugins"),
                *("--cgroup-parent", f"/{CGROUP_PARENT}"),
                *("--exec-opt", "native.cgroupdriver=cgroupfs"),
                # Told to have no bridge, an engine deletes the docker0 of any other.
                *(() if DEFAULT_BRIDGE.exists() else ("--bridge", "none")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends our work, not the engine
        )

    def is_up_or_dead() -> bool:
        return process.poll() is not None or engine.answers()

    wait_until("the lab's engine answers", is_up_or_dead, START_SECONDS)
    if process.poll() is not None:
        last_lines = "\n".join(LOG.read_text(errors="replace").splitlines()[-10:])
        raise LabError(f"The lab's engine ended at once. The last lines of {LOG}:\n{last_lines}")
    return engine


def stop() -> None:
    """
    Stop the lab's own engine, if it was started, and take back what it did to this machine; its images stay.

    Raises LabError when we are not root or it does not end.
    """
    if not FIREWALL_BEFORE.exists():
        return
    if os.geteuid() != 0:
        raise LabError("Root started the lab's own engine, and only root can stop it.")
    with step("Stop the lab's own engine"):
        if process_id := _process_id(PID_FILE):
            os.kill(process_id, signal.SIGTERM)
            wait_until("the lab's engine has ended", lambda: not _process_id(PID_FILE), STOP_SECONDS)
        for mount_point in _mount_points_below(HOME):
            run(["umount", "--lazy", mount_point])
        _remove_cgroups()
        shutil.rmtree(EXEC_ROOT, ignore_errors=True)
        for leftover in (SOCKET, PID_FILE, LOG):
            leftover.unlink(missing_ok=True)
        firewall.restore(FIREWALL_BEFORE)
        FIREWALL_BEFORE.unlink()


def remove_home() -> None:
    """Delete the own engine's images and everything else under HOME. Call `stop` first."""
    shutil.rmtree(HOME, ignore_errors=True)


def _process_id(pid_file: Path) -> int:
    """Number of the own engine's process that wrote this file; 0 when it ended or another has the number now."""
    try:
        process_id = int(pid_file.read_text())
        command = Path(f"/proc/{process_id}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError, ValueError):  # no such process, or it is just ending
        return 0
    return process_id if str(EXEC_ROOT) in command else 0  # that of a zombie is empty


def _mount_points_below(directory: Path) -> list[str]:
    """Mount points under `directory`, deepest first. The fifth field of /proc/self/mountinfo is the mount point."""
    fields = (line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return sorted((field[4] for field in fields if field[4].startswith(f"{directory}/")), reverse=True)


def _remove_cgroups() -> None:
    # In each hierarchy of version 1, and in that of version 2. A cgroup can go only when it has no other in it.
    hierarchies = Path("/sys/fs/cgroup")
    for top in (*hierarchies.glob(CGROUP_PARENT), *hierarchies.glob(f"*/{CGROUP_PARENT}")):
        for directory, _, _ in os.walk(top, topdown=False):
            Path(directory).rmdir()
