"""Whose addresses are the server's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from mstdn.preflight.facts import Server
from mstdn.sizing.facts import ServerSize
from tests.harness import answer_of, stand_in

OWN = ("eth0", "ens3", "enp1s0", "bond0", "vmbr0", "br0", "wlan0", "venet0", "vlan7")
# What the kernel says of them, as far as they are no plain interfaces: what lies in their directory.
OTHERS = {
    "lo": "",
    "docker0": "bridge/",
    "br-0123456789ab": "bridge/",
    "docker_gwbridge": "bridge/",
    "shop": "bridge/",
    "lxdbr0": "bridge/",
    "incusbr0": "bridge/",
    "lxcbr0": "bridge/",
    "podman0": "bridge/",
    "cni0": "bridge/",
    "virbr0": "bridge/",
    "vmbr1": "bridge/",
    "veth1a2b3c": "",
    "wg0": "uevent",
    "wt0": "uevent",
    "nordlynx": "uevent",
    "tun0": "tun_flags",
    "office": "tun_flags",
    "tailscale0": "tun_flags",
    "ztabc": "tun_flags",
}


@pytest.fixture(name="kernel")
def _kernel(tmp_path: Path) -> dict[str, str | Path]:
    """What stands for the kernel's words: vmbr0 is a bridge with the default route, br0 one with that of IPv6."""
    devices = tmp_path / "net"
    for name, has in {**dict.fromkeys(OWN, "uevent-plain"), "vmbr0": "bridge/", "br0": "bridge/", **OTHERS}.items():
        (devices / name).mkdir(parents=True)
        (devices / name / "uevent").write_text(f"INTERFACE={name}\n" + "DEVTYPE=wireguard\n" * (has == "uevent"))
        if has == "bridge/":
            (devices / name / "bridge").mkdir()
        elif has == "tun_flags":
            (devices / name / "tun_flags").write_text("0x1002\n")
    zeros = "00000000"
    (tmp_path / "route").write_text(
        "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
        f"vmbr0 {zeros} 0101A8C0 0003 0 0 0 {zeros} 0 0 0\nshop 000011AC {zeros} 0001 0 0 0 0000FFFF 0 0 0\n"
    )
    (tmp_path / "ipv6_route").write_text(
        f"{zeros * 4} 00 {zeros * 4} 00 fe800000000000000000000000000001 00000400 00000001 {zeros} 00000003      br0\n"
        f"{zeros * 4} 00 {zeros * 4} 00 {zeros * 4} ffffffff 00000001 {zeros} 00200200       lo\n"
    )
    return {
        "/sys/class/net": devices,
        "/proc/net/route": tmp_path / "route",
        "/proc/net/ipv6_route": tmp_path / "ipv6_route",
    }


@pytest.mark.parametrize("name", [*OWN, *OTHERS])
def test_an_address_of_a_bridge_or_a_vpn_is_not_the_servers(
    tmp_path: Path, kernel: dict[str, str | Path], name: str
) -> None:
    table = tmp_path / "if_inet6"
    table.write_text(f"20010db8000000000000000000000007 02 40 00 80 {name:>8}\n")
    size = answer_of(ServerSize.of_the_server(), instead={"/proc/net/if_inet6": table, **kernel})
    assert size.ipv6 is (name in OWN)


def test_preflight_sees_the_same(tmp_path: Path, kernel: dict[str, str | Path]) -> None:
    lines = "".join(
        f"{number}: {name}    inet 192.0.2.{number}/24 x\n" for number, name in enumerate((*OWN, *OTHERS), 1)
    )
    program = stand_in(tmp_path, "ip", f"cat <<'END'\n{lines}END")
    report = answer_of(Server.of("/nonexistent", "/nonexistent/proxy", "/swap", "", []), path=program, instead=kernel)
    assert report.addresses == {f"192.0.2.{number}" for number in range(1, len(OWN) + 1)}


def test_a_vpn_that_has_the_default_route_is_the_way_in(tmp_path: Path, kernel: dict[str, str | Path]) -> None:
    route = tmp_path / "route"
    route.write_text(route.read_text().replace("vmbr0", "wg0"))
    table = tmp_path / "if_inet6"
    table.write_text("20010db8000000000000000000000007 02 40 00 80 wg0\n")
    assert answer_of(ServerSize.of_the_server(), instead={"/proc/net/if_inet6": table, **kernel}).ipv6


def test_a_server_without_ip_is_asked_in_another_way(tmp_path: Path) -> None:
    stand_in(tmp_path, "ip", "exit 127")
    program = stand_in(tmp_path, "hostname", "echo '192.0.2.1 2001:db8::7 '")
    report = answer_of(Server.of("/nonexistent", "/nonexistent/proxy", "/swap", "", []), path=program)
    assert report.addresses == {"192.0.2.1", "2001:db8::7"}
