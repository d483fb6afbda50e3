"""The contract that each server provider's module passes, and each drift of a server: repaired, or told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mstdn.cloud_firewall.operations import open_ports
from mstdn.server.operations import next_lines, server
from tests.stand_ins.internet import Response
from tests.stand_ins.operator import Outcome, plan, provision_settings, run
from tests.stand_ins.world import PUBLIC_KEY, World


@dataclass
class Account:
    """An account with a server that was made by the suite."""

    world: World
    name: str

    def settings(self, **values: Any) -> Any:
        if self.name == "google":
            login = {"server_project": "my-project", "server_credentials": str(self.world.google_key)}
            return provision_settings(server_provider="google", **login, **values)
        return provision_settings(server_provider="hetzner", **values)

    def run(self, operation: Any = server, **values: Any) -> Outcome:
        return run(operation, settings=self.settings(**values))

    @property
    def machine(self) -> dict[str, Any]:
        found = self.world.google.instances if self.name == "google" else self.world.hetzner.servers
        (machine,) = found.values()
        return machine


@pytest.fixture(name="account", params=["google", "hetzner"])
def _account(request: pytest.FixtureRequest, world: World) -> Account:
    account = Account(world, request.param)
    for operation in (open_ports, server):
        assert account.run(operation).refusal == ""
    return account


def test_a_server_that_is_right_is_not_touched(account: Account) -> None:
    before = len(account.world.internet.only("POST", "PUT", "PATCH"))
    assert (account.run().done, account.run(open_ports).done) == (0, 0)
    after = account.world.internet.only("POST", "PUT", "PATCH")[before:]
    assert [each for each in after if "/token" not in each] == []


def stopped(account: Account) -> None:
    account.machine["status"] = "TERMINATED" if account.name == "google" else "off"


def unprotected(account: Account) -> None:
    if account.name == "google":
        account.machine["deletionProtection"] = False
    else:
        account.machine["protection"].update(delete=False)


def untagged(account: Account) -> None:
    if account.name == "google":
        account.machine["tags"]["items"] = ["of-somebody"]
    else:
        account.machine["labels"] = {"managed-by": "mstdn", "team": "blue"}


@pytest.mark.parametrize("drift", [stopped, unprotected, untagged])
def test_a_drift_is_foretold_repaired_and_then_gone(account: Account, drift: Callable[[Account], None]) -> None:
    drift(account)
    foretold = plan(server, settings=account.settings())
    assert foretold.done == 1 and "  ~ server" in foretold.text
    assert (account.run().done, account.run().done) == (1, 0)


def test_the_tags_and_labels_of_others_stay(account: Account) -> None:
    untagged(account)
    account.run()
    if account.name == "google":
        assert account.machine["tags"]["items"] == ["of-somebody", "mastodon"]
    else:
        assert account.machine["labels"]["team"] == "blue"


def test_an_address_that_would_go_with_the_server_is_kept(account: Account) -> None:
    if account.name == "google":
        account.world.google.addresses.clear()
    else:
        for address in account.world.hetzner.primary_ips.values():
            address["auto_delete"] = True
    assert (
        "it stays when the server goes" in (text := plan(server, settings=account.settings()).text) or "static" in text
    )
    assert account.run().done in (1, 2)
    assert account.run().done == 0
    if account.name == "google":
        (address,) = account.world.google.addresses.values()
        assert address["address"] == account.machine["networkInterfaces"][0]["accessConfigs"][0]["natIP"]


def test_a_server_made_by_hand_is_refused_until_it_is_adopted(account: Account) -> None:
    account.machine["labels"] = {}
    refusal = plan(server, settings=account.settings()).refusal
    assert "has a server called mastodon already, and it was not made by this suite" in refusal
    assert "pyinfra @local tasks/server.py --data server_adopt=true" in refusal
    assert account.machine["labels"] == {}
    assert account.run(server_adopt=True).refusal == ""
    assert account.machine["labels"]["managed-by"] == "mstdn"
    assert account.run().done == 0


@pytest.mark.parametrize(
    ("google", "hetzner", "words"),
    [
        (
            {"server_type": "e2-medium"},
            {"server_type": "cx33"},
            "It is not changed: stop the server and change its type",
        ),
        ({"server_disk_gib": 20}, {"server_place": "fsn1"}, "Disks do not shrink|A server does not move"),
    ],
)
def test_what_cannot_be_changed_is_told_and_left(
    account: Account, google: dict[str, Any], hetzner: dict[str, Any], words: str
) -> None:
    outcome = account.run(**(google if account.name == "google" else hetzner))
    assert (outcome.done, outcome.refusal) == (0, "")
    assert any(part in outcome.text for part in words.split("|"))


def test_the_firewall_is_repaired_and_rules_of_others_are_told(account: Account) -> None:
    world = account.world
    if account.name == "google":
        rule = world.google.firewalls["mastodon-web"]
        rule.update(disabled=True, sourceRanges=["10.0.0.0/8"], targetTags=["other"])
        other = rule | {"name": "default-allow-rdp", "targetTags": [], "sourceRanges": ["0.0.0.0/0"], "disabled": False}
        other["allowed"] = [{"IPProtocol": "tcp", "ports": ["3389"]}]
        world.google.firewalls["default-allow-rdp"] = other
    else:
        (firewall,) = world.hetzner.firewalls.values()
        firewall.update(rules=firewall["rules"][:1], applied_to=[])
    assert "~ firewall   mastodon-web" in plan(open_ports, settings=account.settings()).text
    outcome = account.run(open_ports)
    assert outcome.refusal == ""
    lets_in = world.google.lets_in if account.name == "google" else world.hetzner.lets_in
    assert [port for port in (22, 80, 443, 9090) if lets_in(port)] == [22, 80, 443]
    assert account.run(open_ports).done == 0
    if account.name == "google":
        assert "the rule default-allow-rdp of the network default also lets tcp 3389 in from anywhere" in outcome.text
        assert world.google.firewalls["default-allow-rdp"]["allowed"] == other["allowed"]


@pytest.mark.parametrize(
    "drift",
    [
        {"disabled": True},
        {"sourceRanges": ["10.0.0.0/8"]},
        {"targetTags": ["other"]},
        {"allowed": [{"IPProtocol": "tcp", "ports": ["22", "80", "443", "3389"]}]},
    ],
    ids=lambda drift: next(iter(drift)),
)
def test_each_drift_of_a_rule_at_google_is_seen(world: World, drift: dict[str, Any]) -> None:
    account = Account(world, "google")
    account.run(open_ports)
    world.google.firewalls["mastodon-web"].update(drift)
    assert plan(open_ports, settings=account.settings()).done == 1


def test_ssh_can_be_narrowed_and_the_web_stays_open(account: Account) -> None:
    assert account.run(open_ports, cloud_firewall_ssh_from=["198.51.100.7/32"]).refusal == ""
    assert account.run(open_ports, cloud_firewall_ssh_from=["198.51.100.7/32"]).done == 0
    lets_in = account.world.google.lets_in if account.name == "google" else account.world.hetzner.lets_in
    assert [port for port in (22, 80, 443) if lets_in(port)] == [80, 443]


def test_at_google_our_key_is_added_to_those_of_others_and_os_login_is_off(world: World) -> None:
    account = Account(world, "google")
    account.run(open_ports)
    account.run()
    account.machine["metadata"]["items"] = [
        {"key": "ssh-keys", "value": "bob:ssh-ed25519 AAAA bob"},
        {"key": "enable-oslogin", "value": "TRUE"},
        {"key": "startup-script", "value": "true"},
    ]
    assert account.run().refusal == ""
    metadata = {each["key"]: each["value"] for each in account.machine["metadata"]["items"]}
    ours = f"admin:{' '.join(PUBLIC_KEY.split()[:2])} admin"
    assert metadata == {
        "ssh-keys": f"bob:ssh-ed25519 AAAA bob\n{ours}",
        "enable-oslogin": "FALSE",
        "startup-script": "true",
    }
    assert account.run().done == 0


def test_at_hetzner_rules_for_the_way_out_stay(world: World) -> None:
    account = Account(world, "hetzner")
    account.run(open_ports)
    (firewall,) = world.hetzner.firewalls.values()
    outgoing = {"direction": "out", "protocol": "tcp", "port": "587", "destination_ips": ["0.0.0.0/0"]}
    firewall["rules"] = [{"description": None, "source_ips": []} | outgoing]
    assert account.run(open_ports).refusal == ""
    (kept,) = [each for each in firewall["rules"] if each["direction"] == "out"]
    assert {name: kept[name] for name in outgoing} == outgoing
    assert account.run(open_ports).done == 0


def test_at_google_a_disk_grows(world: World) -> None:
    account = Account(world, "google")
    account.run()
    assert account.run(server_disk_gib=50).done == 1
    assert account.machine["disks"][0]["diskSizeGb"] == "50"
    assert account.run(server_disk_gib=50).done == 0


def test_at_google_somebody_who_changes_the_tags_meanwhile_loses_nothing(world: World) -> None:
    account = Account(world, "google")
    account.run()
    account.machine["tags"]["items"] = []

    def meanwhile(request: Any) -> None:
        if request.path.endswith("/setTags"):
            account.machine["tags"].update(items=["theirs"], fingerprint="t-new")

    world.internet.interventions.append(meanwhile)
    assert "Supplied fingerprint does not match" in account.run().text
    world.internet.interventions.clear()
    account.run()
    assert account.machine["tags"]["items"] == ["theirs", "mastodon"]


@pytest.mark.parametrize("what", ["addresses", "instances"])
def test_at_google_a_repeated_wish_is_the_same_request(world: World, what: str) -> None:
    account = Account(world, "google")
    lost: list[str] = []

    def lose(request: Any) -> Response | None:
        if request.method != "POST" or not request.path.endswith(f"/{what}"):
            return None
        lost.append(request.query["requestId"])
        if len(lost) > 1:
            return None
        # It was carried out, and its answer is lost on the way.
        world.google(request)
        return Response(200, b"")

    world.internet.interventions.append(lose)
    assert account.run().refusal != ""
    assert account.run().refusal == ""
    assert len(lost) == 2 and len(set(lost)) == 1
    assert len(world.google.addresses) == len(world.google.instances) == 1


@pytest.mark.parametrize("what", ["servers", "primary_ips", "ssh_keys", "firewalls"])
def test_at_hetzner_two_runs_at_the_same_moment_make_one_of_each(world: World, what: str) -> None:
    account = Account(world, "hetzner")

    def another_run(request: Any) -> None:
        if request.method == "POST" and request.path == f"/v1/{what}":
            world.hetzner(request)

    world.internet.interventions.append(another_run)
    for operation in (open_ports, server):
        assert account.run(operation).refusal == ""
    stand_in = world.hetzner
    found = (stand_in.servers, stand_in.primary_ips, stand_in.ssh_keys, stand_in.firewalls)
    assert list(map(len, found)) == [1, 2, 1, 1]


def test_no_ssh_key_is_told_with_the_command_that_makes_one(world: World) -> None:
    (world.home / ".ssh" / "id_ed25519.pub").unlink()
    assert "ssh-keygen -t ed25519" in plan(server, settings=provision_settings(server_provider="hetzner")).refusal


def test_the_last_lines_name_all_that_is_left_to_do() -> None:
    settings = provision_settings(public_ipv4="198.51.100.7")
    lines = next_lines(settings, "198.51.100.7", "admin")
    assert lines[1] == '    ("198.51.100.7", {"ssh_user": "admin"}),'
    assert len(lines) == 6 and lines[-1] == "Then: pyinfra inventory.py deploy.py"


def test_a_server_behind_nat_is_told_its_public_address_so_that_preflight_knows_it() -> None:
    lines = next_lines(provision_settings(), "198.51.100.7", "admin", behind_nat=True)
    assert lines[1] == '    ("198.51.100.7", {"ssh_user": "admin", "public_ipv4": "198.51.100.7"}),'


@pytest.mark.parametrize(("sender", "told"), [("", True), ("Mastodon <m@example.org>", False)])
def test_the_sender_that_the_deploy_needs_is_named_where_it_is_not_set(world: World, sender: str, told: bool) -> None:
    settings = provision_settings(mail_domain_provider="sparkpost", mail_domain="example.org", smtp_from_address=sender)
    line = '    smtp_from_address = "Mastodon <notifications@example.org>"'
    assert (line in next_lines(settings, "198.51.100.7", "admin")) is told
