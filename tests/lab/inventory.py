"""
The lab's servers, with the settings that an operator would also change: names, addresses, keys, sizes.

    pyinfra tests/lab/inventory.py deploy.py
"""

import json
import socket

from pyinfra.api.exceptions import PyinfraError

from tests.lab.addresses import DOMAINS, INTERNET, SERVERS, SMALL_SWAP_MIB, STATE, SWAP_MIB, SWAP_PATHS, make


def _is_up() -> bool:
    """Not by a server's port 22: sshd penalizes who often comes without logging in (PerSourcePenalties)."""
    try:
        socket.create_connection((INTERNET.ipv4, 443), timeout=2).close()
    except OSError:
        return False
    return True


def _host(name: str, docker_key_fingerprint: str) -> tuple[str, dict[str, object]]:
    address = SERVERS[name].ipv4
    return name, {
        "ssh_hostname": address,
        "ssh_user": "operator",
        "ssh_key": str(STATE / "operator"),
        "ssh_known_hosts_file": str(STATE / "known_hosts"),
        "local_domain": DOMAINS[name],
        # This machine does not ask the lab's DNS, so the visit at the end of a run needs the address.
        "public_ipv4": address,
        "acme_email": "operator@example.org",
        "smtp_server": "mail.example.net",
        "smtp_from_address": "mastodon@example.org",
        "smtp_login": "mastodon",
        "docker_key_fingerprint": docker_key_fingerprint,
        "acme_ca_bundle": str(STATE / "authorities.pem"),
        # Where the system installs updates, other tests wait for apt; test_20_chores.py turns it on.
        "updates_enabled": False,
        # The swap belongs to the kernel of this machine: small, where the lab can take it back, and told apart by name.
        "swap_path": SWAP_PATHS[name],
        "swap_size_mib": SMALL_SWAP_MIB if name == "small" else SWAP_MIB,
    }


def _lab() -> list[tuple[str, dict[str, object]]]:
    try:
        world = json.loads((STATE / "world.json").read_text())
    except FileNotFoundError:
        raise PyinfraError(f"The lab is not up. Type: {make('lab-up')}") from None
    if not _is_up():
        raise PyinfraError(f"The lab does not answer. Type: {make('lab-up')}")
    return [_host(name, world["docker_key_fingerprint"]) for name in world["servers"]]


lab = _lab()
