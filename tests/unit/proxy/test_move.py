"""How visitors are led to another proxy and back, with stand-ins for docker and for both programs that make rules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.harness import calls_in, run_script, stand_in

# What iptables lists of its table nat.
LISTED = """-P PREROUTING ACCEPT
-A PREROUTING -p tcp -m comment --comment mstdn-handover -j DNAT --to-destination 172.18.0.9
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER"""
END = "    fi\n    sleep 1\n}\n"


def lead(
    directory: Path, step: str, *, nft: bool = True, ipv6: str = "", fails: bool = False
) -> subprocess.CompletedProcess[str]:
    """Carry out this call of one of the script's functions, on a server with or without nft."""
    stand_in(directory, "sleep")
    stand_in(directory, "docker", f"echo '172.18.0.9 {ipv6}'")
    stand_in(directory, "nft", f'[ "$1" != -f ] || cat >"{directory}/table"\nexit {int(fails)}')
    stand_in(directory, "ip6tables", f"exit {int(fails)}")
    (directory / "listed").write_text(LISTED)
    rules = f'case "$*" in *--list-rules*) cat "{directory}/listed" && exit ;; esac\nexit {int(fails)}'
    return run_script(
        "proxy/move",
        path=stand_in(directory, "iptables", rules),
        instead={"command -v nft >/dev/null": "true" if nft else "false", END: f"{END}{step}\n"},
    )


def rules_made(directory: Path) -> list[str]:
    return [call for call in calls_in(directory) if call.split()[0] in ("nft", "iptables", "ip6tables")]


def test_nft_leads_who_comes_to_the_ports_to_the_other_proxy_for_a_while(tmp_path: Path) -> None:
    assert lead(tmp_path, "move nginx proxy-nginx-deputy").returncode == 0
    table = (tmp_path / "table").read_text()
    assert "elements = { 80, 443 }" in table and "timeout 30m" in table
    assert "dnat ip to 172.18.0.9" in table and "ip6" not in table
    # Before Docker's own rules, which are at dstnat.
    assert "type nat hook prerouting priority dstnat - 10" in table
    assert rules_made(tmp_path) == ["nft -f -"] and calls_in(tmp_path)[-1] == "sleep 1"


def test_visitors_with_ipv6_are_led_there_too(tmp_path: Path) -> None:
    assert lead(tmp_path, "move nginx deputy", ipv6="fd00::9").returncode == 0
    assert "dnat ip6 to fd00::9" in (tmp_path / "table").read_text()


def test_without_nft_iptables_does_it_in_front_of_dockers_rules(tmp_path: Path) -> None:
    assert lead(tmp_path, "move nginx deputy", nft=False, ipv6="fd00::9").returncode == 0
    four, six = rules_made(tmp_path)
    assert four.startswith("iptables --wait --table nat --insert PREROUTING")
    assert four.endswith("--comment mstdn-handover --jump DNAT --to-destination 172.18.0.9")
    assert "--destination-ports 80,443" in four
    assert six == four.replace("iptables", "ip6tables").replace("172.18.0.9", "fd00::9")


def test_without_ipv6_nothing_is_asked_of_it(tmp_path: Path) -> None:
    lead(tmp_path, "move nginx deputy", nft=False)
    assert [call.split()[0] for call in rules_made(tmp_path)] == ["iptables"]


@pytest.mark.parametrize("nft", [True, False])
def test_rules_that_the_kernel_refuses_are_a_failure(tmp_path: Path, nft: bool) -> None:
    assert lead(tmp_path, "move nginx deputy", nft=nft, fails=True).returncode != 0


def test_the_way_back_takes_away_what_was_made_and_nothing_else(tmp_path: Path) -> None:
    assert lead(tmp_path, "move_back").returncode == 0
    assert rules_made(tmp_path) == ["nft delete table inet mstdn-handover"]
    (tmp_path / "calls").unlink()
    assert lead(tmp_path, "move_back", nft=False).returncode == 0
    assert [call for call in rules_made(tmp_path) if "--delete" in call] == [
        f"iptables --wait --table nat {LISTED.splitlines()[1].replace('-A', '--delete')}"
    ]


def test_where_nobody_was_led_away_nobody_is_waited_for(tmp_path: Path) -> None:
    assert lead(tmp_path, "move_back", fails=True).returncode == 0
    assert "sleep 1" not in calls_in(tmp_path)
