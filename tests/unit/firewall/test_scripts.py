"""What firewall/state.sh prints, with stand-ins for the programs that print rules."""

from __future__ import annotations

from pathlib import Path

from mstdn.firewall.facts import PacketFilter, Rules
from tests.harness import answer_of, stand_in

SAVED = "*filter\n:FORWARD DROP [0:0]\n:INPUT ACCEPT [0:0]\n# a comment\n-A FORWARD -j DOCKER-USER\nCOMMIT"


def seen(directory: Path) -> Rules:
    """What is seen of files below this directory, and of programs in its bin."""
    files = ("/etc/ufw/ufw.conf", "/etc/nftables.conf", "/etc/iptables/rules.v4")
    instead = {name: directory / name.rpartition("/")[2] for name in files}
    stand_in(directory, "systemctl")
    return answer_of(
        PacketFilter.of_the_server(),
        path=stand_in(directory, "nft", "exit 1"),
        instead=instead | {"/proc/net/route": directory / "route", "_tables_names": "no-such-names"},
    )


def test_rules_of_both_families_managers_and_the_way_out_are_seen(tmp_path: Path) -> None:
    (tmp_path / "route").write_text(
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
        "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\nens3\t00000000\t0103A8C0\t0003\t0\t0\t0\t00000000\n"
    )
    (tmp_path / "ufw.conf").write_text("# x\nENABLED=yes\n")
    (tmp_path / "nftables.conf").write_text("#!/usr/sbin/nft -f\n\nflush ruleset\n")
    stand_in(tmp_path, "iptables-nft-save", f"echo '{SAVED}'")
    stand_in(tmp_path, "ip6tables-nft-save", "exit 1")
    rules = seen(tmp_path)
    assert rules.outside[0] == "ens3"
    assert [(each.place, each.policy, sorted(each.families)) for each in rules.chains] == [
        ("INPUT", "accept", [4]),
        ("FORWARD", "drop", [4]),
    ]
    assert {"ufw", "nftables"} <= rules.managers
    assert rules.flushes == (f"{tmp_path}/nftables.conf",)


def test_a_server_without_a_firewall_is_seen_as_one(tmp_path: Path) -> None:
    (tmp_path / "route").touch()
    (tmp_path / "ufw.conf").write_text("ENABLED=no\n")
    for program in ("iptables-nft-save", "ip6tables-nft-save"):
        stand_in(tmp_path, program)
    rules = seen(tmp_path)
    assert (rules.chains, rules.flushes) == ((), ())
    assert "ufw" not in rules.managers
