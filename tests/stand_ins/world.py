"""All stand-ins together, and what an operator has on his computer: a home, an SSH key, the providers' keys."""

from __future__ import annotations

from pathlib import Path

from mstdn.cloud import google as cloud_google
from mstdn.cloud import http
from mstdn.dns import route53 as dns_route53
from tests.stand_ins.accounts import KEYS, Accounts
from tests.stand_ins.internet import ProxiedInternet
from tests.stand_ins.names import Names

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUvXUZs9Tm7tZqA2lm6PYPDIZyTGxIxnfJkm9d4O1bq operator@desk"


class World:
    """`directory`: for files. The zone example.org exists and is delegated; nobody has it in an account yet."""

    def __init__(self, directory: Path):
        self.names = Names()
        self.internet = ProxiedInternet(directory)
        self.home = directory / "home"
        (self.home / ".ssh").mkdir(parents=True)
        (self.home / ".ssh" / "id_ed25519.pub").write_text(f"{PUBLIC_KEY}\n")
        # It is made for a proxy, and takes long to make.
        dns_route53._client_and_key.cache_clear()
        self.renew()
        self.google_key = self.google.key_file(directory)
        self.names.start()
        self.internet.start()

    def renew(self) -> None:
        """Every account is empty again, and nothing was ever asked."""
        self.names.forget()
        self.names.add_zone("example.org", ("ns1.example.org", "127.0.0.2"), ("ns2.example.org", "127.0.0.3"))
        self.accounts = Accounts(self.names)
        self.hetzner, self.google = self.accounts.hetzner, self.accounts.google
        self.cloudflare, self.route53 = self.accounts.cloudflare, self.accounts.route53
        self.sparkpost, self.sparkpost_eu = self.accounts.sparkpost, self.accounts.sparkpost_eu
        self.internet.revive()
        self.internet.journal.clear()
        # What a run remembers must not outlive it.
        http.session_with.cache_clear()
        cloud_google._login.cache_clear()
        self.internet.sites = self.accounts.sites

    def stop(self) -> None:
        self.internet.stop()
        self.names.stop()

    def settle(self) -> None:
        """Time passes: what the providers accepted is done."""
        self.accounts.settle()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run."""
        return self.internet.environment | KEYS | {"HOME": str(self.home), "AWS_EC2_METADATA_DISABLED": "true"}

    @property
    def resolver(self) -> str:
        """For dns_resolvers."""
        return f"127.0.0.1#{self.names.port}"
