"""
Which lab this is, and every name and address in it.

Up to ten labs stand side by side on one machine, in one engine. The environment variable LAB says which one is meant,
by its number (0 to 9, 0 when it is not set). Each has names, a network, addresses, swap files and keys of its own;
images are shared.
"""

import os
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Address:
    """A machine's two addresses, in canonical form."""

    ipv4: str
    ipv6: str


def number_of(text: str) -> int:
    """The lab's number as LAB gives it. Raises SystemExit with an explanation when it is none."""
    if len(text) != 1 or text not in "0123456789":
        raise SystemExit(f"LAB={text} names no lab. Set LAB to a number from 0 to 9, or unset it.")
    return int(text)


def name_of(number: int) -> str:
    """Name of a lab's network and of its bridge; names of its containers begin with it."""
    return f"mstdn-lab-{number}" if number else "mstdn-lab"


def state_of(number: int) -> Path:
    """Directory of what the controller needs to get into a lab."""
    return REPOSITORY / (f".lab-{number}" if number else ".lab")


def address_of(number: int, host: int) -> Address:
    """Addresses of the machine `host` (1 to 254) in a lab; 198.18.0.0/15 is for test beds (RFC 2544)."""
    return Address(f"198.18.{number}.{host}", str(IPv6Address(f"fd00:198:18:{number}::{host}")))


def network_of(number: int, host: int) -> str:
    """A network of 64 bits (IPv6) for the machine `host` (1 to 254) that a provider makes in a lab."""
    return f"{IPv6Address(f'fd00:198:{0x100 + host:x}:{number}::')}/64"


def swap_path_of(number: int, server: str) -> str:
    """Path of a server's swap file: unique, because the kernel knows the swap of all servers by path alone."""
    return f"/swap.d/{server}-{number}" if number else f"/swap.d/{server}"


def command_of(number: int, target: str) -> str:
    """What to type for a target of the Makefile in a lab."""
    return f"LAB={number} make {target}" if number else f"make {target}"


NUMBER = number_of(os.environ.get("LAB") or "0")
NAME = name_of(NUMBER)
STATE = state_of(NUMBER)
ALL_NAMES = {name_of(number): number for number in range(10)}
NETWORK_IPV4 = f"198.18.{NUMBER}.0/24"

GATEWAY = address_of(NUMBER, 1)
INTERNET = address_of(NUMBER, 2)
# All providers, their two name servers, and the public and private addresses of the machines that they may make.
CLOUDS = address_of(NUMBER, 3)
NAME_SERVERS = (address_of(NUMBER, 4), address_of(NUMBER, 5))
MADE = {f"made{each}": (address_of(NUMBER, 30 + each), address_of(NUMBER, 130 + each)) for each in range(1, 5)}
MADE_NETWORKS = {name: network_of(NUMBER, each) for each, name in enumerate(MADE, start=1)}
VISITOR = address_of(NUMBER, 20)
NOBODY = address_of(NUMBER, 99)  # no machine has it
SERVERS = {
    "server": address_of(NUMBER, 10),
    "server2": address_of(NUMBER, 11),
    "server3": address_of(NUMBER, 14),
    "server12": address_of(NUMBER, 12),
    "small": address_of(NUMBER, 13),
}
DOMAINS = {
    "server": "social.example.org",
    "server2": "social2.example.org",
    "server3": "social3.example.org",
    "server12": "social12.example.org",
    "small": "small.example.org",
}
FURTHER_DOMAINS = {"server": "alice.example.org", "server2": "alice2.example.org", "server3": "alice3.example.org"}
SWAP_PATHS = {server: swap_path_of(NUMBER, server) for server in (*SERVERS, *MADE)}
SWAP_MIB = 64  # of the kernel that all labs share
# What a server of 1 GB has for everything, and the least swap with which the suite takes it.
SMALL_MIB = 1000
SMALL_SWAP_MIB = 1048


def host_records() -> list[str]:
    """What the lab's DNS answers for names below example.org: each "name,address[,address]" (dnsmasq's host-record)."""
    server = SERVERS["server"]
    names = {
        **{domain: SERVERS[name] for domains in (DOMAINS, FURTHER_DOMAINS) for name, domain in domains.items()},
        "example.org": server,
        # For checks that must notice: a name that leads to another machine, by IPv4 or by IPv6 only.
        "elsewhere6.example.org": Address(server.ipv4, NOBODY.ipv6),
    }
    # By IPv4 only: the lab's engine has no IPv6 for containers, so nothing is published there, and pebble, unlike Let's
    # Encrypt, does not fall back to IPv4.
    ipv4 = [f"{name},{address.ipv4}" for name, address in names.items() if address.ipv6 != NOBODY.ipv6]
    both = [f"{name},{address.ipv4},{address.ipv6}" for name, address in names.items() if address.ipv6 == NOBODY.ipv6]
    return [*ipv4, *both, f"ipv4.example.org,{server.ipv4}", f"elsewhere.example.org,{NOBODY.ipv4}"]


def make(target: str) -> str:
    """What to type for a target of the Makefile in this lab."""
    return command_of(NUMBER, target)
