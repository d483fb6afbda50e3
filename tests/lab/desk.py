"""
An operator's own computer: a copy of the suite, an SSH key, and the lab's Internet around it.

The programs are this machine's and run unchanged, in a mount namespace in which /etc/resolv.conf names the lab's DNS.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab import addresses
from tests.lab.addresses import REPOSITORY, STATE
from tests.lab.commands import CommandError, Completed, run
from tests.lab.world import DEPLOY_SECONDS
from tests.stand_ins.accounts import KEYS

AUTHORITIES = STATE / "authorities.pem"
# What an operator's shell does not have: other clouds' logins, a proxy, authorities of this machine.
FOREIGN = ("AWS_", "GOOGLE_", "CLOUDSDK_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")
ENTER = 'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"'


class Desk:
    """`directory`: empty, becomes his home. The suite lies below it in `suite`, as a fresh clone would."""

    def __init__(self, directory: Path) -> None:
        self.home = directory
        self.suite = directory / "suite"
        self._resolver, self._switch = directory / "resolv.conf", directory / "nsswitch.conf"
        self._resolver.write_text(f"nameserver {addresses.INTERNET.ipv4}\n")
        self._switch.write_text("passwd: files\ngroup: files\nhosts: files dns\n")
        (directory / ".ssh").mkdir(mode=0o700)
        self.key = directory / ".ssh" / "id_ed25519"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "operator@desk", "-f", str(self.key)])
        _copy_of_the_suite(self.suite)

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the suite, such as "secrets.env"."""
        file = self.suite / name
        file.touch(mode=mode)
        file.write_text(text)

    def take_keys(self, google: Any, **more: str) -> None:
        """Have the keys of all providers, and `more` secrets. google: what stands in the key file of its account."""
        self.write("secrets.env", "".join(f"{name}='{value}'\n" for name, value in {**KEYS, **more}.items()), 0o600)
        file = self.home / "google.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(google))

    def pyinfra(self, *arguments: str, check: bool = True) -> Completed:
        """
        Run pyinfra as he types it, in the suite.

        Raises CommandError when `check` is set and the exit code is not 0.
        """
        return self.run("pyinfra", *arguments, check=check)

    def run(self, *command: str, check: bool = True) -> Completed:
        """Run a program with the lab's Internet around it. Raises CommandError as pyinfra() does."""
        completed = run(
            self.command(*command),
            check=False,
            timeout=DEPLOY_SECONDS,
            environment=self.environment(),
            directory=self.suite,
            title=" ".join(command),
        )
        if check and completed.returncode != 0:
            raise CommandError(" ".join(command), completed)
        return completed

    def command(self, *command: str) -> list[str]:
        """The command that runs this one with the lab's Internet around it."""
        namespaces = ["--mount"] if os.geteuid() == 0 else ["--mount", "--user", "--map-root-user"]
        return ["unshare", *namespaces, "sh", "-c", ENTER, "sh", str(self._resolver), str(self._switch), *command]

    def environment(self) -> Mapping[str, str]:
        """What stands in his shell: his login at Google, and the lab's authorities, as behind a company's proxy."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        trusted = {name: str(AUTHORITIES) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")}
        path = f"{Path(sys.executable).parent}:{own['PATH']}"
        login = {"GOOGLE_APPLICATION_CREDENTIALS": str(self.home / "google.json")}
        return {**own, **trusted, **login, "HOME": str(self.home), "PATH": path, "PYINFRA_PROGRESS": "off"}


def _copy_of_the_suite(directory: Path) -> None:
    """As it is here, also what is not committed yet, and nothing that git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = REPOSITORY / name, directory / name
        # The tests are the largest part, and none of an operator's business.
        if source.is_file() and not name.startswith("tests/"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
