"""The instance on a server of the lab, as operator and visitors reach it; nothing here uses the suite's own facts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mstdn import versions
from mstdn.layout import DEPLOYMENT
from tests.forked import Run
from tests.lab.commands import CommandError, end_of
from tests.lab.world import Deployment, Machine, World

SECRET_NAMES = (
    "SECRET_KEY_BASE",
    "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY",
    "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT",
    "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
    "VAPID_PRIVATE_KEY",
    "VAPID_PUBLIC_KEY",
    "POSTGRES_PASSWORD",
    "DB_PASS",
    "REDIS_PASSWORD",
)
# What Mastodon itself tells every browser.
PUBLIC_NAMES = ("VAPID_PUBLIC_KEY",)
ARGUMENTS_FILE = "/run/arguments-of-all-processes"
SECRETS_FILE = "/srv/mastodon/secrets/instance.env"
SERVICES = {
    "mstdn": ("db", "redis", "web", "streaming", "sidekiq", "nginx"),
    "proxy": ("nginx", "docker-gen", "acme-companion", "socket-proxy"),
}
# What "docker ps" says of their containers, and not of one that runs a command and ends.
OF_SERVICES = "--filter label=com.docker.compose.oneoff=False"


@dataclass(frozen=True)
class Response:
    """An answer to a visitor; `headers` are (lower-case name, value) in their order, repeated ones too."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    def header(self, name: str) -> str:
        """The values of all headers of this name, joined; "" without one."""
        return ", ".join(value for found, value in self.headers if found == name.lower())


def with_settings(settings: Mapping[str, Any]) -> list[str]:
    """pyinfra's arguments that replace these settings for one run."""
    return [part for name, value in settings.items() for part in ("--data", f"{name}={json.dumps(value)}")]


def said_until(run: Run, words: str) -> str:
    """What the run says up to the line with these words."""
    said = ""
    while words not in said:
        line = run.stdout.readline()
        assert line, said
        said += line
    return said


def _only_one(project: str, service: str) -> str:
    """A shell command that puts the ID of a service's container into $1. It fails where there is none, or several."""
    labels = (f"com.docker.compose.project={project}", f"com.docker.compose.service={service}")
    found = f"docker ps --all --quiet --no-trunc {OF_SERVICES} {' '.join(f'--filter label={each}' for each in labels)}"
    return f"set -- $({found}) && {{ [ $# = 1 ] || {{ echo {project}/{service} has $# containers >&2; false; }}; }}"


class Said(str):
    """What a run has said. Where a test fails, its end is shown: there stands why the run did."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'… {end_of(self)}'"


class Instance:
    """`host` is the server's name in the inventory; the world's own server, name and domain by default."""

    def __init__(self, world: World, server: Machine | None = None, host: str = "", domain: str = "") -> None:
        self.world = world
        self.server = server or world.server
        self.host = host or world.name
        self.domain = domain or world.domain

    # The operator's side

    def converge(self, *files: str, **settings: Any) -> Deployment:
        """Run deploy.py, or these files, with these settings changed. Raises CommandError if it fails."""
        return self._pyinfra(files, settings, apply=True, check=True)

    def plan(self, *files: str, **settings: Any) -> Deployment:
        """Only look. Raises CommandError if that fails."""
        return self._pyinfra(files, settings, apply=False, check=True)

    def refusal(self, *files: str, **settings: Any) -> Said:
        """Run with --yes and see it fail, in order: exit code 1, no traceback. Returns what it said."""
        run = self._pyinfra(files, settings, apply=True, check=False)
        assert run.returncode == 1, f"exit code {run.returncode}, changed {run.changed}:\n{run.stderr}"
        assert "Traceback" not in run.stderr, run.stderr
        return Said(run.stderr)

    def begin(self, *files: str, **settings: Any) -> Run:
        """Begin to run deploy.py, or these files, with --yes. What it says comes by its standard output."""
        arguments = [*(files or ("deploy.py",)), *with_settings(settings)]
        return self.world.begin(*arguments, options=["--limit", self.host, "--yes"])

    def _pyinfra(self, files: tuple[str, ...], settings: Mapping[str, Any], *, apply: bool, check: bool) -> Deployment:
        arguments = [*(files or ("deploy.py",)), *with_settings(settings)]
        return self.world.pyinfra(*arguments, apply=apply, check=check, limit=self.host)

    # The server's side

    def run(self, command: str, *, check: bool = True, stdin: str = "") -> str:
        """Output of a command line run by root on the server."""
        return self.server.run(command, check=check, stdin=stdin).stdout

    def succeeds(self, command: str) -> bool:
        """Whether a command line run by root on the server ends with 0."""
        return self.server.run(command, check=False).returncode == 0

    def container(self, project: str, service: str) -> str:
        """The ID of the one container of a service."""
        return self.run(f'{_only_one(project, service)} && echo "$1"').strip()

    def inspect(self, project: str, service: str) -> dict[str, Any]:
        """What `docker inspect` says of a service's container."""
        (found,) = json.loads(self.run(f'{_only_one(project, service)} && docker inspect "$1"'))
        assert isinstance(found, dict)
        return found

    def inspect_all(self) -> dict[str, dict[str, Any]]:
        """The same for every container of both projects, by "project/service"."""
        found = json.loads(self.run(f"docker inspect $(docker ps --all --quiet {OF_SERVICES})"))
        labels = "com.docker.compose.project", "com.docker.compose.service"
        names = ["/".join(each["Config"]["Labels"][label] for label in labels) for each in found]
        wanted = [f"{project}/{service}" for project, services in SERVICES.items() for service in services]
        assert all(names.count(service) == 1 for service in wanted), f"not one for each service: {sorted(names)}"
        return {service: found[names.index(service)] for service in wanted}

    def inside(self, project: str, service: str, command: str, *, check: bool = True) -> str:
        """Output of a command line run by sh in a service's container, as the user that the service runs as."""
        run = f'{_only_one(project, service)} && docker exec "$1" sh -c {shlex.quote(command)}'
        return self.run(run, check=check)

    def started(self) -> dict[str, str]:
        """When each container of both projects was started, by "project/service"."""
        return {service: str(each["State"]["StartedAt"]) for service, each in self.inspect_all().items()}

    def secrets(self) -> dict[str, str]:
        """The instance's secrets by name, as far as the file has them."""
        lines = self.run(f"grep -v ^# {SECRETS_FILE}", check=False).splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    # The visitor's side

    def visit(self, path: str, *options: str, scheme: str = "https", stdin: str | bytes = b"") -> Response:
        """One request with curl from the visitor's machine."""
        url = shlex.quote(f"{scheme}://{self.domain}{path}")
        # "Expect:" so that curl sends a body at once, and there is one answer only.
        command = f"curl --silent --show-error --include --max-time 60 --header Expect: {shlex.join(options)} {url}"
        head, _, body = self.world.visitor.run(command, stdin=stdin).stdout.partition("\r\n\r\n")
        status, *headers = head.split("\r\n")
        pairs = (header.partition(":") for header in headers)
        return Response(int(status.split()[1]), tuple((name.lower(), value.strip()) for name, _, value in pairs), body)

    def serves(self, path: str = "/health") -> bool:
        """Whether a visitor gets this page now; a server that comes up may not even have his name yet."""
        try:
            return self.visit(path).status == 200
        except CommandError:
            return False

    def deployment_says(self, words: str) -> bool:
        """Whether the unit of deployments is at work, and has said so since it began."""
        this = f"$(systemctl show --property InvocationID --value {DEPLOYMENT})"
        said = f"journalctl _SYSTEMD_INVOCATION_ID={this} --output cat"
        state = self.run(f"systemctl show --property ActiveState --value {DEPLOYMENT}").strip()
        return state == "activating" and self.succeeds(f"{said} | grep -qF {words!r}")

    def token(self, name: str) -> str:
        """An access token of the account of this name, made as an administrator would; it may be there already."""
        create = f"bin/tootctl accounts create {name} --email {name}@example.org --confirmed --approve"
        printed = self.inside("mstdn", "web", f"{create} || bin/tootctl accounts modify {name} --reset-password")
        password = printed.split("New password: ")[1].split()[0]
        form = ("--data-urlencode", f"email={name}@example.org", "--data-urlencode", f"password={password}")
        answer = self.visit("/_lab/token", *form)
        assert answer.status == 200, answer
        return str(json.loads(answer.body)["access_token"])


@contextmanager
def recorded_arguments(instance: Instance) -> Iterator[None]:
    """Keep in ARGUMENTS_FILE what any user of the server could read in the meantime with `ps`, five times a second."""
    look = f"while :; do cat /proc/[0-9]*/cmdline; sleep 0.2; done >>{ARGUMENTS_FILE} 2>/dev/null"
    recorder = instance.run(f"setsid sh -c {shlex.quote(look)} </dev/null >/dev/null 2>&1 & echo $!").strip()
    try:
        yield
    finally:
        instance.run(f"kill {recorder}")


@contextmanager
def throw_away_container(
    instance: Instance, options: str = "", *, image: str = versions.NGINX_IMAGE, command: str = "sleep 120"
) -> Iterator[str]:
    """A container of nobody's project, by default from the image that the server has for nginx; removed at the end."""
    container = instance.run(f"docker run --detach --rm {options} {image} {command}").strip()
    try:
        yield container
    finally:
        instance.run(f"docker rm --force {container}")
