"""The lab's providers: what their edge lets through, what their image holds, and who removes what they made."""

from __future__ import annotations

import ast
import re
import runpy
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import pytest

from tests.harness import ROOT
from tests.lab import addresses, builder, clouds, inhabitants, lab
from tests.lab.catalogue import CATALOGUE
from tests.lab.commands import LabError
from tests.lab.desk import Desk
from tests.lab.engine import Engine
from tests.lab.images.clouds.edge import ruleset
from tests.stand_ins import names
from tests.stand_ins.accounts import Accounts
from tests.stand_ins.data_centre import EVERYTHING, BareMachine, DataCentre, Opening
from tests.stand_ins.google import GoogleStandIn
from tests.stand_ins.hetzner import HetznerStandIn
from tests.stand_ins.names import Names
from tests.stand_ins.sparkpost import SMTP_HOSTS, SparkPostStandIn

WEB = Opening("tcp", ("80", "443"), ("0.0.0.0/0",))
OFFICE = Opening("tcp", ("22",), ("192.0.2.0/24", "198.51.100.7/32"))


def chain(text: str, name: str) -> list[str]:
    """The rules of one chain."""
    lines = text.partition(f"    chain {name} {{\n")[2].partition("    }\n")[0].splitlines()
    return [line.strip() for line in lines[1:]]


def test_the_edge_translates_one_to_one_and_drops_what_nobody_opened() -> None:
    text = ruleset({"203.0.113.5": "10.0.0.5", "203.0.113.6": "10.0.0.6"}, {"203.0.113.5": (WEB, OFFICE)})
    assert text.startswith("table ip edge\ndelete table ip edge\ntable ip edge {\n")
    assert chain(text, "arriving") == [
        "ip daddr 203.0.113.5 dnat to 10.0.0.5",
        "ip daddr 203.0.113.6 dnat to 10.0.0.6",
    ]
    assert chain(text, "departing") == [
        "ip saddr 10.0.0.5 snat to 203.0.113.5",
        "ip saddr 10.0.0.6 snat to 203.0.113.6",
    ]
    assert chain(text, "guarding") == [
        "ct state established,related accept",
        "ip daddr 10.0.0.5 tcp dport { 80, 443 } accept",
        "ip daddr 10.0.0.5 ip saddr { 192.0.2.0/24, 198.51.100.7/32 } tcp dport { 22 } accept",
        "ip daddr 10.0.0.5 drop",
        "ip daddr 10.0.0.6 drop",
    ]


@pytest.mark.parametrize(
    ("opening", "rule"),
    [
        (EVERYTHING, "ip daddr 10.0.0.5 accept"),
        (Opening("icmp", (), ("0.0.0.0/0",)), "ip daddr 10.0.0.5 ip protocol icmp accept"),
        (Opening("udp", ("60000-61000",), ("0.0.0.0/0",)), "ip daddr 10.0.0.5 udp dport { 60000-61000 } accept"),
        (Opening("tcp", (), ("0.0.0.0/0",)), "ip daddr 10.0.0.5 ip protocol tcp accept"),
    ],
)
def test_the_edge_writes_each_kind_of_opening(opening: Opening, rule: str) -> None:
    assert rule in chain(ruleset({"203.0.113.5": "10.0.0.5"}, {"203.0.113.5": (opening,)}), "guarding")


@pytest.mark.parametrize(
    ("opening", "port", "through"),
    [
        (WEB, 443, True),
        (WEB, 22, False),
        (OFFICE, 22, False),
        (EVERYTHING, 9090, True),
        (Opening("tcp", ("8000-8010",), ("0.0.0.0/0",)), 8005, True),
        (Opening("udp", ("443",), ("0.0.0.0/0",)), 443, False),
    ],
)
def test_an_opening_knows_whom_it_lets_in(opening: Opening, port: int, through: bool) -> None:
    assert opening.lets_in(port) is through


class Centre(DataCentre):
    """It notes what it is asked to start."""

    def __init__(self) -> None:
        super().__init__()
        self.booted: list[BareMachine] = []

    def boot(self, machine: BareMachine) -> None:
        self.booted.append(machine)


def order(**metadata: str) -> dict[str, Any]:
    return {
        "name": "mastodon",
        "machineType": "zones/us-west1-b/machineTypes/e2-small",
        "disks": [
            {"initializeParams": {"diskSizeGb": "30", "sourceImage": "projects/p/global/images/family/debian-12"}}
        ],
        "networkInterfaces": [{"accessConfigs": [{"natIP": "203.0.113.5"}]}],
        "tags": {"items": ["web"]},
        "metadata": {"items": [{"key": name.replace("_", "-"), "value": value} for name, value in metadata.items()]},
    }


@pytest.mark.parametrize(
    ("login", "keys"),
    [("FALSE", {"admin": ("ssh-ed25519 A admin", "ssh-rsa B x"), "eve": ("ssh-ed25519 C",)}), ("TRUE", {})],
)
def test_google_gives_the_machine_the_keys_of_its_metadata_unless_os_login_hides_them(
    login: str, keys: dict[str, Any]
) -> None:
    centre = Centre()
    lines = "admin:ssh-ed25519 A admin\neve:ssh-ed25519 C\nadmin:ssh-rsa B x"
    GoogleStandIn(centre).add_instance("us-west1-b", order(ssh_keys=lines, enable_oslogin=login))
    assert centre.booted == [BareMachine("debian-12", "203.0.113.5", "", keys)]


@pytest.mark.parametrize(
    ("rule", "opened"),
    [
        ({"targetTags": ["web"]}, True),
        ({"targetTags": []}, True),
        ({"targetTags": ["other"]}, False),
        ({"targetTags": ["web"], "disabled": True}, False),
        ({"targetTags": ["web"], "direction": "EGRESS"}, False),
    ],
)
def test_google_lets_in_only_where_rule_and_tag_agree(rule: dict[str, Any], opened: bool) -> None:
    google = GoogleStandIn(Centre())
    google.add_instance("us-west1-b", order())
    allowed = [{"IPProtocol": "tcp", "ports": ["80", "443"]}]
    google.firewalls["web"] = {"direction": "INGRESS", "sourceRanges": ["0.0.0.0/0"], "allowed": allowed, **rule}
    assert google.openings() == {"203.0.113.5": (WEB,) if opened else ()}


def test_hetzner_lets_everything_in_until_a_firewall_applies() -> None:
    hetzner = HetznerStandIn(Names(), Centre())
    hetzner.servers[1] = {"labels": {"a": "b"}, "public_net": {"ipv4": {"ip": "203.0.113.5"}}}
    rule = {"direction": "in", "protocol": "tcp", "port": "80", "source_ips": ["0.0.0.0/0", "::/0"]}
    hetzner.firewalls[2] = {"applied_to": [{"label_selector": {"selector": "a=c"}}], "rules": [rule]}
    assert hetzner.openings() == {"203.0.113.5": (EVERYTHING,)}
    hetzner.servers[1]["labels"] = {"a": "c"}
    assert hetzner.openings() == {"203.0.113.5": (Opening("tcp", ("80",), ("0.0.0.0/0",)),)}


@pytest.mark.parametrize(("sender", "taken"), [("m@example.org", True), ("m@other.example", False), ("m@", False)])
def test_sparkpost_takes_mail_of_verified_domains_only(sender: str, taken: bool) -> None:
    sparkpost = SparkPostStandIn(Names())
    for domain, verified in (("example.org", True), ("other.example", False)):
        sparkpost.domains[domain] = {"status": {"ownership_verified": verified}, "dkim": {}}
    assert (sparkpost.refusal(sender) == "") is taken


def ask(dns_server: Names, server: str, name: str) -> dns.message.Message:
    wire = dns_server.reply(dns.message.make_query(name, "A").to_wire(), server, udp=True)
    assert wire is not None
    return dns.message.from_wire(wire)


def test_a_resolver_forgets_after_a_while_that_a_name_did_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    server = Names()
    server.add_zone("example.org", ("ns1.example.org", server.places[1]))
    assert ask(server, server.places[0], "a.example.org").rcode() == dns.rcode.NXDOMAIN
    server.publish("example.org", "a.example.org", "A", 300, ("192.0.2.1",))
    assert ask(server, server.places[0], "a.example.org").rcode() == dns.rcode.NXDOMAIN
    now[0] += names.REMEMBERS_SECONDS + 1
    assert ask(server, server.places[0], "a.example.org").answer != []


def test_a_zones_name_server_remembers_nothing_even_when_it_is_asked_to_resolve() -> None:
    server = Names()
    server.add_zone("example.org", ("ns1.example.org", server.places[1]))
    assert ask(server, server.places[1], "a.example.org").rcode() == dns.rcode.NXDOMAIN
    server.publish("example.org", "a.example.org", "A", 300, ("192.0.2.1",))
    assert ask(server, server.places[1], "a.example.org").answer != []


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def test_the_image_holds_all_that_its_program_imports() -> None:
    image = CATALOGUE["clouds"]
    held = {name.removeprefix("suite/"): path for name, path in builder._files(image)}
    own = "tests/lab/images/clouds/"
    files = {(own + name if "/" not in name else name): path for name, path in held.items()}
    recipe = files[f"{own}Dockerfile"].read_text()
    assert re.search(r"COPY (.*) /lab/tests/lab/images/clouds/", recipe)[1].split() == [  # type: ignore[index]
        name.removeprefix(own) for name in files if name.startswith(own) and name.endswith(".py")
    ]
    todo, seen, outside = [f"{own}providers.py"], set[str](), set[str]()
    while todo:
        seen.add(current := todo.pop())
        for module in imports(files[current]):
            file = module.replace(".", "/") + ".py"
            if file in files:
                todo += [file] if file not in seen else []
            elif module.split(".")[0] in ("tests", "mstdn"):
                assert (ROOT / module.replace(".", "/")).is_dir() or not (ROOT / file).exists(), module
            else:
                outside.add(module.split(".")[0])
    packages = {"aiosmtpd": "aiosmtpd", "cryptography": "cryptography", "dns": "dnspython"}
    packages["typing_extensions"] = "typing-extensions"
    assert outside - sys.stdlib_module_names - {"__future__"} == set(packages)
    assert all(f"python3-{each}" in recipe for each in packages.values())


def test_a_changed_stand_in_is_another_image_of_the_clouds_and_of_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tags() -> dict[str, str]:
        builder.fingerprint.cache_clear()
        return {name: builder.tag(name) for name in CATALOGUE}

    before = tags()
    for pattern in CATALOGUE["clouds"].suite:
        for path in ROOT.glob(pattern):
            (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / path.relative_to(ROOT))
    monkeypatch.setattr(builder, "REPOSITORY", tmp_path)
    assert tags() == before
    with (tmp_path / "tests/stand_ins/google.py").open("a") as file:
        file.write("# changed\n")
    after = tags()
    builder.fingerprint.cache_clear()
    assert {name for name in before if before[name] != after[name]} == {"clouds"}


def test_every_provider_is_found_under_its_real_name_and_so_are_its_name_servers() -> None:
    images = builder.DIRECTORY
    known = (images / "identity/provider-names").read_text().split()
    assert {*Accounts(Names()).sites, *SMTP_HOSTS.values()} == set(known)
    services = runpy.run_path(str(images / "internet/services.py"))
    text = (images / "clouds/providers.py").read_text()
    named = re.findall(r'"((?:[\w-]+\.){2,}[a-z]+)"', text.partition("NAME_SERVERS = {")[2].partition("}")[0])
    assert len(named) == 8
    assert [name for name in named if not name.endswith(services["ZONES"])] == []


def test_the_addresses_of_the_first_lab_are_those_of_the_documentation() -> None:
    page = (ROOT / "docs" / "lab.md").read_text()
    for host in (3, 5, 31, 34):
        assert addresses.address_of(0, host).ipv4 in page
    assert list(addresses.MADE) == [f"made{number}" for number in range(1, 5)]
    assert len({addresses.network_of(number, host) for number in range(10) for host in range(1, 5)}) == 40


def test_what_providers_make_is_known_by_name_so_that_it_is_removed_with_the_lab() -> None:
    made = inhabitants.made("made2", "12", "2001:db8::1", {"admin": ["ssh-ed25519 A", "ssh-rsa B"]})
    assert made.container == inhabitants.EVERYONE["made2"].container
    gateway = addresses.CLOUDS.ipv4
    users = ("admin", "ssh-ed25519 A", "admin", "ssh-rsa B")
    assert made.command == ("/init", addresses.INTERNET.ipv4, "2001:db8::1", gateway, *users)
    assert made.image == "server:12"


@pytest.mark.parametrize(("image", "made"), [("debian-13", "server:13"), ("debian-12", "server:12")])
def test_an_order_is_carried_out(monkeypatch: pytest.MonkeyPatch, image: str, made: str) -> None:
    machines: list[inhabitants.Inhabitant] = []
    monkeypatch.setattr(lab, "make", machines.append)
    private = addresses.MADE["made3"][1].ipv4
    clouds._boot({"private": private, "image": image, "ipv6": "", "keys": {"root": ["ssh-ed25519 A"]}})
    assert [(each.name, each.image) for each in machines] == [("made3", made)]


def test_an_image_that_the_lab_does_not_have_is_told_with_those_that_it_has() -> None:
    order = {"private": addresses.MADE["made3"][1].ipv4, "image": "ubuntu-2404-lts-amd64", "ipv6": "", "keys": {}}
    with pytest.raises(LabError, match="only debian-13 and debian-12"):
        clouds._boot(order)


PROVIDERS = """
import json, sys
world = json.loads(sys.stdin.readline())
print(json.dumps({"answer": "ready"}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message["ask"] == "end":
        sys.exit("because of it")
    if message["ask"] == "order":
        print(json.dumps({"boot": {"private": world["machines"][message["number"]]["private"]}}), flush=True)
    print(json.dumps({"answer": world["own"]}), flush=True)
"""


@pytest.fixture(name="removed")
def _removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A lab whose `docker exec` runs a program of ours; what is removed is noted."""
    program = tmp_path / "docker"
    program.write_text(f"#!{sys.executable}\n{PROVIDERS}")
    program.chmod(0o755)
    removed: list[str] = []
    monkeypatch.setattr(clouds, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(lab, "running", lambda: Engine({"PATH": str(tmp_path)}))
    monkeypatch.setattr(Engine, "run", lambda *_, **__: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(clouds, "remove_machines", lambda engine: removed.append("all"))

    def boot(order: dict[str, str]) -> None:
        if order["private"] != addresses.MADE["made1"][1].ipv4:
            raise LabError("no such machine")
        removed.append("made")

    monkeypatch.setattr(clouds, "_boot", boot)
    return removed


def test_what_is_ordered_is_made_and_all_is_removed_at_the_end(removed: list[str]) -> None:
    with clouds.opened() as there:
        assert removed == ["all"]
        assert there.ask("order", number=0) == addresses.CLOUDS.ipv4
    assert removed == ["all", "made", "all"]


@pytest.mark.usefixtures("removed")
def test_a_machine_that_could_not_be_made_is_told_at_the_next_question() -> None:
    with clouds.opened() as there, pytest.raises(LabError, match="no such machine"):
        there.ask("order", number=1)
        there._orders[0].join()
        there.ask("anything")


@pytest.mark.usefixtures("removed")
def test_providers_that_end_are_told_with_their_last_lines() -> None:
    with clouds.opened() as there, pytest.raises(LabError, match="because of it"):
        there.ask("end")


def test_nobody_takes_the_providers_away_from_somebody_who_has_them(removed: list[str]) -> None:
    with clouds.opened():
        with pytest.raises(LabError, match="Somebody else"), clouds.opened():
            pass
        assert removed == ["all"]


def test_the_operators_computer_is_a_clone_and_knows_nothing_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ours")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.net:3128")
    desk = Desk(tmp_path)
    desk.take_keys({"type": "service_account"}, SMTP_PASSWORD="smtp")
    assert (desk.suite / "provision.py").read_text() == (ROOT / "provision.py").read_text()
    assert not (desk.suite / "tests").exists() and not (desk.suite / ".venv").exists()
    assert stat.S_IMODE((desk.suite / "secrets.env").stat().st_mode) == 0o600
    assert "SMTP_PASSWORD='smtp'\n" in (desk.suite / "secrets.env").read_text()
    found = desk.environment()
    assert [name for name in found if name.startswith(("AWS_", "HTTPS_"))] == []
    assert found["HOME"] == str(tmp_path) and found["REQUESTS_CA_BUNDLE"].endswith("authorities.pem")
    assert (tmp_path / "resolv.conf").read_text() == f"nameserver {addresses.INTERNET.ipv4}\n"
    assert desk.command("pyinfra", "--version")[-2:] == ["pyinfra", "--version"]
