"""Whose addresses are the server's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mstdn.preflight.facts import Server
from mstdn.shell import SCRIPTS
from mstdn.sizing.facts import ServerSize
from tests.harness import answer_of, stand_in

OWN = ("eth0", "ens3", "enp1s0", "bond0", "vmbr0", "br0", "wlan0", "venet0", "vlan7")
OTHERS = (
    "lo",
    "docker0",
    "br-0123456789ab",
    "docker_gwbridge",
    "veth1a2b3c",
    "virbr0",
    "wg0",
    "tun0",
    "tailscale0",
    "ztabc",
)


@pytest.mark.parametrize("name", [*OWN, *OTHERS])
def test_an_address_of_a_bridge_or_a_vpn_is_not_the_servers(tmp_path: Path, name: str) -> None:
    table = tmp_path / "if_inet6"
    table.write_text(f"20010db8000000000000000000000007 02 40 00 80 {name:>8}\n")
    size = answer_of(ServerSize.of_the_server(), instead={"/proc/net/if_inet6": table})
    assert size.ipv6 is (name in OWN)


def test_preflight_sees_the_same(tmp_path: Path) -> None:
    lines = "".join(
        f"{number}: {name}    inet 192.0.2.{number}/24 x\n" for number, name in enumerate((*OWN, *OTHERS), 1)
    )
    program = stand_in(tmp_path, "ip", f"cat <<'END'\n{lines}END")
    report = answer_of(Server.of("/nonexistent", "/nonexistent/proxy", "/swap", []), path=program)
    assert report.addresses == {f"192.0.2.{number}" for number in range(1, len(OWN) + 1)}


def test_a_server_without_ip_is_asked_in_another_way(tmp_path: Path) -> None:
    stand_in(tmp_path, "ip", "exit 127")
    program = stand_in(tmp_path, "hostname", "echo '192.0.2.1 2001:db8::7 '")
    report = answer_of(Server.of("/nonexistent", "/nonexistent/proxy", "/swap", []), path=program)
    assert report.addresses == {"192.0.2.1", "2001:db8::7"}


def test_the_expression_is_one_that_every_awk_reads() -> None:
    (others,) = re.findall(r"^others='(.*)'$", (SCRIPTS / "sizing/interfaces.sh").read_text(), flags=re.MULTILINE)
    # mawk before 1.3.4-20200717, Debian's, has no intervals.
    assert not re.search(r"\{\d", others)
