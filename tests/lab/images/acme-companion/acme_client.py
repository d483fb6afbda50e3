"""
Accounts and certificates of an ACME authority, kept where acme.sh keeps them.

The protocol is left to dehydrated and openssl, run as commands, so that nothing of it stays in memory. The layout,
the renewal rule and the messages that people look for are those of acme.sh 3.1.4.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

WEBROOT = "/usr/share/nginx/html"
CHALLENGES = f"{WEBROOT}/.well-known/acme-challenge"
SECONDS_A_DAY = 86400
CLIENT_TIMEOUT_SECONDS = 300
CURVES = {"ec-256": "P-256", "ec-384": "P-384", "ec-521": "P-521"}


class AcmeError(Exception):
    """The authority, or the way to it, refused; the text says why in one line."""


def say(message: str) -> None:
    """A line in the form of acme.sh's messages."""
    print(time.strftime("[%a %b %e %H:%M:%S %Z %Y]"), message, flush=True)


class Account:
    """An account with the authority at `directory_url`, under `home`, known by `email` ("" for none)."""

    def __init__(self, home: str, directory_url: str, email: str, ca_bundle: str) -> None:
        self.home = home
        self.directory_url = directory_url
        self.email = email
        self.ca_bundle = ca_bundle
        # The port of the URL is no part of the path: acme.sh cuts the host at the first colon.
        host, _, path = directory_url.partition("://")[2].partition("/")
        self.directory = f"{home}/ca/{host.partition(':')[0]}/{path}"
        self.file = f"{self.directory}/account.json"

    def ensure(self) -> None:
        """Register, or bring the contact up to date, where account.json says that it is needed. Raises AcmeError."""
        os.makedirs(self.directory, exist_ok=True)
        if not os.path.exists(self.file):
            say(f"Registering account: {self.directory_url}")
            self._run("--register", "--accept-terms")
            self._keep()
            say("Registered")
        with open(self.file) as file:
            known = f"mailto:{self.email}" in file.read()
        if self.email and not known:
            self._run("--account")
            self._keep()

    def _keep(self) -> None:
        """Copy the client's record of the account to where acme.sh has it."""
        (record,) = (
            path for each in os.scandir(self.directory) if os.path.exists(path := f"{each.path}/registration_info.json")
        )
        shutil.copyfile(record, f"{self.file}.new")
        os.chmod(f"{self.file}.new", 0o600)
        os.replace(f"{self.file}.new", self.file)

    def sign(self, request_file: str, profile: str) -> str:
        """The chain, leaf first, that the authority issues for a signing request. Raises AcmeError."""
        os.makedirs(CHALLENGES, exist_ok=True)
        return self._run("--signcsr", request_file, profile=profile).partition("# CERT #")[2].strip() + "\n"

    def _run(self, *arguments: str, profile: str = "") -> str:
        with self._configuration(profile) as configuration:
            command = ["dehydrated", "--config", configuration, *arguments]
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_SECONDS, check=False
                )
            except subprocess.TimeoutExpired as error:
                raise AcmeError(f"no end after {error.timeout} seconds") from None
        if done.returncode:
            raise AcmeError(_reason(done.stderr))
        return done.stdout

    @contextmanager
    def _configuration(self, profile: str) -> Iterator[str]:
        trust = f" --cacert {shlex.quote(self.ca_bundle)}" if self.ca_bundle else ""
        with tempfile.TemporaryDirectory() as directory:
            settings = {
                "CA": self.directory_url,
                "BASEDIR": directory,
                "ACCOUNTDIR": self.directory,
                "ACCOUNT_KEY_ALGO": "prime256v1",
                "ACME_PROFILE": profile,
                "CONTACT_EMAIL": self.email,
                "CURL_OPTS": f"--connect-timeout 10 --max-time 60{trust}",
                "WELLKNOWN": CHALLENGES,
            }
            path = f"{directory}/config"
            with open(path, "w") as file:
                file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
            yield path


def _reason(output: str) -> str:
    """What the authority said, in the client's output; else the client's own last word."""
    text = r'"((?:[^"\\]|\\.)*)"'
    for pattern, meaning in (
        (rf'"error","detail"\]\s+{text}', "Invalid status. Verification error details: "),
        (rf'"detail":\s*{text}', "Error: "),
        (r"ERROR: (.+)", "Error: "),
    ):
        if found := re.findall(pattern, output):
            return meaning + str(found[-1]).replace('\\"', '"')
    return (output.strip().splitlines() or ["no output"])[-1]


class Order:
    """A certificate for `domains` under `account`; its key has `key_size`: bits of RSA, or a curve such as ec-256."""

    def __init__(self, account: Account, domains: list[str], key_size: str) -> None:
        self.account = account
        self.domains = domains
        self.key_size = key_size
        suffix = "_ecc" if key_size in CURVES else ""
        self.directory = f"{account.home}/{domains[0]}{suffix}"
        self.key = f"{self.directory}/{domains[0]}.key"
        self.record = f"{self.directory}/{domains[0]}.conf"

    def next_renewal(self) -> float:
        """When these very domains are due again, in seconds since the epoch; 0 where they were never asked for."""
        entries = self._read()
        known = {entries.get("Le_Domain", ""), *entries.get("Le_Alt", "").split(",")}
        return float(entries.get("Le_NextRenewTime", "0")) if known == {*self.domains, *self._others()} else 0

    def issue(self, days: int, profile: str, *, new_key: bool) -> None:
        """Obtain the certificate and keep it, to be renewed a day before `days` are over. Raises AcmeError."""
        os.makedirs(self.directory, exist_ok=True)
        # acme.sh notes the domains before it has a certificate for them. So where another set of domains has one
        # that is not due, a failure is not made up for: the next round finds the domains unchanged.
        asked = {
            "Le_Domain": self.domains[0],
            "Le_Alt": ",".join(self._others()),
            "Le_Webroot": WEBROOT,
            "Le_API": self.account.directory_url,
            "Le_Keylength": self.key_size,
        }
        self._write(self._read() | asked)
        say(f"Using CA: {self.account.directory_url}")
        if new_key or not os.path.exists(self.key):
            self._make_key()
        request = f"{self.directory}/{self.domains[0]}.csr"
        names = ",".join(f"DNS:{domain}" for domain in self.domains)
        subject = ("-subj", f"/CN={self.domains[0]}", "-addext", f"subjectAltName={names}")
        _openssl("req", "-new", "-sha256", "-key", self.key, *subject, "-out", request)
        say(f"Single domain='{self.domains[0]}'" if len(self.domains) == 1 else f"Multi domain='{names}'")
        chain = self.account.sign(request, profile)
        leaf, end, others = chain.partition("-----END CERTIFICATE-----\n")
        for name, text in ((self.domains[0], leaf + end), ("ca", others.lstrip()), ("fullchain", chain)):
            with open(f"{self.directory}/{name}.cer", "w") as file:
                file.write(text)
        created = int(time.time())
        due = created + (days - 1) * SECONDS_A_DAY
        self._write(self._read() | {"Le_CertCreateTime": str(created), "Le_NextRenewTime": str(due)})
        say("Cert success.")

    def _read(self) -> dict[str, str]:
        """acme.sh's record of the domains, empty where there is none."""
        if not os.path.exists(self.record):
            return {}
        with open(self.record) as file:
            entries = (line.strip().partition("=") for line in file)
            return {name: value.strip("'") for name, _, value in entries}

    def _write(self, entries: dict[str, str]) -> None:
        with open(self.record, "w") as file:
            file.writelines(f"{name}='{value}'\n" for name, value in entries.items())

    def install(self, directory: str) -> None:
        """Copy key and certificates to where nginx reads them: over the old files, as acme.sh does."""
        sources = {"cert": self.domains[0], "chain": "ca", "fullchain": "fullchain"}
        for name, source in sources.items():
            shutil.copyfile(f"{self.directory}/{source}.cer", f"{directory}/{name}.pem")
        key = os.open(f"{directory}/key.pem", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with open(self.key, "rb") as source_file, open(key, "wb") as target_file:
            shutil.copyfileobj(source_file, target_file)

    def _make_key(self) -> None:
        if self.key_size in CURVES:
            kind = ("EC", "-pkeyopt", f"ec_paramgen_curve:{CURVES[self.key_size]}")
        else:
            kind = ("RSA", "-pkeyopt", f"rsa_keygen_bits:{self.key_size}")
        previous = os.umask(0o077)
        try:
            _openssl("genpkey", "-quiet", "-algorithm", *kind, "-out", self.key)
        finally:
            os.umask(previous)

    def _others(self) -> list[str]:
        return self.domains[1:] or ["no"]


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
