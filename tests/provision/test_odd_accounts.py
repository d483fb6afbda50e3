"""Accounts in which somebody else has been busy, and servers in states that one does not foresee."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from mstdn.cloud_firewall.operations import open_ports
from mstdn.dns.operations import site_records
from mstdn.server.operations import next_steps, server, server_that_lets_in
from tests.stand_ins.google import error
from tests.stand_ins.internet import answer
from tests.stand_ins.operator import Outcome, plan, provision_settings, run
from tests.stand_ins.world import World


def google(world: World, **values: Any) -> Any:
    login = {"server_project": "my-project", "server_credentials": str(world.google_key)}
    return provision_settings(server_provider="google", **(login | values))


def hetzner(**values: Any) -> Any:
    return provision_settings(server_provider="hetzner", **values)


def made(settings: Any) -> Outcome:
    for operation in (open_ports, server):
        outcome = run(operation, settings=settings)
        assert outcome.refusal == "", outcome.text
    return outcome


# --- Google ---------------------------------------------------------------------------------------


def test_another_zone_in_the_settings_makes_no_second_server_at_google(world: World) -> None:
    made(google(world))
    for place in ("us-west1-a", "europe-west3-a"):
        outcome = run(server, settings=google(world, server_place=place))
        assert (outcome.done, outcome.refusal) == (0, ""), outcome.text
        assert f"The server mastodon is in us-west1-b, and server_place asks for {place}" in outcome.text
    assert len(world.google.instances) == len(world.google.addresses) == 1


def test_a_server_in_another_zone_is_repaired_there(world: World) -> None:
    made(google(world))
    (instance,) = world.google.instances.values()
    instance["tags"]["items"] = []
    settings = google(world, server_place="europe-west3-a", server_disk_gib=50)
    assert run(server, settings=settings).done == 2
    assert instance["tags"]["items"] == ["mastodon"] and instance["disks"][0]["diskSizeGb"] == "50"
    assert run(server, settings=settings).done == 0


def test_the_names_lead_to_a_server_in_another_zone(world: World) -> None:
    made(google(world))
    world.cloudflare.add_zone("example.org")
    settings = google(world, server_place="europe-west3-a", dns_provider="cloudflare", dns_resolvers=[world.resolver])
    assert run(site_records, settings=settings).refusal == ""
    (address,) = (each["address"] for each in world.google.addresses.values())
    assert world.names.values("social.example.org", "A") == (address,)


def test_a_server_of_somebody_else_in_another_zone_is_in_nobodys_way(world: World) -> None:
    made(google(world, server_place="us-west1-a"))
    (instance,) = world.google.instances.values()
    instance["labels"] = {}
    outcome = run(server, settings=google(world, server_name="mastodon", server_place="europe-west3-a"))
    assert outcome.refusal == "", outcome.text
    assert len(world.google.instances) == 2


@pytest.mark.parametrize("status", ["SUSPENDED", "TERMINATED"])
def test_a_server_that_sleeps_at_google_is_woken_as_it_has_to_be(world: World, status: str) -> None:
    made(google(world))
    (instance,) = world.google.instances.values()
    instance["status"] = status
    outcome = run(server, settings=google(world))
    assert (outcome.done, outcome.refusal) == (1, ""), outcome.text
    assert instance["status"] == "RUNNING"


def test_a_server_that_was_stopped_without_an_address_of_its_own_keeps_the_one_it_gets(world: World) -> None:
    made(google(world))
    (instance,) = world.google.instances.values()
    instance.update(status="TERMINATED", labels={})
    world.google.addresses.clear()
    del instance["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
    world.cloudflare.add_zone("example.org")
    settings = google(world, server_adopt=True, dns_provider="cloudflare", dns_resolvers=[world.resolver])
    assert "known when it is made" in plan(site_records, settings=settings).text
    assert [run(operation, settings=settings).refusal for operation in (server, site_records)] == ["", ""]
    (address,) = (each["address"] for each in world.google.addresses.values())
    assert world.names.values("social.example.org", "A") == (address,)
    assert [run(operation, settings=settings).done for operation in (server, site_records)] == [0, 0]


@pytest.mark.parametrize("reserved", [True, False], ids=["one is reserved", "none is reserved"])
def test_a_server_without_a_public_address_is_told_and_no_name_leads_nowhere(world: World, reserved: bool) -> None:
    made(google(world))
    (instance,) = world.google.instances.values()
    instance["networkInterfaces"][0]["accessConfigs"] = []
    if not reserved:
        world.google.addresses.clear()
    world.cloudflare.add_zone("example.org")
    values = {"dns_provider": "cloudflare", "dns_resolvers": [world.resolver], "server_wait_seconds": 60}
    settings = google(world, **values)
    outcome = run(server, settings=settings)
    assert ("is reserved for mastodon, but the server does not use it" in outcome.text) is reserved
    for operation in (server_that_lets_in, site_records):
        told = run(operation, settings=settings)
        assert "The server mastodon at Google has no public address" in told.refusal + told.text
    assert world.names.values("social.example.org", "A") == ()


@pytest.mark.parametrize("status", ["STOPPING", "PENDING_STOP", "SUSPENDING", "DEPROVISIONING"])
def test_a_server_that_somebody_stops_or_deletes_at_google_is_waited_for(world: World, status: str) -> None:
    made(google(world))
    (instance,) = world.google.instances.values()
    instance["status"] = status
    refusal = plan(server, settings=google(world)).refusal
    assert f"The server mastodon is in the state {status} at Google" in refusal and "then run again" in refusal


def test_two_servers_of_ours_in_zones_that_nobody_named_are_refused_with_both(world: World) -> None:
    made(google(world, server_place="us-west1-a"))
    world.google.instances["us-west1-c", "mastodon"] = dict(
        world.google.instances["us-west1-a", "mastodon"], zone="https://x/zones/us-west1-c"
    )
    refusal = plan(server, settings=google(world)).refusal
    assert "There are 2 servers called mastodon at Google, in us-west1-a and us-west1-c" in refusal
    assert "server_place" in refusal
    assert plan(server, settings=google(world, server_place="us-west1-a")).refusal == ""


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"network": "https://x/global/networks/other"}, "is one of the network other, and the server's is default"),
        ({"direction": "EGRESS"}, "is one for the way out"),
        ({"allowed": [], "denied": [{"IPProtocol": "all"}]}, "forbids instead of letting in"),
    ],
)
def test_a_rule_that_is_another_thing_altogether_is_told_and_left(
    world: World, values: dict[str, Any], words: str
) -> None:
    """Nothing that is sent to it would make it ours, and a run would say each time that it did."""
    made(google(world))
    world.google.firewalls["mastodon-web"].update(values)
    before = len(world.internet.only("PATCH"))
    refusal = run(open_ports, settings=google(world)).text
    assert f"The firewall rule mastodon-web {words}" in refusal and "another server_name" in refusal
    assert len(world.internet.only("PATCH")) == before


def test_one_address_is_the_same_network_with_its_prefix_and_without(world: World) -> None:
    settings = google(world, cloud_firewall_ssh_from=["198.51.100.7", "198.51.100.7/32", "192.0.2.0/24"])
    made(settings)
    rule = world.google.firewalls["mastodon-ssh"]
    assert rule["sourceRanges"] == ["192.0.2.0/24", "198.51.100.7/32"]
    rule["sourceRanges"] = ["198.51.100.7", "192.0.2.0/24"]
    assert run(open_ports, settings=settings).done == 0


def test_an_ipv6_address_of_the_operator_stands_beside_that_of_the_server(world: World) -> None:
    """As the refusal of a leftover AAAA record proposes."""
    made(google(world))
    world.cloudflare.add_zone("example.org")
    dns = {"dns_provider": "cloudflare", "dns_resolvers": [world.resolver], "public_ipv6": "2001:db8::1"}
    assert run(site_records, settings=google(world, **dns)).refusal == ""
    (address,) = (each["address"] for each in world.google.addresses.values())
    assert world.names.values("social.example.org", "A") == (address,)
    assert world.names.values("social.example.org", "AAAA") == ("2001:db8::1",)


def test_an_address_of_that_name_that_something_else_uses_is_refused_at_google(world: World) -> None:
    made(google(world, server_name="other"))
    (found,) = world.google.addresses.values()
    found["users"] = ["https://compute.googleapis.com/compute/v1/projects/my-project/zones/us-west1-b/instances/other"]
    world.google.addresses["us-west1", "mastodon"] = world.google.addresses.pop(("us-west1", "other"))
    refusal = plan(server, settings=google(world)).refusal
    assert f"The address mastodon ({found['address']}) is in use by other" in refusal
    assert "another server_name" in refusal
    assert len(world.google.instances) == 1


def test_an_address_of_that_name_that_no_visitor_can_reach_is_refused_at_google(world: World) -> None:
    made(google(world))
    world.google.instances.clear()
    world.google.disks.clear()
    (found,) = world.google.addresses.values()
    found.update(addressType="INTERNAL", address="10.0.0.5", users=[])
    refusal = plan(server, settings=google(world)).refusal
    assert "The address mastodon (10.0.0.5) is one of the network's own" in refusal and "server_name" in refusal


def test_every_rule_of_a_large_network_is_looked_at(world: World) -> None:
    made(google(world))
    rule = world.google.firewalls["mastodon-web"]
    for number in range(520):
        world.google.firewalls[f"a-{number:03d}"] = rule | {"name": f"a-{number:03d}", "disabled": True}
    everything = {"name": "z", "targetTags": [], "allowed": [{"IPProtocol": "tcp", "ports": ["3389"]}]}
    world.google.firewalls["z"] = rule | everything
    assert "the rule z of the network default also lets tcp 3389 in" in run(open_ports, settings=google(world)).text


@pytest.mark.parametrize(
    ("rule", "ports"),
    [
        ({"denied": [{"IPProtocol": "all"}]}, "22, 80, 443"),
        ({"denied": [{"IPProtocol": "tcp", "ports": ["80", "400-500"]}]}, "80, 443"),
        ({"denied": [{"IPProtocol": "udp"}]}, ""),
        ({"denied": [{"IPProtocol": "all"}], "priority": 1001}, ""),
        ({"denied": [{"IPProtocol": "all"}], "targetTags": ["other"]}, ""),
    ],
)
def test_a_rule_of_others_that_keeps_visitors_out_is_told(world: World, rule: dict[str, Any], ports: str) -> None:
    made(google(world))
    network = world.google.firewalls["mastodon-web"]["network"]
    common = {
        "name": "shut",
        "network": network,
        "direction": "INGRESS",
        "sourceRanges": ["0.0.0.0/0"],
        "priority": 1000,
    }
    world.google.firewalls["shut"] = common | rule
    outcome = plan(open_ports, settings=google(world))
    told = f"the rule shut of the network default keeps visitors from the ports {ports}, whatever ours lets in"
    assert (outcome.done, outcome.refusal) == (0, "")
    assert (told in outcome.text) is bool(ports) and ("the rule shut" in outcome.text) is bool(ports)


@pytest.mark.parametrize("provider", ["google", "hetzner"])
def test_no_request_waits_for_ever(world: World, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    waits: set[Any] = set()
    send = requests.adapters.HTTPAdapter.send

    def watched(*args: Any, **kw: Any) -> Any:
        waits.add(kw["timeout"])
        return send(*args, **kw)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", watched)
    made(google(world) if provider == "google" else hetzner())
    assert waits in ({(10, 30), 30, (10, 150)}, {(10, 30)})


@pytest.mark.parametrize("fault", ["no answer in time", "a gateway gives up"])
def test_google_may_take_its_two_minutes_over_an_operation(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Its wait answers after two minutes at the latest, and is asked again where a proxy does not wait for so long."""
    send = requests.adapters.HTTPAdapter.send
    waits: list[Any] = []

    def slow(adapter: Any, request: Any, **kw: Any) -> Any:
        if request.path_url.endswith("/wait"):
            waits.append(kw["timeout"])
            if len(waits) % 2:
                if fault == "no answer in time":
                    raise requests.ReadTimeout
                kw["timeout"] = (10, 30)
                answered = send(adapter, request, **kw)
                answered.status_code = 504
                return answered
        return send(adapter, request, **kw)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", slow)
    made(google(world))
    assert min(seconds for _, seconds in waits) > 120
    assert len(world.google.instances) == 1


def test_what_failed_at_google_is_tried_again_and_not_answered_with_the_old_failure(world: World) -> None:
    """A repeated requestId is the same operation, also when that has failed."""
    world.google.exhausted["us-west1-b"] = ""
    for _ in range(3):
        assert "us-west1-b has no e2-small to give" in run(server, settings=google(world)).text
    world.google.exhausted.clear()
    assert run(server, settings=google(world)).refusal == ""
    assert len(world.google.instances) == 1


def test_what_was_deleted_by_hand_is_made_again_at_once(world: World) -> None:
    made(google(world))
    for each in (world.google.instances, world.google.disks, world.google.addresses, world.google.firewalls):
        each.clear()
    made(google(world))
    assert len(world.google.instances) == len(world.google.addresses) == len(world.google.firewalls) == 1


def test_a_disk_that_a_deleted_server_left_is_not_started_from(world: World) -> None:
    made(google(world))
    world.google.instances.clear()
    world.google.addresses.clear()
    refusal = plan(server, settings=google(world)).refusal
    assert "us-west1-b has a disk called mastodon and no server of that name" in refusal
    assert "Delete it in the console if nothing on it is needed, or choose another server_name" in refusal


def test_google_saying_that_there_is_one_already_is_not_believed_unseen(world: World) -> None:
    """It says so of what is used by something else as well."""
    taken = error(409, "alreadyExists", "The resource 'x' already exists")

    def refuse(request: Any) -> Any:
        return taken if request.method == "POST" and request.path.endswith("/instances") else None

    world.internet.interventions.append(refuse)
    outcome = run(server, settings=google(world))
    assert outcome.refusal != "" and "already exists" in outcome.text


def test_a_provider_that_does_not_answer_in_time_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*args: Any, **kw: Any) -> Any:
        raise requests.ReadTimeout

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", silent)
    refusal = plan(server, settings=hetzner()).refusal
    assert "Hetzner was asked to list servers, but no answer came in time. Run again" in refusal


def test_too_many_requests_at_google_are_waited_for_also_where_it_calls_them_forbidden(world: World) -> None:
    busy = [error(403, "rateLimitExceeded", "Rate Limit Exceeded")] * 2
    world.internet.interventions.append(lambda each: busy.pop() if busy and "compute" in each.host else None)
    assert plan(server, settings=google(world)).refusal == ""
    world.internet.interventions.append(
        lambda each: error(403, "rateLimitExceeded", "Rate Limit Exceeded") if "compute" in each.host else None
    )
    assert "Google has had too many requests" in plan(server, settings=google(world)).refusal


# --- Hetzner --------------------------------------------------------------------------------------


def test_an_address_reserved_elsewhere_does_not_stop_a_server_at_hetzner(world: World) -> None:
    """As the refusal says that comes where there is no machine: try another server_place."""
    world.hetzner.failing["create_server"] = ("resource_unavailable", "sold out")
    assert "Try another server_place" in run(server, settings=hetzner()).text
    world.hetzner.failing.clear()
    told = plan(server, settings=hetzner(server_place="fsn1"))
    assert "static IPv4 in fsn1" in told.text
    assert "is reserved in nbg1 and serves nothing there: delete it in the console" in told.text
    outcome = run(server, settings=hetzner(server_place="fsn1"))
    assert outcome.refusal == "", outcome.text
    (machine,) = world.hetzner.servers.values()
    used = [world.hetzner.primary_ips[machine["public_net"][family]["id"]] for family in ("ipv4", "ipv6")]
    assert [each["location"]["name"] for each in used] == ["fsn1", "fsn1"]
    assert not any(each["auto_delete"] for each in used)
    again = run(server, settings=hetzner(server_place="fsn1"))
    assert (again.done, again.refusal) == (0, "")
    assert len(world.hetzner.primary_ips) == 4


def test_an_address_of_that_name_that_something_else_uses_is_refused_at_hetzner(world: World) -> None:
    made(hetzner(server_name="other"))
    for each in world.hetzner.primary_ips.values():
        each["name"] = each["name"].replace("other", "mastodon")
    refusal = plan(server, settings=hetzner()).refusal
    assert "The address mastodon (203.0.113.5) is in use by another server" in refusal and "server_name" in refusal
    assert len(world.hetzner.servers) == 1


def test_a_server_named_like_the_address_of_another_gets_one_of_its_own(world: World) -> None:
    made(hetzner())
    outcome = run(server, settings=hetzner(server_name="mastodon-ipv6"))
    assert "The address mastodon-ipv6" in outcome.text and "server_name" in outcome.text
    assert len(world.hetzner.servers) == 1


def test_the_names_follow_to_a_second_server_only_when_they_are_told_to(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    dns = {"dns_provider": "cloudflare", "dns_resolvers": [world.resolver]}
    for name in ("mastodon", "mastodon2"):
        made(hetzner(server_name=name))
    assert run(site_records, settings=hetzner(**dns)).refusal == ""
    first = world.names.values("social.example.org", "A")
    refusal = plan(site_records, settings=hetzner(server_name="mastodon2", **dns)).refusal
    assert f"social.example.org has an A record already: {first[0]}" in refusal and "dns_replace=true" in refusal
    assert run(site_records, settings=hetzner(server_name="mastodon2", dns_replace=True, **dns)).refusal == ""
    machine = next(each for each in world.hetzner.servers.values() if each["name"] == "mastodon2")
    assert world.names.values("social.example.org", "A") == (machine["public_net"]["ipv4"]["ip"],) != first


@pytest.mark.parametrize(
    "text", [b"", b"ssh-ed25519", b"ssh-ed25519 canary!", b"ssh-ed25519 AAAAB3NzaC1yc2E= a", b"x\ny", b"\xff\x00"]
)
def test_a_broken_public_key_is_told_before_anything_is_made(world: World, text: bytes) -> None:
    file = world.home / ".ssh" / "id_ed25519.pub"
    file.write_bytes(text)
    refusal = plan(server, settings=hetzner()).refusal
    assert f"{file} does not hold one public SSH key" in refusal and "server_ssh_key" in refusal
    assert world.internet.journal == []


@pytest.mark.parametrize("provider", ["google", "hetzner"])
def test_two_servers_live_side_by_side(world: World, provider: str) -> None:
    def settings(name: str) -> Any:
        return google(world, server_name=name) if provider == "google" else hetzner(server_name=name)

    for name in ("mastodon", "mastodon2"):
        made(settings(name))
    stand_in = getattr(world, provider)
    machines = stand_in.instances if provider == "google" else stand_in.servers
    addresses = stand_in.addresses if provider == "google" else stand_in.primary_ips
    assert (len(machines), len(stand_in.firewalls)) == (2, 2)
    assert len(addresses) == (2 if provider == "google" else 4)
    for name in ("mastodon", "mastodon2"):
        assert [run(operation, settings=settings(name)).done for operation in (open_ports, server)] == [0, 0]


@pytest.mark.parametrize("status", ["stopping", "deleting", "rebuilding", "migrating"])
def test_a_server_that_somebody_stops_rebuilds_or_deletes_at_hetzner_is_waited_for(world: World, status: str) -> None:
    made(hetzner())
    (machine,) = world.hetzner.servers.values()
    machine["status"] = status
    refusal = plan(server, settings=hetzner()).refusal
    assert f"The server mastodon is in the state {status} at Hetzner" in refusal and "then run again" in refusal


def test_a_server_without_ipv4_has_its_names_lead_to_its_ipv6_address(world: World) -> None:
    made(hetzner())
    (machine,) = world.hetzner.servers.values()
    machine["public_net"]["ipv4"] = None
    world.cloudflare.add_zone("example.org")
    settings = hetzner(dns_provider="cloudflare", dns_resolvers=[world.resolver])
    assert run(site_records, settings=settings).refusal == ""
    assert world.names.values("social.example.org", "A") == ()
    assert len(world.names.values("social.example.org", "AAAA")) == 1
    (line,) = [each for each in run(next_steps, settings=settings).lines if "ssh_user" in each]
    assert line.strip().startswith('("2001:db8:')


def test_the_line_for_the_inventory_names_the_server_that_was_made_wherever_the_names_lead(world: World) -> None:
    made(hetzner(server_name="second"))
    (machine,) = world.hetzner.servers.values()
    text = run(next_steps, settings=hetzner(server_name="second", public_ipv4="198.51.100.7")).text
    assert f'("{machine["public_net"]["ipv4"]["ip"]}", ' in text


@pytest.mark.parametrize("provider", ["google", "hetzner"])
def test_the_login_is_tried_at_the_server_that_was_made(
    world: World, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    tried: list[tuple[str, str]] = []
    login = "mstdn.server.operations.wait_until_it_lets_in"
    monkeypatch.setattr(login, lambda address, user, *_: tried.append((address, user)))
    values = {"public_ipv4": "198.51.100.7", "server_wait_seconds": 60}
    settings = google(world, **values) if provider == "google" else hetzner(**values)
    made(settings)
    assert run(server_that_lets_in, settings=settings).refusal == ""
    assert tried == [("203.0.113.5", "admin" if provider == "google" else "root")]


@pytest.mark.parametrize("kind", ["firewalls", "primary_ips", "ssh_keys", "servers"])
def test_hetzner_saying_that_there_is_one_already_is_not_believed_unseen(world: World, kind: str) -> None:
    taken = answer(409, {"error": {"code": "uniqueness_error", "message": "name is already used"}})

    def refuse(request: Any) -> Any:
        return taken if request.method == "POST" and request.path == f"/v1/{kind}" else None

    world.internet.interventions.append(refuse)
    outcomes = [run(operation, settings=hetzner()) for operation in (open_ports, server)]
    assert "name is already used" in "\n".join(each.text for each in outcomes)
