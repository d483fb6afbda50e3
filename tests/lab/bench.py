"""
Speed and size of the suite, measured in the lab, one "name: value" per line.

    python -m tests.lab.bench

bare_to_verified_seconds     from a bare server to the end of deploy.py, whose last task visits the site
baseline_shell_seconds       the same for baseline.sh, sent with its files through one SSH connection
bare_ratio                   the first over the second (target: at most 1.25)
second_run_seconds           deploy.py when there is nothing to do, the median of several runs
empty_deploy_seconds         a deploy.py with nothing in it, on the same host, the median of as many, taken in turn
second_run_ratio             the first over the second (target: at most 4)
second_run_remote_commands   sessions that the server's sshd opened for one such run of deploy.py, as it logs them at
                             LogLevel VERBOSE (target: at most 40)
idle_memory_mib              what stands around Mastodon, PostgreSQL and Redis: the proportional set size (PSS) of every
                             process of the proxy's containers and of the inner nginx (target: at most 80)
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import paramiko

from tests.lab import addresses
from tests.lab.addresses import REPOSITORY, STATE
from tests.lab.commands import run
from tests.lab.world import World

BASELINE = Path(__file__).with_name("baseline.sh")
RUNS = 5
# What the suite wrote and baseline.sh does not: taken from the server, so that both start the same containers.
DIRECTORIES = (
    *(f"srv/mastodon/{name}" for name in ("", "assets", "database", "media", "redis", "scratch", "secrets", "state")),
    *(f"srv/proxy/{name}" for name in ("", "acme", "certs", "conf.d", "html")),
)
FILES = (
    *("etc/apt/sources.list.d/docker.sources", "etc/docker/daemon.json"),
    *(f"srv/mastodon/{name}" for name in ("compose.yaml", "mastodon.env", "nginx", "postgres", "streaming.env")),
    *("srv/mastodon/secrets/operator.env", "srv/mastodon/state/images"),
    *(f"srv/proxy/{name}" for name in ("ca-bundle", "compose.yaml", "vhost.d")),
)
SSHD_SETTING = "/etc/ssh/sshd_config.d/bench.conf"


def main() -> None:
    """Measure, then print."""
    # The lab tells on standard output what it does.
    with redirect_stdout(sys.stderr):
        figures = measure()
    for name, figure in figures.items():
        print(f"{name}: {figure}")


def measure() -> dict[str, str]:
    """Every figure by its name; about three minutes."""
    world = World()
    world.reset()
    bare = seconds(world, "deploy.py")
    with ssh() as client:
        paths = f"--no-recursion {' '.join(DIRECTORIES)} --recursion {' '.join(FILES)}"
        files = output(client, f"tar --create --file - --directory / {paths}")
    memory = idle_memory_mib(world)
    second, empty = seconds_without_changes(world)
    commands = remote_commands(world)
    world.reset()
    baseline = baseline_seconds(world, files)
    return {
        "bare_to_verified_seconds": f"{bare:.1f}",
        "baseline_shell_seconds": f"{baseline:.1f}",
        "bare_ratio": f"{bare / baseline:.2f}",
        "second_run_seconds": f"{second:.2f}",
        "empty_deploy_seconds": f"{empty:.2f}",
        "second_run_ratio": f"{second / empty:.2f}",
        "second_run_remote_commands": str(commands),
        "idle_memory_mib": f"{memory:.1f}",
    }


def seconds(world: World, file: str) -> float:
    """How long a run of pyinfra takes, its own start included. Raises CommandError if it fails."""
    command = world.pyinfra_command(file, options=["--limit", "server", "--yes"])
    begun = time.monotonic()
    run(command, directory=REPOSITORY, environment=world.environment())
    return time.monotonic() - begun


def seconds_without_changes(world: World) -> tuple[float, float]:
    """Of deploy.py with nothing to do, and of an empty one: medians of runs in turn, so that both see one machine."""
    with tempfile.NamedTemporaryFile(suffix=".py") as empty:
        pairs = [(seconds(world, "deploy.py"), seconds(world, empty.name)) for _ in range(RUNS)]
    full_runs, empty_runs = zip(*pairs, strict=True)
    return statistics.median(full_runs), statistics.median(empty_runs)


def baseline_seconds(world: World, files: bytes) -> float:
    """How long baseline.sh takes on a bare server, connecting and unpacking its files included."""
    begun = time.monotonic()
    with ssh() as client:
        output(client, "tar --extract --file - --directory /", files)
        output(client, f"sh -s -- {world.domain} v4.7.6 {addresses.SWAP_PATHS['server']} 256", BASELINE.read_bytes())
    return time.monotonic() - begun


def remote_commands(world: World) -> int:
    """How many commands and file transfers one run of deploy.py with nothing to do asks the server for."""
    server = world.server
    server.run(f"echo 'LogLevel VERBOSE' >{SSHD_SETTING} && systemctl reload ssh")
    try:
        begun = server.run("date +%s.%N").stdout.strip()
        seconds(world, "deploy.py")
        log = server.run(f"journalctl --sync && journalctl --since @{begun} --output cat").stdout
    finally:
        server.run(f"rm {SSHD_SETTING} && systemctl reload ssh")
    return log.count("Starting session: ")


def idle_memory_mib(world: World) -> float:
    """The sum over all processes of these containers."""
    ask = world.server.run
    filters = ("project=proxy", "project=mstdn --filter label=com.docker.compose.service=nginx")
    listed = "; ".join(f"docker ps --quiet --filter label=com.docker.compose.{each}" for each in filters)
    processes = [
        process
        for container in ask(listed).stdout.split()
        for process in ask(f"docker top {container} -eo pid").stdout.split()[1:]
    ]
    files = " ".join(f"/proc/{process}/smaps_rollup" for process in processes)
    return sum(map(int, ask(f"awk '$1 == \"Pss:\" {{ print $2 }}' {files}").stdout.split())) / 1024


@contextmanager
def ssh() -> Iterator[paramiko.SSHClient]:
    """Logged in to the server as its operator."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(STATE / "known_hosts"))
        client.connect(addresses.SERVERS["server"].ipv4, username="operator", key_filename=str(STATE / "operator"))
        yield client


def output(client: paramiko.SSHClient, command: str, data: bytes = b"") -> bytes:
    """What a command of root prints, given `data`. Raises RuntimeError with its last words if it fails."""
    stdin, stdout, stderr = client.exec_command(f"sudo {command}")
    stdin.write(data)
    stdin.channel.shutdown_write()
    printed = stdout.read()
    if stdout.channel.recv_exit_status() != 0:
        raise RuntimeError(f"{command} failed:\n{stderr.read().decode()}")
    return printed


if __name__ == "__main__":
    main()
