"""What the scripts of the firewall print and do, with stand-ins for the programs that make and print rules."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from mstdn.firewall.facts import FirewallSetup, PacketFilter, Rules, Setup, Socket
from mstdn.firewall.table import listing
from mstdn.shell import SCRIPTS
from tests.harness import answer_of, calls_in, read, run_script, stand_in

SAVED = "*filter\n:FORWARD DROP [0:0]\n:INPUT ACCEPT [0:0]\n# a comment\n-A FORWARD -j DOCKER-USER\nCOMMIT"


def seen(directory: Path) -> Rules:
    """What is seen of files below this directory, and of programs in its bin."""
    files = ("/etc/ufw/ufw.conf", "/etc/nftables.conf", "/etc/iptables/rules.v4")
    instead = {name: directory / name.rpartition("/")[2] for name in files}
    stand_in(directory, "systemctl", "printf 'Id=nftables.service\\nUnitFileState=enabled\\n'")
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


# --- The suite's own firewall ---------------------------------------------------------------------

KEPT = "table inet mstdn"


@pytest.fixture(name="rules")
def _rules(tmp_path: Path) -> Path:
    """Where the rules shall lie: in a directory that is not there yet. Programs of the server are stand-ins."""
    stand_in(tmp_path, "systemctl")
    stand_in(tmp_path, "systemd-run")
    stand_in(tmp_path, "nft", "echo '{\"nftables\": []}'")
    return tmp_path / "library/firewall.nft"


def calls(rules: Path) -> list[str]:
    return [call for call in calls_in(rules.parents[1]) if not call.startswith("nft --check")]


def run(name: str, rules: Path, *more: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    path = rules.parents[1] / "bin"
    if name == "try":
        return run_script("firewall/try", rules, "inet mstdn", "90", stdin=stdin, path=path)
    if name == "keep":
        return run_script("firewall/keep", rules, "inet mstdn", *more, path=path)
    if name == "undo":
        return run_script("firewall/undo", path=path)
    return run_script("firewall/remove", "inet mstdn", *more, path=path)


def test_rules_are_in_force_only_after_what_takes_them_back(rules: Path) -> None:
    run("try", rules, stdin=KEPT).check_returncode()
    found = calls(rules)
    timer = next(at for at, call in enumerate(found) if call.startswith("systemd-run"))
    assert "--on-active=90 --timer-property=AccuracySec=1s" in found[timer]
    assert found[timer + 1 :] == ["nft list table inet mstdn", f"nft --file {rules}.new"]
    assert not rules.exists() and Path(f"{rules}.new").read_text() == KEPT


def test_what_takes_rules_back_loads_those_that_were_kept_or_none(rules: Path, tmp_path: Path) -> None:
    stand_in(tmp_path, "systemd-run", 'while [ "$1" != /bin/sh ]; do shift; done; "$@"')
    run("try", rules, stdin=KEPT).check_returncode()
    assert "nft delete table inet mstdn" in calls(rules)
    rules.write_text(KEPT)
    run("try", rules, stdin=KEPT).check_returncode()
    assert f"nft --file {rules}" in calls(rules) and calls(rules)[-1] == f"nft --file {rules}.new"


def test_a_kernel_that_had_no_firewall_gets_to_know_the_connections_in_use_first(rules: Path, tmp_path: Path) -> None:
    stand_in(tmp_path, "nft", '[ "$1" != list ]')
    stand_in(tmp_path, "sleep")
    run("try", rules, stdin=KEPT).check_returncode()
    known, wait, load = calls(rules)[-3:]
    assert (
        known.startswith("nft table inet mstdn { chain arriving { type filter hook prerouting") and "drop" not in known
    )
    assert (wait, load) == ("sleep 2", f"nft --file {rules}.new")


def test_rules_that_nft_does_not_take_are_never_in_force(rules: Path, tmp_path: Path) -> None:
    stand_in(tmp_path, "nft", "echo 'Error: Could not process rule: Operation not supported' >&2; exit 1")
    run_ = run("try", rules, stdin=KEPT)
    assert run_.returncode == 1
    assert "Operation not supported" in run_.stderr and "firewall_enabled = False" in run_.stderr
    assert calls(rules) == [] and not Path(f"{rules}.new").exists()


@pytest.mark.parametrize(
    ("succeeds", "last"),
    [
        pytest.param('[ "$1" != --file ]', ["systemctl stop mstdn-firewall-undo.timer"], id="others stay in force"),
        pytest.param(
            '[ "$1" != --file ] && [ "$1" != list ]',
            ["systemctl stop mstdn-firewall-undo.timer", "nft delete table inet mstdn"],
            id="none were in force",
        ),
    ],
)
def test_where_the_rules_cannot_be_loaded_after_all_nothing_is_taken_back_later(
    rules: Path, tmp_path: Path, succeeds: str, last: list[str]
) -> None:
    stand_in(tmp_path, "nft", succeeds)
    stand_in(tmp_path, "sleep")
    assert run("try", rules, stdin=KEPT).returncode == 1
    assert calls(rules)[-len(last) - 1 :] == [f"nft --file {rules}.new", *last]


def test_rules_that_let_somebody_in_are_kept_for_each_boot(rules: Path, tmp_path: Path) -> None:
    run("try", rules, stdin=KEPT).check_returncode()
    note = tmp_path / "notes/firewall"
    run("keep", rules, note).check_returncode()
    assert rules.read_text() == KEPT and not Path(f"{rules}.new").exists()
    assert gzip.decompress(base64.b64decode(note.read_text())) == b'{"nftables": []}\n'
    assert calls(rules)[-2:] == [
        "systemctl enable --quiet mstdn-firewall.service",
        "systemctl reload-or-restart mstdn-firewall.service",
    ]


def test_rules_that_were_taken_back_meanwhile_are_not_kept(rules: Path, tmp_path: Path) -> None:
    run("try", rules, stdin=KEPT).check_returncode()
    stand_in(tmp_path, "systemctl", '[ "$1" != is-active ]')
    kept = run("keep", rules, tmp_path / "note")
    assert kept.returncode == 1 and "Run again" in kept.stderr
    assert not rules.exists() and not (tmp_path / "note").exists()


def test_rules_are_taken_back_at_once_and_not_once_more_later(rules: Path) -> None:
    run("undo", rules).check_returncode()
    assert calls(rules) == [
        "systemctl start mstdn-firewall-undo.service",
        "systemctl stop mstdn-firewall-undo.timer",
    ]


@pytest.mark.parametrize("nft", ["exit 0", "exit 1"], ids=["in force", "not in force"])
def test_the_firewall_is_taken_away_with_all_its_files(rules: Path, tmp_path: Path, nft: str) -> None:
    stand_in(tmp_path, "nft", nft)
    stand_in(tmp_path, "systemctl", '[ "$1" = daemon-reload ]')
    rules.parent.mkdir()
    rules.touch()
    run("remove", rules, rules, tmp_path / "unit").check_returncode()
    assert not rules.exists()
    assert ("nft delete table inet mstdn" in calls(rules)) == (nft == "exit 0")


# --- What there is of it --------------------------------------------------------------------------

LISTENING = """\
udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=1,fd=13))
udp UNCONN 0 0 0.0.0.0:51820 0.0.0.0:*
tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=4711,fd=6))
tcp LISTEN 0 128 [::]:8022 [::]:* users:(("sshd",pid=4712,fd=7))
tcp LISTEN 0 4096 *:9999 *:* users:(("my server",pid=4713,fd=7),("my server",pid=4714,fd=7))
tcp LISTEN 0 4096 [::1]:5432 [::]:* users:(("postgres",pid=1,fd=7))
"""
SYSTEMD = """\
Id=mstdn-firewall.service
ActiveState=active
UnitFileState=enabled
NeedDaemonReload=no

Id=ssh.socket
Listen=[::]:2222 (Stream)
ActiveState=active
"""


def setup_of(directory: Path) -> Setup:
    """What is seen with these stand-ins; paths of the server lie in the directory."""
    stand_in(directory, "ss", f"cat <<'END'\n{LISTENING}END")
    stand_in(directory, "systemctl", f"cat <<'END'\n{SYSTEMD}END")
    path = stand_in(directory, "nft")
    # "(sshd: …)" of 4711 waits for everybody, 4712 is somebody's session that forwards a port.
    for pid, title in (("4711", "sshd: /usr/sbin/sshd -D [listener] 0 of 10"), ("4712", "sshd: alice@pts/0")):
        (directory / f"proc/{pid}").mkdir(parents=True, exist_ok=True)
        (directory / f"proc/{pid}/cmdline").write_text(title)
    places: dict[str, str | Path] = {
        "/proc/net/route": directory / "route",
        "/proc/net/ipv6_route": directory / "ipv6_route",
    }
    places |= {'"/proc/$pid/cmdline"': f'"{directory}/proc/$pid/cmdline"', "/sys/class/net": directory / "net"}
    places |= {'"$1" "$2"': f'"{directory}/rules" "{directory}/unit"', '"$3"': f'"{directory}/note"'}
    return answer_of(FirewallSetup.of_the_server(), path=path, instead=places)


def test_what_listens_where_one_logs_in_and_what_is_installed_is_seen(tmp_path: Path) -> None:
    (tmp_path / "route").write_text("Iface Destination\nbr0 00000000 0103A8C0 0003 0 0 0 00000000\n")
    (tmp_path / "ipv6_route").write_text(
        f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} 00000400 00000001 00000000 00000003 eth1\n"
        f"{'0' * 32} 00 {'0' * 32} 00 {'0' * 32} ffffffff 00000001 00000000 00200200 lo\n"
    )
    (tmp_path / "net/eth1/device").mkdir(parents=True)
    listed = {"nftables": [{"table": {"family": "inet", "name": "mstdn"}}]}
    (tmp_path / "note").write_text(base64.b64encode(gzip.compress(json.dumps(listed).encode())).decode() + "\n")
    setup = setup_of(tmp_path)
    assert (setup.program, setup.enabled, setup.active) == (True, True, True)
    assert setup.uplinks == ("br0",)
    assert {22, 2222} <= {*setup.ssh_ports} and 8022 not in setup.ssh_ports
    assert setup.sockets == (
        Socket("udp", "0.0.0.0", 51820, ""),  # noqa: S104
        Socket("tcp", "::", 8022, "sshd"),
        Socket("tcp", "*", 9999, "my server"),
    )
    assert setup.note == listing(listed)


@pytest.mark.parametrize("damaged", ["nonsense", "H4sIAAAAAAAA", "AAAA"])
def test_a_note_that_was_damaged_is_none(damaged: str) -> None:
    assert read(FirewallSetup, f"nft\nnote {damaged}\n").note == ""


def test_the_port_of_the_connection_itself_is_seen_above_sudo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The login shell has it, and sudo between it and the script does not hand it down: env -i stands in for that.
    stand_in(tmp_path, "ss")
    monkeypatch.setenv("SSH_CONNECTION", "203.0.113.9 50123 10.0.0.5 2200")
    script = (SCRIPTS / "firewall/setup.sh").read_text()
    inner = f"env -i PATH={tmp_path}/bin:$PATH sh -c {shlex.quote(script)} setup /no/rules /no/unit /no/note; :"
    answer = subprocess.run(["sh", "-c", inner], capture_output=True, text=True, check=True)
    assert "ssh 2200" in answer.stdout.splitlines()


def test_rules_and_unit_are_told_by_their_checksums(tmp_path: Path) -> None:
    rules, unit, note = (tmp_path / name for name in ("rules", "unit", "note"))
    rules.write_text("a\n")
    unit.write_text("b\n")
    command = FirewallSetup.question(str(rules), str(unit), str(note))
    stand_in(tmp_path, "ss")
    lines = subprocess.run(
        ["sh", "-c", command.fact().command(*command.arguments).get_raw_value()],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"},
    ).stdout.splitlines()
    sums = [hashlib.sha256(text).hexdigest() for text in (b"a\n", b"b\n")]
    assert [line for line in lines if line.startswith("sum ")] == [f"sum {sums[0]} {rules}", f"sum {sums[1]} {unit}"]
