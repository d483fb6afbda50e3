"""What the tests see of the lab: its machines, its mails, and pyinfra aimed at its servers."""

import email
import email.policy
import json
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests import forked
from tests.lab import addresses, inhabitants, lab, shells
from tests.lab.addresses import REPOSITORY
from tests.lab.commands import CommandError, Completed
from tests.lab.engine import Engine

INVENTORY = "tests/lab/inventory.py"
SMTP_PASSWORD = "lab-smtp-password"
BACKUP_PASSPHRASE = "a passphrase of the lab"
# Access key and secret key.
OBJECT_STORE, STORE_KEYS = "fsn1.your-objectstorage.com", ("mastodon:backup", "lab-s3-secret-key")
COMMAND_SECONDS = 120.0
DEPLOY_SECONDS = 1200
# Imports what each run would import.
IMPORTED = ("tests.lab.every_run",)


@dataclass(frozen=True)
class Machine:
    """One machine of the lab; commands run in it as root, past SSH and past pyinfra."""

    engine: Engine
    container: str

    def run(
        self,
        command: str,
        *,
        check: bool = True,
        stdin: str | bytes = b"",
        timeout: float = COMMAND_SECONDS,
    ) -> Completed:
        """
        Run a command line with sh; `timeout` is in seconds. Faster without `stdin`: see tests/lab/shells.py.

        Raises CommandError, with the last lines of output, when `check` is set and the exit code is not 0.
        """
        if not stdin:
            return shells.run(self.engine, self.container, command, check=check, timeout=timeout)
        arguments = ["exec", "--interactive", self.container, "sh", "-c", command]
        return self.engine.run(*arguments, stdin=stdin, check=check, timeout=timeout)

    def read(self, path: str) -> str:
        """The contents of a text file."""
        return self.run(f"cat {shlex.quote(path)}").stdout


@dataclass(frozen=True)
class Mail:
    """A mail that the lab's mail server took: the envelope and the message."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


@dataclass(frozen=True)
class Deployment:
    """
    What a run of pyinfra said.

    `report` is the JSON of --json: {"plan": [operation, ...], "results": None or {"operations": [operation, ...],
    "totals": {...}, ...}}; None when pyinfra gave up before it could write one, as it does when all hosts failed.
    """

    returncode: int
    report: dict[str, Any] | None
    stderr: str

    @property
    def planned(self) -> list[str]:
        """Names of the operations that would change something; conditional ones do not count."""
        operations = self.report["plan"] if self.report else []
        return [operation["name"] for operation in operations if operation["hosts_with_change"]]

    @property
    def changed(self) -> list[str]:
        """Names of the operations that changed something."""
        results = (self.report or {}).get("results") or {"operations": []}
        return [operation["name"] for operation in results["operations"] if operation["success"]]


class World:
    """
    The lab that is up, seen by somebody who has one of its servers.

    Raises LabError, which says how to bring it up, when it is not.
    """

    def __init__(self, name: str = "server") -> None:
        self.engine = lab.running()
        self.name, self.domain = name, addresses.DOMAINS[name]
        self.server = Machine(self.engine, inhabitants.SERVERS[name].container)
        self.visitor = Machine(self.engine, inhabitants.VISITOR.container)
        self.internet = Machine(self.engine, inhabitants.INTERNET.container)

    def add_server(self, name: str) -> Machine:
        """One more server, which is then also in the inventory; it stays until the lab is taken down."""
        # Not where it is up: that would replace what somebody changed the recipe of in the meantime, under other tests.
        if inhabitants.states(self.engine).get(name) != "running":
            lab.up(name)
        return Machine(self.engine, inhabitants.SERVERS[name].container)

    def reset(self, name: str = "") -> None:
        """Replace the server, or another one, by a fresh bare one."""
        lab.reset(name or self.name)

    def reboot(self) -> None:
        """Reboot the server and wait until systemd has started everything."""
        lab.reboot(self.name)

    def power_cut(self) -> None:
        """Take the server's power away, give it back, and wait until systemd has started everything."""
        lab.power_cut(self.name)

    def mails(self, to: str = "") -> list[Mail]:
        """
        All mails that were taken since the lab came up, oldest first.

        to: only those to this address; other servers of the lab have mails sent too.
        """
        lines = (json.loads(line) for line in self.internet.read("/var/mail/mails.jsonl").splitlines())
        return [
            Mail(
                line["sender"],
                tuple(line["recipients"]),
                email.message_from_string(line["content"], EmailMessage, policy=email.policy.default),
            )
            for line in lines
            if to in ("", *line["recipients"])
        ]

    def environment(self) -> dict[str, str]:
        """The environment in which to run pyinfra: ours, and the secrets of an operator of the lab."""
        return {**os.environ, "SMTP_PASSWORD": SMTP_PASSWORD, "BACKUP_PASSPHRASE": BACKUP_PASSPHRASE}

    def pyinfra_command(self, *arguments: str, options: Sequence[str]) -> list[str]:
        """The command that aims pyinfra at the lab's inventory; run it in REPOSITORY, with `environment`."""
        return [str(Path(sys.executable).parent / "pyinfra"), *options, INVENTORY, *arguments]

    def typed(
        self,
        *arguments: str,
        options: Sequence[str],
        environment: Mapping[str, str] | None = None,
        timeout: int = DEPLOY_SECONDS,
    ) -> Completed:
        """
        Run `pyinfra_command` to its end, with nobody to answer its questions and without a terminal.

        `environment` is another than `environment()`. Raises CommandError after `timeout` seconds.
        """
        program, *words = self.pyinfra_command(*arguments, options=options)
        ended = forked.pyinfra(words, self._surroundings(environment, timeout))
        completed = Completed(ended.stdout, ended.stderr, ended.returncode)
        if completed.returncode == -signal.SIGALRM:
            raise CommandError(f"{shlex.join([program, *words])}, ended after {timeout} s", completed)
        return completed

    def begin(self, *arguments: str, options: Sequence[str]) -> forked.Run:
        """The same, begun and not waited for."""
        _, *words = self.pyinfra_command(*arguments, options=options)
        return forked.begin(words, self._surroundings(None, DEPLOY_SECONDS))

    def _surroundings(self, environment: Mapping[str, str] | None, seconds: int) -> forked.Surroundings:
        environment = self.environment() if environment is None else environment
        return forked.Surroundings(IMPORTED, REPOSITORY, environment, seconds)

    def pyinfra(
        self,
        *arguments: str,
        apply: bool,
        check: bool = True,
        limit: str = "",
        environment: Mapping[str, str] | None = None,
        timeout: int = DEPLOY_SECONDS,
    ) -> Deployment:
        """
        Run pyinfra with --json, to change things (`apply`) or only to plan; `timeout` is in seconds.

        Raises CommandError when `check` is set and the exit code is not 0.
        """
        options = ["--limit", limit or self.name, "--json", *(["--yes"] if apply else [])]
        completed = self.typed(*arguments, options=options, environment=environment, timeout=timeout)
        if check and completed.returncode != 0:
            raise CommandError(" ".join(self.pyinfra_command(*arguments, options=options)), completed)
        last_line = completed.stdout.strip().rpartition("\n")[2]
        report = json.loads(last_line) if last_line.startswith("{") else None
        return Deployment(completed.returncode, report, completed.stderr)
