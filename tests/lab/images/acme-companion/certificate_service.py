"""
Keeps the certificates of all running containers: what acme-companion's letsencrypt_service does.

Usage: certificate_service.py [--force-renew]. Facts are from app/letsencrypt_service.sh of acme-companion 2.8.2.
"""

from __future__ import annotations

import json
import os
import sys
import time

from acme_client import Account, AcmeError, Order, say
from companion import CERTIFICATES, VERSION, find_container, give, is_true, own_environment, reload_proxy
from docker_engine import Engine, EngineError, endpoint_from_environment
from service_data import SERVICE_DATA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY_SIZES = ("2048", "3072", "4096", "8192", "ec-256", "ec-384", "ec-521")
STAGING_URI = "https://acme-staging-v02.api.letsencrypt.org/directory"
LINK_TARGETS = {".crt": "fullchain.pem", ".key": "key.pem", ".chain.pem": "chain.pem"}


class CertificateService:
    """Obtains what is asked for, links it under each host's name, and takes away links that nobody asks for."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.should_reload = False

    def update(self, *, force: bool = False) -> None:
        """One round over all containers; `force` renews what is not due."""
        if not self._proxy_is_running():
            return
        self.should_reload = False
        wishes: list[dict[str, Any]] = []
        known = os.path.exists(SERVICE_DATA)
        if known:
            with open(SERVICE_DATA) as file:
                wishes = json.load(file)
        else:
            print(f"Warning: {SERVICE_DATA} not found, skipping data from containers.", flush=True)
        for wish in wishes:
            self._serve(wish, force)
        # Without the file nothing is known to be unwanted (acme-companion#956).
        if known and self._remove_links({host for wish in wishes for host in wish["hosts"]}):
            self.should_reload = True
        if self.should_reload:
            reload_proxy(self.engine)

    def _proxy_is_running(self) -> bool:
        problem = "could not get a nginx-proxy container ID"
        try:
            if container := find_container(self.engine, "nginx"):
                if self.engine.get(f"/containers/{container}/json")["State"]["Status"] == "running":
                    return True
                problem = f"nginx-proxy container {container} isn't running"
        except EngineError as error:
            problem = str(error)
        print(time.strftime("%Y/%m/%d %H:%M:%S"), f"Error: {problem}.", file=sys.stderr, flush=True)
        return False

    def _serve(self, wish: dict[str, Any], force: bool) -> None:
        hosts: list[str] = wish["hosts"]
        bundle = own_environment("CA_BUNDLE")
        if bundle and not os.path.isfile(bundle):
            print(
                f"Warning: the path to the alternate CA bundle ({bundle}) is not valid, "
                "using default Alpine trust store.",
                flush=True,
            )
            bundle = ""
        challenge = wish["challenge"] or own_environment("ACME_CHALLENGE", "HTTP-01")
        if problem := _problem(wish, challenge):
            print(f"Error: {problem}", flush=True)
            return
        key_size = wish["key_size"] if wish["key_size"] in KEY_SIZES else own_environment("DEFAULT_KEY_SIZE", "4096")
        email = wish["email"] or own_environment("DEFAULT_EMAIL")
        home = f"/etc/acme.sh/{email or 'default'}"
        default_uri = own_environment("ACME_CA_URI", "https://acme-v02.api.letsencrypt.org/directory")
        uri = STAGING_URI if wish["staging"] else wish["directory_url"] or default_uri
        name = hosts[0]
        if uri.startswith("https://acme-staging"):
            email, home, name = "", "/etc/acme.sh/staging", f"_test_{name}"
        account = Account(home, uri, email, bundle)
        try:
            account.ensure()
        except AcmeError as error:
            say(f"Account registration error: {error}")
            print(
                f"Error: no ACME account was found or registered for {email} and {uri}, certificate creation aborted.",
                flush=True,
            )
            return

        directory = f"{CERTIFICATES}/{name}"
        os.makedirs(directory, exist_ok=True)
        give(directory)
        print(f"Creating/renewal {hosts[0]} certificates... ({' '.join(hosts)})", flush=True)
        order = Order(account, hosts, key_size)
        try:
            issued = self._issue(order, wish, force)
        except AcmeError as error:
            say(f"{hosts[0]}: {error}")
            return
        if issued:
            order.install(directory)
            self.should_reload = True
        for host in hosts:
            if self._link(name, host):
                self.should_reload = True
        self._mark(directory)
        give(order.key)
        if self.should_reload and not is_true("RELOAD_NGINX_ONLY_ONCE"):
            reload_proxy(self.engine)

    def _issue(self, order: Order, wish: dict[str, Any], force: bool) -> bool:
        """Whether a new certificate was obtained: not when the present one is not due. Raises AcmeError."""
        due = order.next_renewal()
        if due > time.time() and not force:
            say("Domains not changed.")
            say(f"Skipping. Next renewal time is: {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(due))}")
            say("Add '--force' to force renewal.")
            return False
        days = wish["renew_after"] if wish["renew_after"].isdecimal() else own_environment("ACME_RENEW_AFTER", "60")
        renew_keys = wish["renew_private_keys"] or own_environment("RENEW_PRIVATE_KEYS", "true")
        new_key = renew_keys.lower() != "false" and own_environment("REUSE_PRIVATE_KEYS").lower() != "true"
        order.issue(int(days), wish["profile"] or own_environment("ACME_CERT_PROFILE"), new_key=new_key)
        return True

    def _mark(self, directory: str) -> None:
        """Say that the directory is the companion's own, and give its files their owner and mode."""
        with open(f"{directory}/.companion", "w") as file:
            file.write(f"{VERSION}\n")
        for name in (".companion", "cert.pem", "key.pem", "chain.pem", "fullchain.pem"):
            if os.path.exists(path := f"{directory}/{name}"):
                give(path)

    def _link(self, name: str, host: str) -> bool:
        """Link a host's names to the files of certificate `name`; tell whether any link was new."""
        if not all(os.path.isfile(f"{CERTIFICATES}/{name}/{file}") for file in ("fullchain.pem", "key.pem")):
            return False
        targets = {extension: f"./{name}/{file}" for extension, file in LINK_TARGETS.items()}
        targets[".dhparam.pem"] = "./dhparam.pem"
        changed = False
        for extension, target in targets.items():
            link = f"{CERTIFICATES}/{host}{extension}"
            if not os.path.exists(f"{CERTIFICATES}/{target}"):
                continue
            if not os.path.islink(link) or os.readlink(link) != target:
                if os.path.lexists(link):
                    os.remove(link)
                os.symlink(target, link)
                changed = True
            give(link)
        return changed

    def _remove_links(self, wanted: set[str]) -> bool:
        """Remove the links of hosts that no running container asks for; tell whether there were any such hosts."""
        linked = {
            each.name.removesuffix(".crt")
            for each in os.scandir(CERTIFICATES)
            if each.name.endswith(".crt") and each.is_symlink()
        }
        unwanted = linked - wanted - {"default"}
        for host in unwanted:
            directory = os.path.dirname(os.path.realpath(f"{CERTIFICATES}/{host}.crt"))
            if os.path.exists(f"{directory}/.companion"):
                for extension in (*LINK_TARGETS, ".dhparam.pem"):
                    if os.path.islink(link := f"{CERTIFICATES}/{host}{extension}"):
                        os.remove(link)
        return bool(unwanted)


def _problem(wish: dict[str, Any], challenge: str) -> str:
    """Why a wish cannot be served, "" where it can."""
    if wish["unmodelled"]:
        return f"{', '.join(wish['unmodelled'])}: not modelled by this stand-in"
    if challenge == "DNS-01":
        return "DNS-01 challenges are not modelled by this stand-in"
    if challenge != "HTTP-01":
        return f"unknown ACME challenge method: {challenge}"
    if wish["hosts"][0].startswith("*."):
        return f"wildcard certificates ({wish['hosts'][0]}) can't be obtained with HTTP-01 challenge"
    return ""


def main() -> None:
    """One round."""
    CertificateService(Engine(endpoint_from_environment())).update(force="--force-renew" in sys.argv[1:])


if __name__ == "__main__":
    main()
