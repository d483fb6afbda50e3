"""
Speed and size of the suite, measured in the lab, one "name: value" per line; those of TARGETS say whether they are met.

    python -m tests.lab.bench            all of them, about six minutes
    python -m tests.lab.bench backups    those of backups only, on the server as it is, deployed first where it is bare

bare_to_verified_seconds         from a bare server to the end of deploy.py, whose last task visits the site
baseline_shell_seconds           the same for baseline.sh, sent with its files through one SSH connection
bare_ratio                       the first over the second
second_run_seconds               deploy.py when there is nothing to do, the median of several runs
empty_deploy_seconds             a deploy.py with nothing in it, on the same host, the median of as many, taken in turn
second_run_ratio                 the first over the second
second_run_remote_commands       sessions that the server's sshd opened for one such run of deploy.py, as it logs at
                                 LogLevel VERBOSE
plan_remote_commands             the same for a plan (--dry)
link_100ms_second_run_seconds    deploy.py when there is nothing to do, where every byte between this machine and the
                                 server, of SSH and of the visit at the end, is 50 ms under way; the median of several
link_100ms_empty_deploy_seconds  the empty one over the same line
idle_memory_mib                  what stands around Mastodon, PostgreSQL and Redis: the proportional set size (PSS) of
                                 every process of the proxy's containers and of the inner nginx
backup_seconds                   tasks/backup.py where MEDIA_MB of uploads are new, half of them random, half easy to
                                 compress, into a directory of the server
backup_seconds_per_gb            of that: reading, compressing, encrypting and writing, by GB of what is new
backup_failed_visits             of visitors who ask without pause meanwhile: requests without a good answer
backup_longest_gap_seconds       the longest time in which one of them got none; it is an answer's own time at least
restore_seconds                  tasks/restore.py where an instance lives and those uploads are gone
restore_seconds_per_gb           of that: bringing the uploads back, by GB
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import paramiko

from mstdn import versions
from mstdn.layout import MASTODON
from tests.e2e.instance import Instance
from tests.e2e.visitors import visitors_without_pause
from tests.lab import addresses
from tests.lab.addresses import REPOSITORY, STATE
from tests.lab.commands import LabError, run
from tests.lab.relay import relay
from tests.lab.world import World

BASELINE = Path(__file__).with_name("baseline.sh")
RUNS = 5
LINK_SECONDS = 0.05  # each way
LINK_PORTS = (22, 80, 443)  # what a run visits: the rest of its questions are to closed ports
TARGETS = {
    "bare_ratio": 1.25,
    "second_run_ratio": 2.0,
    "second_run_remote_commands": 6,
    "plan_remote_commands": 6,
    "link_100ms_second_run_seconds": 3.0,
    "idle_memory_mib": 80,
    "backup_seconds_per_gb": 60,
    "backup_failed_visits": 0,
    "backup_longest_gap_seconds": 1.0,
    "restore_seconds_per_gb": 60,
}
BACKUPS, MEDIA, MEDIA_MB = "/srv/backups-of-bench", "/srv/mastodon/media/bench", 200
# Pictures have some hundred KB each.
MAKE_MEDIA = f"""
set -eu
rm -rf {MEDIA} && mkdir {MEDIA} && cd {MEDIA}
head -c {MEDIA_MB * 500_000} /dev/urandom | split --bytes=200KB --suffix-length=4 - random-
seq 1 100000000 | head -c {MEDIA_MB * 500_000} | split --bytes=200KB --suffix-length=4 - text-
chown -R {MASTODON} .
"""
# What the suite wrote and baseline.sh does not: taken from the server, so that both start the same containers.
DIRECTORIES = (
    *(f"srv/mastodon/{name}" for name in ("", "assets", "database", "media", "redis", "scratch", "secrets", "state")),
    *(f"srv/proxy/{name}" for name in ("", "acme", "certs", "conf.d", "html", "htpasswd")),
)
FILES = (
    *("etc/apt/sources.list.d/docker.sources", "etc/docker/daemon.json"),
    *(f"srv/mastodon/{name}" for name in ("compose.yaml", "mastodon.env", "nginx", "postgres", "streaming.env")),
    *("srv/mastodon/secrets/operator.env", "srv/mastodon/state/images"),
    *(f"srv/proxy/{name}" for name in ("ca-bundle", "compose.yaml", "nginx.conf", "vhost.d")),
)
SUMS = f"cd {MEDIA} && find . -type f | sort | xargs sha256sum | sha256sum"
SSHD_SETTING = "/etc/ssh/sshd_config.d/bench.conf"


def main() -> None:
    """Measure, then print."""
    # The lab tells on standard output what it does.
    with redirect_stdout(sys.stderr):
        figures = backup_figures(deployed_world()) if sys.argv[1:] == ["backups"] else measure()
    for name, figure in figures.items():
        print(f"{name}: {figure}{verdict(name, float(figure))}")


def verdict(name: str, figure: float) -> str:
    """What to print after a figure that has a target."""
    if name not in TARGETS:
        return ""
    return f"  (target: at most {TARGETS[name]}, {'met' if figure <= TARGETS[name] else 'NOT met'})"


def measure() -> dict[str, str]:
    """Every figure by its name; about six minutes."""
    world = World()
    world.reset()
    bare = seconds(world, "deploy.py")
    with ssh() as client:
        paths = f"--no-recursion {' '.join(DIRECTORIES)} --recursion {' '.join(FILES)}"
        files = output(client, f"tar --create --file - --directory / {paths}")
    memory = idle_memory_mib(world)
    second, empty = seconds_without_changes(world)
    commands, plan_commands = (remote_commands(world, options) for options in (["--yes"], ["--dry"]))
    link_second, link_empty = seconds_over_a_long_line(world)
    backups = backup_figures(world)
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
        "plan_remote_commands": str(plan_commands),
        "link_100ms_second_run_seconds": f"{link_second:.2f}",
        "link_100ms_empty_deploy_seconds": f"{link_empty:.2f}",
        "idle_memory_mib": f"{memory:.1f}",
        **backups,
    }


def seconds(
    world: World,
    file: str,
    *,
    options: Sequence[str] = ("--yes",),
    program: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> float:
    """
    How long a run of pyinfra takes, its own start included. Raises CommandError if it fails.

    `program` stands in for pyinfra; `environment` is added to its environment.
    """
    pyinfra, *arguments = world.pyinfra_command(file, options=["--limit", world.name, *options])
    begun = time.monotonic()
    run(
        [*(program or (pyinfra,)), *arguments],
        directory=REPOSITORY,
        environment=world.environment() | dict(environment or {}),
    )
    return time.monotonic() - begun


def seconds_without_changes(
    world: World, program: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> tuple[float, float]:
    """Of deploy.py with nothing to do, and of an empty one: medians of runs in turn, so that both see one machine."""

    def one(file: str) -> float:
        return seconds(world, file, program=program, environment=environment)

    with tempfile.NamedTemporaryFile(suffix=".py") as empty:
        pairs = [(one("deploy.py"), one(empty.name)) for _ in range(RUNS)]
    full_runs, empty_runs = zip(*pairs, strict=True)
    return statistics.median(full_runs), statistics.median(empty_runs)


def seconds_over_a_long_line(world: World) -> tuple[float, float]:
    """
    The same, where the server is LINK_SECONDS away in each direction.

    Raises LabError when a run did not use the line: it then visits the server in a way that is not led over it.
    """
    host = addresses.SERVERS[world.name].ipv4
    with relay(host, LINK_PORTS, LINK_SECONDS) as line:
        distance = json.dumps({"host": host, "round_trip": 2 * LINK_SECONDS, "ports": line.ports})
        program = (sys.executable, "-m", "tests.lab.distant")
        figures = seconds_without_changes(world, program, {"LAB_DISTANCE": distance})
    if not all(line.visits.values()):
        raise LabError(f"Nothing came over the line to some ports of the server: {line.visits}")
    return figures


def baseline_seconds(world: World, files: bytes) -> float:
    """How long baseline.sh takes on a bare server, connecting and unpacking its files included."""
    begun = time.monotonic()
    with ssh() as client:
        output(client, "tar --extract --file - --directory /", files)
        output(
            client,
            f"sh -s -- {world.domain} {versions.MASTODON} {addresses.SWAP_PATHS['server']} {addresses.SWAP_MIB}",
            BASELINE.read_bytes(),
        )
    return time.monotonic() - begun


def remote_commands(world: World, options: Sequence[str]) -> int:
    """How many commands and file transfers deploy.py asks the server for, with these options and nothing to do."""
    server = world.server
    server.run(f"echo 'LogLevel VERBOSE' >{SSHD_SETTING} && systemctl reload ssh")
    try:
        begun = server.run("date +%s.%N").stdout.strip()
        seconds(world, "deploy.py", options=options)
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


def deployed_world() -> World:
    """The lab's server, converged."""
    world = World()
    seconds(world, "deploy.py")
    return world


def backup_figures(world: World) -> dict[str, str]:
    """
    What a backup and a restore of a deployed server take, and what visitors notice of the backup.

    Raises LabError when what was restored is not what was there.
    """
    server, instance = world.server, Instance(world)
    options = ["--yes", "--data", f"backup_repository={json.dumps(BACKUPS)}"]
    server.run(f"rm -rf {BACKUPS}")
    try:
        seconds(world, "deploy.py", options=options)
        server.run(MAKE_MEDIA)
        made = server.run(SUMS).stdout
        with visitors_without_pause(instance, instance.token("bench")) as seen:
            backup = seconds(world, "tasks/backup.py", options=options)
        sending = step_seconds(world, "mstdn-backup", "4 of 5", "5 of 5")
        server.run(f"rm -rf {MEDIA}")
        restore = seconds(world, "tasks/restore.py", options=[*options, "--data", 'replace="yes"'])
        bringing = step_seconds(world, "mstdn-restore", "2 of 5", "3 of 5")
        if server.run(SUMS).stdout != made:
            raise LabError(f"What lies in {MEDIA} after the restore is not what was backed up.")
    finally:
        server.run(f"rm -rf {MEDIA} {BACKUPS}")
        seconds(world, "deploy.py")
    return {
        "backup_seconds": f"{backup:.1f}",
        "backup_seconds_per_gb": f"{sending / MEDIA_MB * 1000:.1f}",
        "backup_failed_visits": str(len(seen.failed)),
        "backup_longest_gap_seconds": f"{seen.longest_gap:.2f}",
        "restore_seconds": f"{restore:.1f}",
        "restore_seconds_per_gb": f"{bringing / MEDIA_MB * 1000:.1f}",
    }


def step_seconds(world: World, unit: str, begin: str, end: str) -> float:
    """How long a program of the server was at something, by the lines with which it began that and what followed."""
    lines = world.server.run(f"journalctl --identifier {unit} --output short-unix --quiet").stdout.splitlines()
    times = {mark: [float(line.split()[0]) for line in lines if f": {mark}: " in line][-1] for mark in (begin, end)}
    return times[end] - times[begin]


@contextmanager
def ssh() -> Iterator[paramiko.SSHClient]:
    """Logged in to the server as its operator."""
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(STATE / "known_hosts"))
        client.connect(addresses.SERVERS["server"].ipv4, username="operator", key_filename=str(STATE / "operator"))
        yield client


def output(client: paramiko.SSHClient, command: str, data: bytes = b"") -> bytes:
    """What a command of root prints, given `data`. Raises RuntimeError with the end of its output if it fails."""
    stdin, stdout, stderr = client.exec_command(f"sudo {command}")
    stdin.write(data)
    stdin.channel.shutdown_write()
    printed = stdout.read()
    if stdout.channel.recv_exit_status() != 0:
        raise RuntimeError(f"{command} failed:\n{stderr.read().decode()}")
    return printed


if __name__ == "__main__":
    main()
