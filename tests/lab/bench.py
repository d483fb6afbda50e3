"""
The figures of speed and size, measured in one run in the lab, one "name: value" per line: python -m tests.lab.bench

Everything is warm: the lab's images exist and its Internet is up. What each figure is:

    bare_to_verified_seconds    pyinfra deploy.py --yes on a bare server, until its visit of the site succeeded
    baseline_shell_seconds      tests/lab/baseline.sh on another bare server with the same files, until the visit does
    bare_ratio                  the first by the second; to be at most 1.25
    second_run_seconds          deploy.py --yes on the converged server: median of RUNS
    empty_deploy_seconds        the same with an empty file instead of deploy.py, in turn with it
    second_run_ratio            the first by the second; to be at most 4
    second_run_remote_commands  how many commands sshd says it started for one run that changes nothing; at most 40
    idle_memory_mib             what the proxy's containers and the inner nginx take: proportional set size; at most 80
"""

import io
import json
import runpy
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from mstdn.files import ConfigDirectory, ConfigFile
from mstdn.settings import Settings, examine
from mstdn.sizing import sizing_for
from mstdn.stack import mastodon_stack, proxy_stack
from mstdn.visit import Visitor, patiently
from tests.lab.commands import LabError
from tests.lab.world import INVENTORY, REPOSITORY, World

RUNS = 5
SITE_SECONDS = 300


def main() -> None:
    """Measure and print, slowest first, so that a reader sees something happen."""
    world = World()
    settings = _settings()

    world.reset()
    first = _seconds(lambda: _deploy(world, "deploy.py"))
    _print("bare_to_verified_seconds", first)
    idle = _idle_memory_mib(world)

    second, empty = [], []
    with tempfile.NamedTemporaryFile(suffix=".py") as nothing:
        for _ in range(RUNS):
            empty.append(_seconds(lambda: _deploy(world, nothing.name)))
            second.append(_seconds(lambda: _deploy(world, "deploy.py")))
    commands = _remote_commands(world)

    world.reset()
    baseline = _seconds(lambda: _by_hand(world, settings))
    _print("baseline_shell_seconds", baseline)
    _print("bare_ratio", first / baseline)
    _print("second_run_seconds", median(second))
    _print("empty_deploy_seconds", median(empty))
    _print("second_run_ratio", median(second) / median(empty))
    print(f"second_run_remote_commands: {commands}", flush=True)
    _print("idle_memory_mib", idle)
    world.reset()


def _print(name: str, value: float) -> None:
    print(f"{name}: {value:.2f}", flush=True)


def _seconds(action: Callable[[], object]) -> float:
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def _deploy(world: World, file: str) -> None:
    command = world.pyinfra_command(file, options=["--limit", "server", "--yes"])
    done = subprocess.run(
        command, cwd=REPOSITORY, env=world.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")


def _settings() -> Settings:
    inventory = runpy.run_path(str(REPOSITORY / INVENTORY))
    settings, problems = examine(dict(inventory["lab"])["server"])
    if settings is None:
        raise LabError(f"The lab's settings are not valid: {problems}")
    return settings


def _by_hand(world: World, settings: Settings) -> None:
    """Put the same files in place, run the plain script, and visit the site as the suite does."""
    memory_kib = int(world.server.run("awk '$1 == \"MemTotal:\" { print $2 }' /proc/meminfo").stdout)
    world.server.run("tar -x -C /", stdin=_archive(settings, memory_kib // 1024))
    script = (Path(__file__).parent / "baseline.sh").read_text()
    world.server.run(
        f"sh -s {settings.mastodon_version} {settings.swap_size_mib} {settings.swap_path}", stdin=script, timeout=1200
    )
    visitor = Visitor(
        settings.site_domain,
        settings.public_ipv4,
        settings.acme_ca_bundle,
        settings.mastodon_version.removeprefix("v"),
    )
    deadline = time.monotonic() + SITE_SECONDS
    for check in (visitor.certificate, visitor.health, visitor.instance_version, visitor.streaming):
        if trouble := patiently(check, deadline):
            raise LabError(f"The site made by hand is not well: {trouble}")


def _archive(settings: Settings, memory_mib: int) -> bytes:
    """Both projects' files with their owners and modes, sized for this memory, as a tar file."""
    stacks = (mastodon_stack(settings, sizing_for(memory_mib, settings)), proxy_stack(settings, ipv6=True))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for stack in stacks:
            everything: tuple[ConfigDirectory | ConfigFile, ...] = (*stack.directories, *stack.files)
            for each in everything:
                content = b"" if isinstance(each, ConfigDirectory) else each.text.encode()
                member = tarfile.TarInfo(each.path.lstrip("/"))
                member.type = tarfile.DIRTYPE if isinstance(each, ConfigDirectory) else tarfile.REGTYPE
                member.mode = int(each.mode, 8)
                member.uid, member.gid = (int(number) for number in each.owner.split(":"))
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _remote_commands(world: World) -> int:
    """Count what sshd logs at LogLevel VERBOSE: "Starting session: command …" for each command that it starts."""
    world.server.run(
        "echo 'LogLevel VERBOSE' >/etc/ssh/sshd_config.d/bench.conf && systemctl reload ssh && journalctl --rotate"
        " && journalctl --vacuum-time=1s --quiet"
    )
    _deploy(world, "deploy.py")
    return int(world.server.run("journalctl --unit ssh | grep -c 'Starting session: command'").stdout)


def _idle_memory_mib(world: World) -> float:
    """What the kernel counts of each process in these containers; a page that several share counts in parts."""
    listed = world.server.run(
        "docker ps --format json --filter label=com.docker.compose.project=proxy;"
        " docker ps --format json --filter name=mstdn-nginx"
    ).stdout
    names = " ".join(json.loads(line)["Names"] for line in listed.splitlines())
    total = world.server.run(
        f"for name in {names}; do docker top $name -o pid | tail -n +2; done"
        " | while read -r pid; do awk '$1 == \"Pss:\" { print $2 }' /proc/$pid/smaps_rollup; done"
        " | awk '{ sum += $1 } END { print sum }'"
    ).stdout
    return int(total) / 1024


if __name__ == "__main__":
    main()
