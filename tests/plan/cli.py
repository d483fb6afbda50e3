"""pyinfra's own command line in a process of its own, on hosts that only exist in its @fake connector."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests import forked
from tests.harness import REQUIRED, ROOT

LONGEST_RUN_SECONDS = 120

# A bare Debian 13 with all that preflight wants: what mstdn/preflight/report.sh prints there.
BARE_SERVER = """\
system debian 13
architecture amd64
init systemd
memory 4032848
disk /srv/mastodon 40000000 /
disk /var/lib/docker 40000000 /
disk /swap 40000000 /
directories /srv/mastodon /srv/proxy
addresses 198.51.100.7
answer {domain} 198.51.100.7
clock {clock}
"""

BARE_SERVER_ANSWERS = {
    "docker/setup": "absent\n",
    "docker/state": "codename debian trixie\narchitecture amd64\nactive inactive\nenabled not-found\n",
    "sizing/state": "memory 4032848\n",
    "firewall/setup": "socket tcp 0.0.0.0 22 (ssh)\n",
}

INVENTORY = """\
import time

from tests.harness import fake_responses
from tests.plan.cli import BARE_SERVER, BARE_SERVER_ANSWERS


def host(name, settings):
    report = BARE_SERVER.format(domain=settings.get("local_domain"), clock=int(time.time()))
    answers = BARE_SERVER_ANSWERS | {{"preflight/report": report}} | settings.pop("answers", {{}})
    responses = settings.pop("fake_responses", None) or fake_responses(settings, answers)
    return name, {{"fake_delay": 0, "fake_delay_jitter": 0, "fake_responses": responses, **settings}}


servers = [host(name, settings) for name, settings in {hosts!r}.items()]
"""

# What each run of this suite does anyway. Not the packages of provisioning: runs are tried without those, too.
OF_THE_SUITE = ("mstdn.connection", "tests.plan.every_run")
# What a suite elsewhere may share with this one: packages that the components use, and nothing of the suite.
OF_ANY_SUITE = ("jinja2", "pydantic", "requests")


@dataclass(frozen=True)
class Run:
    """What a run of pyinfra left behind."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """All that a person would have seen."""
        return self.stdout + self.stderr

    @cached_property
    def json(self) -> dict[str, Any]:
        """What --json printed. A run that printed none fails the test with all its output."""
        lines = self.stdout.strip().splitlines()
        assert lines and lines[-1].startswith("{"), f"no JSON, exit code {self.returncode}:\n{self.text}"
        found = json.loads(lines[-1])
        assert isinstance(found, dict)
        return found

    @property
    def planned(self) -> dict[str, list[str]]:
        """Hosts by the name of each operation that would change them."""
        return {each["name"]: each["hosts_with_change"] for each in self.json["plan"] if each["hosts_with_change"]}


def write_inventory(directory: Path, hosts: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """An inventory of bare servers with these settings over the required ones; one server if nothing is said."""
    file = directory / "inventory.py"
    settings = {name: REQUIRED | dict(values) for name, values in (hosts or {"@fake/bare": {}}).items()}
    file.write_text(INVENTORY.format(hosts=settings))
    return file


def pyinfra(
    *arguments: str | Path,
    directory: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    without: Collection[str] = (),
) -> Run:
    """
    Run pyinfra in the directory of a suite, with nobody to answer its questions.

    environment: variables beside those of this process, of which those named in `without` are left out.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in without}
    variables = inherited | {"PYINFRA_PROGRESS": "off"} | dict(environment or {})
    imported = OF_THE_SUITE if directory == ROOT else OF_ANY_SUITE
    surroundings = forked.Surroundings(imported, directory, variables, LONGEST_RUN_SECONDS)
    ended = forked.pyinfra([str(each) for each in arguments], surroundings)
    return Run(ended.returncode, ended.stdout, ended.stderr)
