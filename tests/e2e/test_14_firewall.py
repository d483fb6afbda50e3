"""The server's own firewall: what is closed, for whom everything stays as it was, and how a lock-out ends."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mstdn.firewall.operations import wanted_rules
from mstdn.firewall.table import listing, tables_of_others
from tests.e2e.instance import Instance, throw_away_container
from tests.e2e.nftables_back_end import CONTAINER, OUTSIDE, SERVER, ServerOfNftables, server_of_nftables
from tests.lab.addresses import INTERNET, SERVERS, VISITOR
from tests.lab.commands import wait_until
from tests.unit.firewall.test_table import SERVERS as FORMS

TASK = "tasks/firewall.py"
TABLE = "nft list table inet mstdn"
# The kernel lists a set in another order each time it is loaded.
RULES = f"{TABLE} | tr ',{{}}' '\\n' | tr -d ' \\t' | sort"
# What the run promises, and some time for the server's own clock.
TRIAL_SECONDS = 60 + 15
# SSH comes in by port 2222, of which neither the kernel's list of sockets nor sshd knows anything.
BACK_DOOR = (
    "nft -f - <<'END'\ntable ip door {\nchain c {\ntype nat hook prerouting priority dstnat;\n"
    "tcp dport 2222 redirect to :22\n}\n}\nEND\n"
)


@pytest.fixture(name="nftables")
def _nftables(instance: Instance) -> Iterator[ServerOfNftables]:
    with server_of_nftables(instance.run) as server:
        yield server


@contextmanager
def listening(instance: Instance, protocol: str, port: int) -> Iterator[None]:
    """A process of somebody's that answers on all addresses, IPv4 and IPv6."""
    unit, kind = f"of-somebody-{protocol}-{port}", "--datagram" if protocol == "udp" else "--accept"
    instance.run(
        f"systemd-run --quiet --unit={unit} systemd-socket-activate {kind} --listen={port} sleep infinity;"
        f" timeout 10 sh -c 'until ss -Hltun sport = :{port} | grep -q .; do sleep 0.1; done'"
    )
    try:
        yield
    finally:
        instance.run(f"systemctl stop {unit}")


def open_ports(instance: Instance, ports: str, family: int = 4, *, udp: bool = False) -> list[str]:
    """
    Those of these ports that answer a visitor. By UDP, where a program need not answer, those at which nobody says that
    there is none.
    """
    address = SERVERS[instance.world.name]
    target = f"-6 {address.ipv6}" if family == 6 else address.ipv4
    kind = "-sU --max-retries 1" if udp else "--open"
    found = instance.world.visitor.run(f"nmap -Pn -n -T5 {kind} -p {ports} -oG - {target}").stdout
    return re.findall(r"(\d+)/open[/|]", found)


# --- What is closed -------------------------------------------------------------------------------


def test_nothing_of_others_answers_from_outside_unless_the_operator_wants_it(instance: Instance) -> None:
    """A process, a container, and a port that is redirected as Docker's back end for nftables does it."""
    ports = "20-30,80,443,8025,8026,9999"
    with (
        listening(instance, "tcp", 9999),
        listening(instance, "udp", 9998),
        throw_away_container(instance, "--publish 0.0.0.0:8025:80", command="") as container,
    ):
        address = instance.run(
            f"docker inspect --format '{{{{.NetworkSettings.Networks.bridge.IPAddress}}}}' {container}"
        ).strip()
        instance.run(
            f"nft 'table ip own {{ chain c {{ type nat hook prerouting priority dstnat; tcp dport 8026 dnat to"
            f" {address}:80; }}; }}' && iptables -I FORWARD -d {address} -j ACCEPT"
        )
        try:
            assert open_ports(instance, ports) == ["22", "80", "443"]
            assert open_ports(instance, "22,9999", 6) == ["22"]
            assert open_ports(instance, "9998", udp=True) == []
            # The scan would have seen them.
            wanted = {"firewall_tcp_ports": [8025, "8026-8030", 9999], "firewall_udp_ports": [9998]}
            assert instance.converge(TASK, **wanted).changed
            assert open_ports(instance, ports) == ["22", "80", "443", "8025", "8026", "9999"]
            assert open_ports(instance, "22,9999", 6) == ["22", "9999"]
            assert open_ports(instance, "9998", udp=True) == ["9998"]
            trusted = {"firewall_trusted_addresses": [VISITOR.ipv4, "2001:db8::/32"]}
            assert instance.converge(TASK, **trusted, firewall_inside_interfaces=["eth9", "vlan*"]).changed
            assert "8025" in open_ports(instance, ports)
            assert open_ports(instance, "22,9999", 6) == ["22"]
        finally:
            instance.run(f"nft delete table ip own; iptables -D FORWARD -d {address} -j ACCEPT")
            instance.converge(TASK)
        assert open_ports(instance, ports) == ["22", "80", "443"]
    assert instance.converge().changed == []


def test_nft_takes_every_form_of_the_rules(instance: Instance) -> None:
    for openings in FORMS.values():
        instance.run("nft --check --file -", stdin=wanted_rules(*openings))


def test_inside_everything_works_as_before(instance: Instance) -> None:
    """From the server itself, between containers, from a container by the server's public address, and out."""
    public = SERVERS[instance.world.name].ipv4
    with throw_away_container(instance, "--publish 0.0.0.0:8025:80", command="") as container:
        address = instance.run(
            f"docker inspect --format '{{{{.NetworkSettings.Networks.bridge.IPAddress}}}}' {container}"
        ).strip()
        for url in (f"http://{public}:8025/", "http://127.0.0.1:8025/", f"http://{address}/"):
            instance.run(f"curl --silent --fail --max-time 10 --output /dev/null {url}")
        with throw_away_container(instance) as other:
            process = instance.run(f"docker inspect --format '{{{{.State.Pid}}}}' {other}").strip()
            for place in (f"{public}/8025", f"{address}/80", f"{INTERNET.ipv4}/443"):
                instance.run(f"nsenter --net --target {process} timeout 5 bash -c 'exec 3<>/dev/tcp/{place}'")
    for service in ("web", "sidekiq"):
        process = instance.run(f"docker inspect --format '{{{{.State.Pid}}}}' {instance.container('mstdn', service)}")
        instance.run(
            f"nsenter --net --target {process.strip()} timeout 5 bash -c 'exec 3<>/dev/tcp/{INTERNET.ipv4}/443'"
        )
    assert instance.visit("/health").status == 200


def test_the_network_itself_works(instance: Instance) -> None:
    server = SERVERS[instance.world.name]
    for option, address in (("-4", server.ipv4), ("-6", server.ipv6)):
        instance.world.visitor.run(f"ping {option} -c 1 -W 5 {address} || nmap -sn -n {option} {address} | grep -q up")
    # Neighbours find each other anew.
    # That nothing listens there is an answer as well.
    instance.run(
        f"ip -6 neighbour flush dev eth0; timeout 10 bash -c 'exec 3<>/dev/tcp/{INTERNET.ipv6}/443' || [ $? -ne 124 ]"
    )


@pytest.mark.parametrize("version", [4, 6])
def test_an_engine_that_makes_its_rules_by_nftables_opens_nothing(nftables: ServerOfNftables, version: int) -> None:
    """Nor what it publishes on all addresses; the site is served, containers get out, and inside all is as before."""
    everything = {22: "process", 80: "container", 443: "container", 8080: "container", 9999: "process"}
    site = {22: "process", 80: "container", 443: "container"}
    nftables.open()
    nftables.start_the_engine()
    # The scan would have seen it.
    assert nftables.answers(version) == everything
    nftables.close()
    for _ in range(2):
        assert nftables.answers(version) == site
        assert nftables.answers(version, "container") == {}
        assert nftables.answers(version, "visitor", CONTAINER) == {OUTSIDE: "world"}
        assert nftables.answers(version, "server", SERVER) == everything
        assert nftables.answers(version, "server", CONTAINER).keys() == everything.keys()
        # A restart of it takes its tables away and makes them anew.
        nftables.start_the_engine()


def test_the_tables_of_such_an_engine_are_nobodys_firewall(nftables: ServerOfNftables) -> None:
    nftables.start_the_engine()
    nftables.close()
    ruleset = nftables.ruleset()
    assert list(tables_of_others(ruleset, ())) == []
    assert listing(ruleset) != ""


# --- What somebody does to it ---------------------------------------------------------------------


def test_it_survives_a_restart_of_the_engine_and_comes_back_after_a_flush(instance: Instance) -> None:
    before = instance.run(RULES)
    instance.run("systemctl reset-failed docker.service docker.socket; systemctl restart docker")
    assert instance.run(RULES) == before
    # The service of Debian's package flushes everybody's rules.
    instance.run("systemctl start nftables && systemctl restart nftables")
    wait_until("the rules are back", lambda: instance.run(RULES, check=False) == before, 10)
    instance.run("systemctl stop nftables; systemctl reset-failed docker.service; systemctl restart docker")
    instance.run("nft flush ruleset; systemctl reset-failed docker.service; systemctl restart docker")
    plan = instance.plan()
    assert f"{TASK} | Let in SSH, HTTP and HTTPS, and nothing else" in plan.planned
    assert "the table inet mstdn is not in force" in plan.stderr
    instance.converge()
    assert instance.run(RULES) == before
    assert instance.converge().changed == []
    assert instance.visit("/health").status == 200


def test_it_is_there_after_a_reboot_without_an_engine(instance: Instance) -> None:
    before = instance.run(RULES)
    instance.world.reboot()
    assert instance.run(RULES) == before
    order = instance.run("systemctl show --property Before --value mstdn-firewall.service")
    assert "network-pre.target" in order
    wait_until("the site is back", instance.serves, 180, 2)
    assert instance.converge().changed == []


def test_a_later_firewall_of_somebodys_own_is_told_and_opens_nothing(instance: Instance) -> None:
    instance.run("nft 'table inet theirs { chain c { type filter hook input priority 0; tcp dport 25 drop; }; }'")
    try:
        run = instance.converge(TASK)
        assert run.changed == []
        assert "the table inet theirs of nftables is a second firewall beside the suite's" in run.stderr
    finally:
        instance.run("nft delete table inet theirs")


# --- A lock-out -----------------------------------------------------------------------------------


@pytest.fixture(name="door")
def _door(instance: Instance) -> Iterator[Instance]:
    """The server without the firewall; the operator comes in by a door that new rules will close."""
    instance.converge(TASK, firewall_enabled=False)
    assert not instance.succeeds(TABLE)
    assert instance.run("ls /usr/local/lib/mstdn /etc/systemd/system | grep firewall; true") == ""
    instance.run(BACK_DOOR)
    try:
        yield instance
    finally:
        instance.run("nft delete table ip door")
        instance.converge(TASK)
        assert instance.converge(TASK).changed == []
        assert instance.succeeds(TABLE)


# One connection by it is let in, and the next gets no answer for as long as it tries.
SLOW_DOOR = (
    "nft -f - <<'END'\ntable ip slow {\nchain c {\ntype filter hook prerouting priority -160;\n"
    "tcp dport 2222 ct state new limit rate over 1/hour burst 1 packets drop\n}\n}\nEND\n"
)


def by_the_door() -> dict[str, object]:
    return {"ssh_port": 2222, "ssh_known_hosts_file": "/dev/null", "firewall_enabled": True}


def test_rules_that_lock_the_operator_out_are_taken_back_at_once(door: Instance) -> None:
    refusal = door.refusal(TASK, **by_the_door())
    assert "you could not log in any more, so they were taken back" in refusal
    assert "port 2222" in refusal and "firewall_tcp_ports" in refusal
    assert not door.succeeds(TABLE)
    assert not door.succeeds("systemctl is-active mstdn-firewall-undo.timer")
    assert not door.succeeds("systemctl is-enabled mstdn-firewall")
    assert "2222" in open_ports(door, "22,2222")
    # With the port that the refusal asks for.
    assert door.converge(TASK, **by_the_door(), firewall_tcp_ports=[2222]).changed
    assert door.succeeds(f"{TABLE} | grep -q 2222")


def test_where_the_run_dies_too_the_server_takes_them_back_itself(door: Instance) -> None:
    door.run(SLOW_DOOR)
    in_force = f"{TABLE} | grep -q dport"
    run = door.begin(TASK, **by_the_door())
    try:
        # The table is there for two seconds before it has rules.
        wait_until("the rules are in force", lambda: run.returncode is not None or door.succeeds(in_force), 60, 0)
    finally:
        run.kill()
        run.communicate()
    assert run.returncode == -signal.SIGKILL
    assert "dport" in door.run(TABLE)
    door.run("nft delete table ip slow")
    wait_until("the rules are gone", lambda: not door.succeeds(TABLE), TRIAL_SECONDS, 1)
    assert "2222" in open_ports(door, "22,2222")
