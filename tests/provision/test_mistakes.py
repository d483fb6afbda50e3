"""What people do wrong, or what a cloud does to them: a sentence that names the right, the place or the setting."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from mstdn.cloud import google as cloud_google
from mstdn.cloud_firewall.operations import open_ports
from mstdn.dns.operations import proven_records, site_records
from mstdn.mail_domain.operations import published_domain, registered_domain, verified_domain
from mstdn.server.operations import server
from tests.stand_ins.cloudflare import error as cloudflare_error
from tests.stand_ins.google import HOST as GOOGLE
from tests.stand_ins.google import error as google_error
from tests.stand_ins.internet import Request, Response, answer
from tests.stand_ins.operator import Outcome, plan, provision_settings, run
from tests.stand_ins.route53 import HOST as ROUTE53
from tests.stand_ins.route53 import refusal as route53_refusal
from tests.stand_ins.world import World


def google_settings(world: World, **values: Any) -> Any:
    login = {"server_project": "my-project", "server_credentials": str(world.google_key)}
    return provision_settings(server_provider="google", **(login | values))


def dns_settings(world: World, provider: str, **values: Any) -> Any:
    chosen = {"dns_provider": provider, "public_ipv4": "198.51.100.7", "dns_resolvers": [world.resolver]}
    return provision_settings(**(chosen | values))


def mail_settings(world: World, **values: Any) -> Any:
    chosen = {"mail_domain_provider": "sparkpost", "mail_domain": "example.org", "dns_resolvers": [world.resolver]}
    return provision_settings(**(chosen | values))


# --- Google ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "role"),
    [
        ("compute.instances.create", "roles/compute.instanceAdmin.v1"),
        ("compute.addresses.create", "roles/compute.publicIpAdmin"),
        ("compute.addresses.setLabels", "roles/compute.publicIpAdmin"),
    ],
)
def test_a_missing_right_at_google_is_named_with_the_command_that_gives_it(world: World, right: str, role: str) -> None:
    world.google.denied.add(right)
    text = run(server, settings=google_settings(world)).text
    account = "provision@my-project.iam.gserviceaccount.com"
    assert f"{account} lacks {right} in my-project. Give it the role: gcloud projects" in text
    assert f"add-iam-policy-binding my-project --member=serviceAccount:{account} --role={role}" in text


def test_the_right_for_firewalls_at_google_is_another_role(world: World) -> None:
    world.google.denied.add("compute.firewalls.create")
    text = run(open_ports, settings=google_settings(world)).text
    assert "lacks compute.firewalls.create" in text and "--role=roles/compute.securityAdmin" in text


def test_an_interface_that_is_off_at_google_is_told_with_its_link(world: World) -> None:
    world.google.enabled = False
    refusal = plan(server, settings=google_settings(world)).refusal
    assert "The Compute Engine API is off in the project my-project. Turn it on at " in refusal
    assert "https://console.cloud.google.com/apis/library/compute.googleapis.com?project=my-project (the" in refusal
    assert "Nothing was changed" in refusal


def test_a_project_without_a_billing_account_is_told_with_its_link(world: World) -> None:
    words = (
        "This API method requires billing to be enabled. Please enable billing on project #1 by visiting … then retry."
    )
    world.internet.interventions.append(
        lambda request: google_error(403, "forbidden", words) if request.host == GOOGLE else None
    )
    refusal = plan(server, settings=google_settings(world)).refusal
    assert "The project my-project has no billing account" in refusal
    assert "https://console.cloud.google.com/billing/linkedaccount?project=my-project" in refusal


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("QUOTA_EXCEEDED", "Ask for more at https://console.cloud.google.com/iam-admin/quotas?project=my-project"),
        (
            "ZONE_RESOURCE_POOL_EXHAUSTED",
            "Try another zone of us-west1 (server_place), or run again later. The address",
        ),
    ],
)
def test_an_operation_that_fails_at_google_is_told_and_keeps_the_address(world: World, code: str, words: str) -> None:
    """Its request was answered with 200, and the server is then simply not there."""
    failed = {"errors": [{"code": code, "message": "Quota 'CPUS' exceeded.  Limit: 0.0 in region us-west1."}]}

    def fail(request: Request) -> Response | None:
        if request.method != "POST" or not request.path.endswith("/instances"):
            return None
        return answer(200, {"status": "DONE", "selfLink": "", "error": failed, "httpErrorStatusCode": 403})

    world.internet.interventions.append(fail)
    assert words in run(server, settings=google_settings(world)).text
    world.internet.interventions.clear()
    assert run(server, settings=google_settings(world)).refusal == ""
    assert len(world.google.addresses) == len(world.google.instances) == 1


def test_a_quota_at_google_is_told_in_its_own_words(world: World) -> None:
    world.google.address_quota = 0
    text = run(server, settings=google_settings(world)).text
    assert "Quota 'STATIC_ADDRESSES' exceeded" in text and "iam-admin/quotas?project=my-project" in text


def test_an_empty_zone_at_google_keeps_the_address_and_names_other_zones(world: World) -> None:
    world.google.exhausted["us-west1-b"] = "us-west1-a,us-west1-c"
    text = run(server, settings=google_settings(world)).text
    assert "us-west1-b has no e2-small to give at the moment. Google names us-west1-a and us-west1-c instead" in text
    assert 'set server_place = "us-west1-a" and run again. The address 203.0.113.5 is reserved and stays yours.' in text
    outcome = run(server, settings=google_settings(world, server_place="us-west1-a"))
    assert outcome.refusal == "" and len(world.google.addresses) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"server_type": "f1-micro"}, 'us-west1-b has no machine type "f1-micro". Set server_type to one of: e2-'),
        ({"server_place": "us-west1-z"}, 'Google has no zone "us-west1-z". Set server_place to one of: us-west1-a,'),
        ({"server_place": "mars-1-a"}, 'Google has no zone "mars-1-a". Set server_place to one of: europe-west3-a'),
        (
            {"server_place": "us-west1"},
            'Google has no zone "us-west1". Set server_place to one of: us-west1-a, us-west1-b',
        ),
        ({"server_place": "fsn1"}, 'Google has no zone "fsn1". Set server_place to one of: europe-west3-a, us-west1-a'),
        ({"server_disk_type": "pd-old"}, 'us-west1-b has no disk type "pd-old". Set server_disk_type to one of: pd-'),
        ({"server_project": "other-project"}, 'Google knows no project "other-project"'),
    ],
)
def test_what_google_does_not_have_is_answered_with_what_it_has(
    world: World, values: dict[str, Any], words: str
) -> None:
    settings = google_settings(world, **values)
    if values.keys() & {"server_place", "server_project"}:
        assert words in plan(server, settings=settings).refusal
        assert world.google.addresses == {}
    assert words in run(server, settings=settings).text


def test_a_deleted_key_of_google_is_told(world: World) -> None:
    world.google.key_exists = False
    assert (
        "does not know the key in server_credentials any more" in plan(server, settings=google_settings(world)).refusal
    )


def test_a_wrong_clock_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()

    def late(request: Request) -> Response | None:
        if request.path != "/token":
            return None
        monkeypatch.setattr("tests.stand_ins.google.time.time", lambda: now + 7200)
        response = world.google.login(request)
        monkeypatch.undo()
        return response

    world.internet.interventions.append(late)
    assert "this computer's clock is wrong" in plan(server, settings=google_settings(world)).refusal


def test_no_login_for_google_is_told_with_the_command(world: World) -> None:
    refusal = plan(server, settings=provision_settings(server_provider="google", server_project="my-project")).refusal
    assert "gcloud auth application-default login" in refusal and "server_credentials" in refusal


def test_the_login_of_a_person_will_do_until_it_is_revoked(world: World) -> None:
    """As the example of the README has it."""
    world.google.person(world.home)
    settings = provision_settings(server_provider="google", server_project="my-project")
    for operation in (open_ports, server):
        assert run(operation, settings=settings).refusal == ""
    assert len(world.google.instances) == 1
    world.google.denied.add("compute.instances.get")
    refusal = plan(server, settings=settings).refusal
    assert "your account lacks compute.instances.get in my-project" in refusal
    assert "--member=user:YOUR-ADDRESS --role=roles/compute.instanceAdmin.v1" in refusal
    cloud_google._login.cache_clear()
    world.google.refresh_token = "another"
    refusal = plan(server, settings=settings).refusal
    assert "Your login at Google has expired. Type: gcloud auth application-default login" in refusal


def test_the_login_of_a_person_names_no_project(world: World) -> None:
    world.google.person(world.home)
    refusal = plan(server, settings=provision_settings(server_provider="google")).refusal
    assert "Set server_project to its ID" in refusal


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Response(503, b"<html>"), "has a fault of its own. Run again"),
        (answer(500, {"error": "internal_failure"}), "has a fault of its own. Run again"),
        (Response(407, b"<html>"), "answered with something that is no login"),
        (Response(403, b"<html>"), "answered with something that is no login"),
        (answer(400, {"error": "invalid_client"}), "does not accept the login. Type: gcloud auth"),
    ],
)
def test_a_login_that_did_not_come_is_told_from_one_that_is_refused(world: World, said: Response, words: str) -> None:
    world.internet.interventions.append(lambda request: said if request.path == "/token" else None)
    assert words in plan(server, settings=google_settings(world)).refusal


def test_something_else_than_a_key_file_is_told(world: World) -> None:
    file = world.home / "key.json"
    file.write_text(json.dumps({"type": "service_account"}))
    file.chmod(0o600)
    refusal = plan(server, settings=google_settings(world, server_credentials=str(file))).refusal
    assert f"{file} is not a key file of a service account" in refusal


# --- Hetzner --------------------------------------------------------------------------------------


def hetzner(operation: Any, **values: Any) -> Outcome:
    return run(operation, settings=provision_settings(server_provider="hetzner", **values))


def test_a_token_that_hetzner_does_not_know_is_told(world: World) -> None:
    world.hetzner.token = "another"
    assert "Hetzner does not know the token in HCLOUD_TOKEN" in hetzner(open_ports).refusal + hetzner(open_ports).text


def test_a_token_that_may_only_read_is_told(world: World) -> None:
    world.hetzner.read_only, world.hetzner.token = {world.hetzner.token}, "another"
    assert "the token in HCLOUD_TOKEN may only read. Make one with Read & Write" in hetzner(open_ports).text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"server_type": "cx22"},
            'does not sell the server type "cx22" in nbg1 (any more). Set server_type to one of: cx23. The reserved',
        ),
        (
            {"server_type": "cx33"},
            'type "cx33" in nbg1 (any more). It is sold in fsn1, hel1 (server_place). Set server_type to one of: cx23.',
        ),
        ({"server_type": "cx99"}, 'type "cx99" in nbg1 (any more). Set server_type to one of: cx23. The reserved'),
        (
            {"server_place": "lhr1"},
            'Hetzner has no location "lhr1" for this. Set server_place to one of: fsn1, hel1, nbg1',
        ),
    ],
)
def test_what_hetzner_does_not_sell_is_answered_with_what_it_does(
    world: World, values: dict[str, Any], words: str
) -> None:
    assert words in hetzner(server, **values).text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("resource_unavailable", "there is none to give at the moment"),
        ("placement_error", "no room at this location"),
        ("resource_limit_exceeded", "the project has reached its limit"),
    ],
)
def test_an_action_that_fails_at_hetzner_is_told_and_keeps_the_address(world: World, code: str, words: str) -> None:
    world.hetzner.failing["create_server"] = (code, "sold out")
    assert words in hetzner(server).text
    world.hetzner.failing.clear()
    assert hetzner(server).refusal == ""
    assert len(world.hetzner.primary_ips) == 2 and len(world.hetzner.servers) == 1


# --- DNS ------------------------------------------------------------------------------------------


def test_a_record_with_another_value_is_refused_until_it_may_be_replaced(world: World) -> None:
    world.route53.add_zone("example.org")
    world.route53.put_record("example.org", "social.example.org", "A", ["192.0.2.1"])
    refusal = plan(site_records, settings=dns_settings(world, "route53")).refusal
    assert refusal.startswith(
        "social.example.org has an A record already: 192.0.2.1 (3600 s). It was not touched. If the name shall lead to "
        "this server, run: pyinfra @local tasks/dns.py --data dns_replace=true  Visitors then follow within 3600 s."
    )
    assert run(site_records, settings=dns_settings(world, "route53", dns_replace=True)).refusal == ""
    assert world.names.values("social.example.org", "A") == ("198.51.100.7",)


@pytest.mark.parametrize("provider", ["route53", "cloudflare", "hetzner"])
def test_a_cname_where_the_address_should_be_is_refused_and_replaced_on_demand(world: World, provider: str) -> None:
    put_before(world, provider, "CNAME", "old.example.net.")
    refusal = plan(site_records, settings=dns_settings(world, provider)).refusal
    assert "social.example.org has a CNAME record already: old.example.net" in refusal
    assert run(site_records, settings=dns_settings(world, provider, dns_replace=True)).refusal == ""
    assert world.names.values("social.example.org", "CNAME") == ()
    assert world.names.values("social.example.org", "A") == ("198.51.100.7",)


@pytest.mark.parametrize("provider", ["route53", "cloudflare", "hetzner"])
def test_an_aaaa_left_over_is_refused_and_removed_on_demand(world: World, provider: str) -> None:
    put_before(world, provider, "AAAA", "2001:db8::1")
    refusal = plan(site_records, settings=dns_settings(world, provider)).refusal
    assert "social.example.org has an AAAA record (2001:db8::1), but this server has no IPv6 address" in refusal
    assert 'public_ipv6 = "2001:db8::1"' in refusal
    assert run(site_records, settings=dns_settings(world, provider, dns_replace=True)).refusal == ""
    assert world.names.values("social.example.org", "AAAA") == ()


def test_by_hand_what_is_in_the_way_is_told_with_what_shall_be_there(world: World) -> None:
    world.names.publish("example.org", "social.example.org", "CNAME", 300, ("old.example.net.",))
    world.names.publish("example.org", "www.example.org", "AAAA", 300, ("2001:db8::1",))
    settings = dns_settings(world, "manual", alternate_domains=["www.example.org"])
    text = plan(site_records, settings=settings).text
    for line in (
        "remove:  social.example.org. CNAME old.example.net",
        "social.example.org. 300 IN A 198.51.100.7",
        "www.example.org. 300 IN A 198.51.100.7",
        "remove:  www.example.org. AAAA 2001:db8::1",
    ):
        assert line in text
    proof = run(proven_records, settings=settings).text
    assert "says that social.example.org is an alias (CNAME) of old.example.net. It should have this record" in proof
    assert "gives www.example.org the IPv6 address 2001:db8::1, which is not this server's" in proof


def put_before(world: World, provider: str, kind: str, value: str) -> None:
    if provider == "route53":
        world.route53.add_zone("example.org")
        world.route53.put_record("example.org", "social.example.org", kind, [value])
    elif provider == "hetzner":
        world.hetzner.add_zone("example.org")
        world.hetzner.put_record("example.org", "social.example.org", kind, [value])
    else:
        world.cloudflare.add_zone("example.org")
        world.cloudflare.put_record("example.org", "social.example.org", kind, value)


def test_an_alias_of_route53_is_shown_as_what_it_is(world: World) -> None:
    world.route53.add_zone("example.org")
    world.route53.put_record("example.org", "social.example.org", "A", [], alias="d1.cloudfront.net")
    refusal = plan(site_records, settings=dns_settings(world, "route53")).refusal
    assert "social.example.org has an A record already: an alias of d1.cloudfront.net" in refusal


def test_an_alias_left_over_for_ipv6_is_refused_and_removed_on_demand(world: World) -> None:
    world.route53.add_zone("example.org")
    for kind in ("A", "AAAA"):
        world.route53.put_record("example.org", "social.example.org", kind, [], alias="d1.cloudfront.net")
    refusal = plan(site_records, settings=dns_settings(world, "route53")).refusal
    assert "social.example.org has an AAAA record (an alias of d1.cloudfront.net), but this server" in refusal
    assert "To remove it: pyinfra @local tasks/dns.py --data dns_replace=true" in refusal
    assert run(site_records, settings=dns_settings(world, "route53", dns_replace=True)).refusal == ""
    assert world.names.values("social.example.org", "A") == ("198.51.100.7",)
    assert sorted(kind for sets in world.route53.sets.values() for _, kind in sets) == ["A"]


def test_a_zone_that_is_a_copy_of_one_elsewhere_is_told(world: World) -> None:
    world.hetzner.add_zone("example.org")
    (zone,) = world.hetzner.zones.values()
    zone["mode"] = "secondary"
    refusal = plan(site_records, settings=dns_settings(world, "hetzner")).refusal
    assert "the zone is a secondary one there" in refusal and 'or to "manual"' in refusal


def hetzner_record(world: World, **values: Any) -> dict[str, Any]:
    world.hetzner.add_zone("example.org")
    world.hetzner.put_record("example.org", "social.example.org", "A", ["192.0.2.1"])
    (sets,) = world.hetzner.rrsets.values()
    sets["social", "A"].update(values)
    return sets["social", "A"]


def test_a_record_that_is_protected_is_fine_as_long_as_it_is_right(world: World) -> None:
    record = hetzner_record(world, protection={"change": True})
    for replace in (False, True):
        refusal = plan(site_records, settings=dns_settings(world, "hetzner", dns_replace=replace)).refusal
        assert "192.0.2.1" in refusal
    assert "which is protected against changes at Hetzner" in refusal and "in the console" in refusal
    record["records"] = [{"value": "198.51.100.7", "comment": ""}]
    outcome = run(site_records, settings=dns_settings(world, "hetzner"))
    assert (outcome.done, outcome.refusal) == (0, "")


def test_a_record_without_a_ttl_of_its_own_has_that_of_its_zone(world: World) -> None:
    hetzner_record(world, ttl=None)
    refusal = plan(site_records, settings=dns_settings(world, "hetzner")).refusal
    assert "192.0.2.1 (3600 s)" in refusal and "Visitors then follow within 3600 s" in refusal


@pytest.mark.parametrize("provider", ["route53", "cloudflare", "hetzner"])
def test_a_record_that_is_replaced_gets_the_ttl_that_the_plan_says(world: World, provider: str) -> None:
    put_before(world, provider, "A", "192.0.2.1")
    settings = dns_settings(world, provider, dns_replace=True)
    assert "300 s → 198.51.100.7 instead of A 192.0.2.1" in plan(site_records, settings=settings).text
    assert run(site_records, settings=settings).refusal == ""
    assert world.names.zones["example.org"]["social.example.org", "A"] == (300, ("198.51.100.7",))


def test_a_record_that_is_proxied_is_reported_and_left_as_it_is(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    world.cloudflare.put_record("example.org", "social.example.org", "A", "198.51.100.7", proxied=True)
    outcome = run(site_records, settings=dns_settings(world, "cloudflare"))
    assert (outcome.done, outcome.refusal) == (0, "")
    assert "social.example.org is proxied by Cloudflare (the orange cloud)" in outcome.text


def test_all_that_is_in_the_way_comes_at_once(world: World) -> None:
    world.route53.add_zone("example.org")
    world.route53.put_record("example.org", "social.example.org", "A", ["192.0.2.1"])
    world.route53.put_record("example.org", "www.example.org", "CNAME", ["old.example.net."])
    settings = dns_settings(world, "route53", alternate_domains=["www.example.org"])
    refusal = plan(site_records, settings=settings).refusal
    assert "192.0.2.1" in refusal and "old.example.net" in refusal


def test_of_two_zones_of_one_name_the_delegated_one_is_taken(world: World) -> None:
    other = world.route53.add_zone("example.org", servers=("ns9.example.net",))
    right = world.route53.add_zone("example.org")
    assert run(site_records, settings=dns_settings(world, "route53")).refusal == ""
    assert world.route53.sets[other] == {} and world.route53.sets[right] != {}


def test_two_zones_of_one_name_and_servers_are_refused_with_both_ids(world: World) -> None:
    first, second = world.route53.add_zone("example.org"), world.route53.add_zone("example.org")
    refusal = plan(site_records, settings=dns_settings(world, "route53")).refusal
    assert "has 2 zones called example.org" in refusal and f'"{first}" or "{second}"' in refusal
    assert run(site_records, settings=dns_settings(world, "route53", dns_zone=second)).refusal == ""


def test_a_private_zone_is_none(world: World) -> None:
    world.route53.add_zone("example.org", private=True)
    assert "no zone for social.example.org" in plan(site_records, settings=dns_settings(world, "route53")).refusal


def test_the_public_zone_is_found_behind_any_number_of_private_ones(world: World) -> None:
    for _ in range(120):
        world.route53.add_zone("example.org", private=True)
    public = world.route53.add_zone("example.org")
    outcome = plan(site_records, settings=dns_settings(world, "route53"))
    assert outcome.refusal == "" and f"zone example.org ({public})" in outcome.text


def test_a_user_with_rights_to_one_of_two_zones_does_not_need_the_other(world: World) -> None:
    ours = world.route53.add_zone("example.org")
    other = world.route53.add_zone("example.org", servers=("ns9.example.net",))
    denied = "User: arn:aws:iam::1:user/dns is not authorized to perform: route53:GetHostedZone"
    world.internet.interventions.append(
        lambda request: (
            route53_refusal(403, "AccessDenied", denied) if request.path.endswith(f"/hostedzone/{other}") else None
        )
    )
    outcome = plan(site_records, settings=dns_settings(world, "route53"))
    assert outcome.refusal == "" and f"zone example.org ({ours})" in outcome.text


def test_an_identity_that_no_zone_has_is_told(world: World) -> None:
    zone = world.route53.add_zone("example.org")
    text = plan(site_records, settings=dns_settings(world, "route53", dns_zone="Z9")).text
    assert 'dns_zone = "Z9" is the ID of no zone that these names lie in' in text
    assert "is the ID of no zone" not in plan(site_records, settings=dns_settings(world, "route53", dns_zone=zone)).text


def test_a_zone_that_the_world_does_not_ask_is_refused_before_anything_is_written(world: World) -> None:
    world.route53.add_zone("example.org", servers=("ns-12.awsdns-01.com",))
    refusal = plan(site_records, settings=dns_settings(world, "route53")).refusal
    assert "is not the one the world asks: example.org is delegated to ns1.example.org, ns2.example.org" in refusal
    assert "this zone has ns-12.awsdns-01.com" in refusal
    assert world.internet.only("POST") == []


@pytest.mark.parametrize("same", [True, False])
def test_name_servers_under_ones_own_names_are_those_of_the_account(world: World, same: bool) -> None:
    """White-label name servers: the registrar has ns1.example.org, Route 53 has ns-12.awsdns-01.com."""
    zone = world.route53.add_zone("example.org", servers=("ns-12.awsdns-01.com", "ns-13.awsdns-02.org"))
    world.names.addresses |= {"ns-12.awsdns-01.com": "127.0.0.2" if same else "127.0.0.9"}
    outcome = plan(site_records, settings=dns_settings(world, "route53"))
    assert ("is not the one the world asks" in outcome.refusal) is not same
    assert (f"zone example.org ({zone})\n" in outcome.text) is same


def test_a_name_that_is_a_zone_of_somebody_else_is_refused(world: World) -> None:
    world.route53.add_zone("example.org")
    world.names.add_zone("social.example.org", ("ns.example.net", "127.0.0.2"))
    refusal = plan(site_records, settings=dns_settings(world, "route53")).refusal
    assert "social.example.org is a zone of its own, delegated to ns.example.net" in refusal


def test_a_zone_below_the_delegated_one_is_not_taken_for_it(world: World) -> None:
    world.route53.add_zone("example.org")
    unused = world.route53.add_zone("social.example.org", servers=("ns9.example.net",))
    assert run(site_records, settings=dns_settings(world, "route53")).refusal == ""
    assert world.route53.sets[unused] == {}


def test_the_chosen_zone_counts_only_where_it_fits(world: World) -> None:
    world.names.add_zone("example2.org", ("ns1.example.org", "127.0.0.2"))
    for zone in ("example.org", "example2.org"):
        world.cloudflare.add_zone(zone)
    settings = dns_settings(world, "cloudflare", dns_zone="example.org", alternate_domains=["www.example2.org"])
    assert run(site_records, settings=settings).refusal == ""
    assert world.names.values("www.example2.org", "A") == ("198.51.100.7",)


def test_a_domain_that_is_not_delegated_yet_is_told(world: World) -> None:
    world.route53.add_zone("example.org", servers=("ns9.example.net",))
    del world.names.delegations["example.org"]
    refusal = plan(site_records, settings=dns_settings(world, "route53")).refusal
    assert "example.org is delegated to no name server at all" in refusal and "at your registrar" in refusal


def test_a_proof_without_a_server_says_what_is_to_be_run(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    settings = provision_settings(
        server_provider="hetzner", dns_provider="cloudflare", dns_resolvers=[world.resolver], dns_wait_seconds=0
    )
    text = run(proven_records, settings=settings).text
    assert "social.example.org has nothing to lead to yet" in text and "pyinfra @local provision.py" in text


def test_a_selector_that_is_not_known_is_not_asked_for(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    settings = mail_settings(world, dns_provider="cloudflare", public_ipv4="198.51.100.7")
    assert "<selector>._domainkey.example.org" in plan(published_domain, settings=settings).text
    assert [each for each in world.internet.journal if "%3C" in each.raw_query or "<" in each.raw_query] == []


def test_an_account_without_the_zone_is_told(world: World) -> None:
    refusal = plan(site_records, settings=dns_settings(world, "cloudflare")).refusal
    assert "The account at Cloudflare has no zone for social.example.org." in refusal


@pytest.mark.parametrize(
    ("action", "doing"), [("ListHostedZonesByName", "list"), ("ChangeResourceRecordSets", "change the record A")]
)
def test_a_missing_right_at_route53_is_named(world: World, action: str, doing: str) -> None:
    world.route53.add_zone("example.org")
    world.route53.denied.add(action)
    outcome = run(site_records, settings=dns_settings(world, "route53"))
    assert (
        f"Route 53 did not {doing}" in outcome.text and f"not authorized to perform: route53:{action}" in outcome.text
    )
    assert "docs/provisioning.md" in outcome.text


def test_keys_that_aws_does_not_know_are_told(world: World) -> None:
    world.route53.keys = {"AKIAOTHER": "x"}
    assert "AWS does not know the access key" in run(site_records, settings=dns_settings(world, "route53")).text


def test_a_secret_key_that_does_not_belong_is_told(world: World) -> None:
    world.route53.keys = dict.fromkeys(world.route53.keys, "another")
    assert "does not belong to its access key" in run(site_records, settings=dns_settings(world, "route53")).text


def test_a_profile_that_does_not_exist_is_told(world: World) -> None:
    text = run(site_records, settings=dns_settings(world, "route53", dns_aws_profile="nobody")).text
    assert "(nobody)" in text and "Correct dns_aws_profile" in text


SSO = "sso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r\n"
SESSION = "[sso-session s]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n"


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (SSO, "The login for Route 53 has expired. Type: aws sso login --profile dns"),
        (
            f"sso_session = s\nsso_account_id = 1\nsso_role_name = r\n{SESSION}",
            "The login for Route 53 has expired. Type: aws sso login --profile dns",
        ),
        ("credential_process = /bin/false", "AWS's login does not work: Error when retrieving credentials"),
        ("credential_process = /bin/echo canary", "AWS's login does not work: what it got is no key"),
        ("role_arn = arn:aws:iam::1:role/x\nsource_profile = none", 'The source_profile "none" referenced'),
        ("aws_access_key_id = AKIA1", "Partial credentials found"),
        ("region = us-east-1", "There is no login for Route 53. Put ROUTE53_ACCESS_KEY_ID"),
    ],
    ids=["single sign-on", "its session", "failing program", "another program", "role", "half a key", "no key"],
)
def test_a_profile_whose_login_does_not_work_is_told(world: World, profile: str, words: str) -> None:
    (world.home / ".aws").mkdir()
    (world.home / ".aws" / "config").write_text(f"[profile dns]\n{profile}\n")
    refusal = plan(site_records, settings=dns_settings(world, "route53", dns_aws_profile="dns")).refusal
    assert words in refusal and "canary" not in refusal


def test_the_key_that_lies_on_the_server_is_not_taken_for_its_dns(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAROUTEFIFTYTHREE1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "route53-canary")
    text = run(site_records, settings=dns_settings(world, "route53")).text
    assert "is the key in AWS_ACCESS_KEY_ID, which lies on the server" in text


def test_a_token_of_cloudflare_that_may_not_edit_is_told(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    world.cloudflare.may_edit = False
    text = run(site_records, settings=dns_settings(world, "cloudflare")).text
    assert "lacks the right. Give it the permissions Zone: Zone: Read and Zone: DNS: Edit" in text


@pytest.mark.parametrize("token", ["another", "not~a~token"])
def test_a_token_that_cloudflare_does_not_know_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", token)
    text = run(site_records, settings=dns_settings(world, "cloudflare")).text
    assert "does not know the token in CLOUDFLARE_API_TOKEN, or it has expired" in text


def test_a_change_that_cloudflare_answers_with_200_and_no_success_is_not_done(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    failed = answer(200, {"success": False, "errors": [{"code": 1, "message": "no"}], "result": None})
    world.internet.interventions.append(lambda request: failed if request.method == "POST" else None)
    outcome = run(site_records, settings=dns_settings(world, "cloudflare"))
    assert outcome.done == 0 and 'Its answer: "no"' in outcome.text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Invalid access token", "does not know the token in CLOUDFLARE_API_TOKEN, or it has expired"),
        ("Cannot use the access token from location: 192.0.2.1", "from here: "),
        ("Unauthorized to access requested resource", "lacks the right. Give it the permissions"),
    ],
)
def test_one_code_of_cloudflare_stands_for_three_things(world: World, said: str, words: str) -> None:
    world.internet.interventions.append(lambda request: cloudflare_error(403, 9109, said))
    refusal = plan(site_records, settings=dns_settings(world, "cloudflare")).refusal
    assert words in refusal and "dash.cloudflare.com/profile/api-tokens" in refusal


@pytest.mark.parametrize(
    ("owner", "value", "words"),
    [
        ("example.org", '0 issue "digicert.com"', 'The CAA record of example.org lets only "digicert.com" issue'),
        ("social.example.org", '0 issue ";"', "The CAA record of social.example.org lets only nobody issue"),
        ("example.org", '0 issue "letsencrypt.org; validationmethods=dns-01"', "Add http-01 to the list"),
    ],
)
def test_a_caa_record_that_forbids_lets_encrypt_is_told(world: World, owner: str, value: str, words: str) -> None:
    world.names.publish("example.org", "social.example.org", "A", 300, ("198.51.100.7",))
    world.names.publish("example.org", owner, "CAA", 300, (value,))
    assert words in run(proven_records, settings=dns_settings(world, "manual")).text
    assert (
        run(proven_records, settings=dns_settings(world, "manual", acme_directory="https://ca.example")).refusal == ""
    )


def test_a_caa_record_for_certain_accounts_is_told_beside_the_proof(world: World) -> None:
    """A server that has its certificate may well be one of them."""
    world.names.publish("example.org", "social.example.org", "A", 300, ("198.51.100.7",))
    one = '0 issue "letsencrypt.org; accounturi=https://acme.example/acct/1"'
    world.names.publish("example.org", "example.org", "CAA", 300, (one,))
    told = run(proven_records, settings=dns_settings(world, "manual"))
    assert told.refusal == ""
    assert "lets Let's Encrypt issue for the account https://acme.example/acct/1 only" in told.text
    world.names.publish("example.org", "example.org", "CAA", 300, (one, '0 issue "letsencrypt.org"'))
    assert "accounturi" not in run(proven_records, settings=dns_settings(world, "manual")).text


# --- Mail -----------------------------------------------------------------------------------------


def test_a_key_that_sparkpost_does_not_know_is_told_with_the_other_region(world: World) -> None:
    refusal = plan(registered_domain, settings=mail_settings(world, mail_domain_region="eu")).refusal
    assert 'Keys of app.sparkpost.com need mail_domain_region = "us"' in refusal


def test_a_key_without_the_grant_is_told_with_the_place_to_tick_it(world: World) -> None:
    world.sparkpost.may_manage = False
    refusal = plan(registered_domain, settings=mail_settings(world)).refusal
    assert 'Tick "Sending Domains: Read/Write" at app.sparkpost.com/account/api-keys.' in refusal


def test_a_domain_of_another_account_is_told(world: World) -> None:
    world.sparkpost.elsewhere.add("example.org")
    text = run(registered_domain, settings=mail_settings(world)).text
    assert "example.org is a sending domain of another SparkPost account" in text


def test_a_bounce_domain_of_another_account_is_told_by_its_own_name(world: World) -> None:
    world.sparkpost.elsewhere.add("b.example.org")
    text = run(registered_domain, settings=mail_settings(world, mail_domain_bounce="b.example.org")).text
    assert "b.example.org is a sending domain of another SparkPost account" in text
    assert "Not done: domain b.example.org." in text


def test_a_bounce_domain_that_is_wanted_later_is_all_that_the_plan_tells(world: World) -> None:
    world.route53.add_zone("example.org")
    values = {"dns_provider": "route53", "public_ipv4": "198.51.100.7"}
    operations = (registered_domain, published_domain, verified_domain)
    for operation in operations:
        assert run(operation, settings=mail_settings(world, **values)).refusal == ""
    settings = mail_settings(world, **values, mail_domain_bounce="b.example.org")
    told = [
        line.split()[1:3]
        for operation in operations
        for line in plan(operation, settings=settings).lines
        if line.startswith(("  +", "  ~"))
    ]
    assert told == [["domain", "b.example.org"], ["CNAME", "b.example.org"], ["domain", "example.org"]]
    alone = run(verified_domain, settings=settings).text
    assert "b.example.org is not registered at SparkPost. Run: pyinfra @local tasks/mail_domain.py" in alone
    for operation in operations:
        assert run(operation, settings=settings).refusal == ""
        assert plan(operation, settings=settings).done == 0


def test_a_domain_that_was_added_for_something_else_than_sending_is_told(world: World) -> None:
    run(registered_domain, settings=mail_settings(world))
    del world.sparkpost.domains["example.org"]["dkim"]
    refusal = plan(registered_domain, settings=mail_settings(world)).refusal
    assert "The sending domain example.org at SparkPost has no DKIM key" in refusal and "in the console" in refusal


def test_a_blocked_domain_is_told(world: World) -> None:
    run(registered_domain, settings=mail_settings(world))
    world.sparkpost.domains["example.org"]["status"]["compliance_status"] = "blocked"
    assert "SparkPost has blocked example.org" in plan(registered_domain, settings=mail_settings(world)).refusal


def test_a_verification_that_answers_200_and_failed_is_not_taken_for_one(world: World) -> None:
    run(registered_domain, settings=mail_settings(world))
    text = run(verified_domain, settings=mail_settings(world)).text
    assert 'SparkPost does not accept the DKIM record of example.org: "DNS DKIM query error:' in text
    assert "tasks/proof.py" in text


def test_a_bounce_domain_that_is_not_there_is_told_beside_the_key(world: World) -> None:
    settings = mail_settings(world, mail_domain_bounce="b.example.org", dns_wait_seconds=0)
    run(registered_domain, settings=settings)
    text = run(verified_domain, settings=settings).text
    assert 'the DKIM record of example.org: "DNS DKIM query error:' in text
    assert 'nor the CNAME of b.example.org: "DNS CNAME query error:' in text
    assert "Enter the records that tasks/mail_domain.py tells, then run: pyinfra @local tasks/proof.py" in text


def test_a_login_of_aws_that_has_expired_is_told_with_the_command(world: World) -> None:
    world.route53.add_zone("example.org")
    words = "The security token included in the request is expired"
    world.internet.interventions.append(
        lambda request: route53_refusal(403, "ExpiredToken", words) if request.host == ROUTE53 else None
    )
    text = run(site_records, settings=dns_settings(world, "route53")).text
    assert "The login for Route 53 has expired. Type: aws sso login" in text


@pytest.mark.parametrize("words", ["Token has been expired or revoked.", "reauth related error (invalid_rapt)"])
def test_a_login_of_google_that_has_expired_is_told_with_the_command(world: World, words: str) -> None:
    refused = answer(400, {"error": "invalid_grant", "error_description": words})
    world.internet.interventions.append(lambda request: refused if request.path == "/token" else None)
    refusal = plan(server, settings=google_settings(world)).refusal
    assert "Your login at Google has expired. Type: gcloud auth application-default login" in refusal


def test_a_domain_forgotten_after_two_weeks_is_registered_anew_with_its_new_selector(world: World) -> None:
    world.route53.add_zone("example.org")
    settings = mail_settings(world, dns_provider="route53", public_ipv4="198.51.100.7")
    for _ in range(2):
        for operation in (registered_domain, published_domain, verified_domain):
            assert run(operation, settings=settings).refusal == ""
        assert world.sparkpost.domains["example.org"]["status"]["dkim_status"] == "valid"
        selectors = sorted(
            name for _, kind in [("", "TXT")] for name, k in world.names.zones["example.org"] if k == kind
        )
        world.sparkpost.forget("example.org")
    assert [name.split(".")[0] for name in selectors] == ["_dmarc", "scph1126", "scph1127"]


def test_an_spf_record_of_the_owner_is_not_touched_and_the_merged_one_is_told(world: World) -> None:
    world.route53.add_zone("example.org")
    world.route53.put_record("example.org", "example.org", "TXT", ['"v=spf1 mx -all"', '"site-verification=1"'])
    settings = mail_settings(
        world,
        dns_provider="route53",
        public_ipv4="198.51.100.7",
        mail_domain_provider="manual",
        mail_domain_records=['example.org. TXT "v=spf1 include:mail.example.net ~all"'],
    )
    refusal = plan(published_domain, settings=settings).refusal
    assert 'Change it at your DNS provider to: "v=spf1 mx include:mail.example.net -all"' in refusal


@pytest.mark.parametrize(
    ("name", "texts", "words"),
    [
        (
            "example.org",
            ['"v=spf1 include:mail.example.net ~all"', '"v=spf1 mx -all"'],
            'Put one in their place at your DNS provider: "v=spf1 include:mail.example.net mx ~all"',
        ),
        (
            "_dmarc.example.org",
            ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'],
            "_dmarc.example.org has 2 DMARC records, and receivers then heed none",
        ),
    ],
)
def test_two_policies_of_a_kind_are_foretold_and_not_found_out_by_the_proof(
    world: World, name: str, texts: list[str], words: str
) -> None:
    world.route53.add_zone("example.org")
    world.route53.put_record("example.org", name, "TXT", texts)
    records = ['example.org. TXT "v=spf1 include:mail.example.net ~all"']
    settings = mail_settings(
        world,
        dns_provider="route53",
        public_ipv4="198.51.100.7",
        mail_domain_provider="manual",
        mail_domain_records=records,
    )
    assert words in plan(published_domain, settings=settings).refusal


def test_a_dmarc_policy_of_the_owner_is_respected(world: World) -> None:
    world.route53.add_zone("example.org")
    world.route53.put_record("example.org", "_dmarc.example.org", "TXT", ['"v=DMARC1; p=reject"'])
    settings = mail_settings(world, dns_provider="route53", public_ipv4="198.51.100.7")
    for operation in (registered_domain, published_domain):
        assert run(operation, settings=settings).refusal == ""
    assert world.names.values("_dmarc.example.org", "TXT") == ("v=DMARC1; p=reject",)


def test_another_text_at_the_name_of_the_policy_is_none_and_stays(world: World) -> None:
    world.route53.add_zone("example.org")
    world.route53.put_record("example.org", "_dmarc.example.org", "TXT", ['"site-verification=1"'])
    settings = mail_settings(world, dns_provider="route53", public_ipv4="198.51.100.7")
    for operation in (registered_domain, published_domain):
        assert run(operation, settings=settings).refusal == ""
    assert set(world.names.values("_dmarc.example.org", "TXT")) == {"site-verification=1", "v=DMARC1; p=none"}
    assert plan(published_domain, settings=settings).done == 0


# --- The way there --------------------------------------------------------------------------------


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(world: World, sleeper: Any) -> None:
    waits = [answer(429, {"error": {"code": "rate_limit_exceeded", "message": "slow"}}, Retry_After="7")] * 2
    world.internet.interventions.append(lambda request: waits.pop() if waits else None)
    assert hetzner(open_ports).refusal == ""
    assert sleeper.slept[:2] == [7, 7]


def test_a_server_that_asks_for_too_long_is_not_waited_for(world: World) -> None:
    busy = answer(429, {"error": {"code": "rate_limit_exceeded", "message": "slow"}}, Retry_After="3600")
    world.internet.interventions.append(lambda request: busy)
    assert "Hetzner wants no request for 3600 seconds" in hetzner(open_ports).text


def test_hetzner_lets_one_more_request_through_each_second(world: World, sleeper: Any) -> None:
    """Its RateLimit-Reset is the moment at which all of an hour's are there again."""
    reset = {"RateLimit_Reset": str(int(time.time()) + 3000), "RateLimit_Remaining": "0"}
    full = {"error": {"code": "rate_limit_exceeded", "message": "limit of 3600 requests per hour reached"}}
    waits = [answer(429, full, **reset)] * 3
    world.internet.interventions.append(lambda request: waits.pop() if waits else None)
    assert hetzner(open_ports).refusal == ""
    assert sleeper.slept[:3] == [1, 2, 4]


@pytest.mark.parametrize("host", ["compute.googleapis.com", "api.sparkpost.com"])
def test_what_a_proxy_does_not_find_is_not_taken_for_absent(world: World, host: str) -> None:
    lost = Response(404, b"<html>Not Found</html>", {"Content-Type": "text/html"})
    world.internet.interventions.append(lambda request: lost if request.host == host else None)
    google = host.startswith("compute")
    operation, settings = (server, google_settings(world)) if google else (registered_domain, mail_settings(world))
    assert "Is a proxy or a captive portal in between?" in plan(operation, settings=settings).refusal


def test_a_file_of_certificates_that_is_not_there_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere/authority.pem")
    world.route53.add_zone("example.org")
    for told in (
        plan(open_ports, settings=provision_settings(server_provider="hetzner")),
        plan(open_ports, settings=google_settings(world)),
        plan(site_records, settings=dns_settings(world, "route53")),
    ):
        assert "/nowhere/authority.pem" in told.refusal and "CA_BUNDLE" in told.refusal
        assert "has a form that this suite does not know" not in told.refusal


def test_a_right_that_is_missing_is_not_asked_for_again(world: World) -> None:
    world.hetzner.token = "another"
    hetzner(open_ports)
    assert len(world.internet.journal) == 1


def test_a_key_does_not_follow_an_answer_to_another_host(world: World) -> None:
    elsewhere: list[Request] = []

    def other(request: Request) -> Response:
        elsewhere.append(request)
        return answer(200, {})

    world.internet.sites["elsewhere.example"] = other
    moved = Response(302, b"", {"Location": "https://elsewhere.example/v1/firewalls"})
    world.internet.interventions.append(lambda request: moved if request.host == "api.hetzner.cloud" else None)
    assert "something that is no JSON object" in hetzner(open_ports).text
    assert elsewhere == []


def test_a_token_that_google_repeats_is_shown_to_nobody(world: World) -> None:
    def echo(request: Request) -> Response | None:
        return google_error(400, "bad", request.headers["authorization"]) if request.host == GOOGLE else None

    world.internet.interventions.append(echo)
    refusal = plan(open_ports, settings=google_settings(world)).refusal
    assert 'Its answer: "Bearer …" (status 400, bad)' in refusal and "canary" not in refusal


@pytest.mark.parametrize("break_it", ["dead", "captive portal", "echo of the key"])
def test_no_usable_answer_is_a_sentence(world: World, break_it: str) -> None:
    said: dict[str, tuple[Callable[[Request], Response | None] | None, str]] = {
        "dead": (None, "the connection through the proxy (HTTPS_PROXY) failed or broke. Run again"),
        "captive portal": (lambda request: Response(200, b"<html>"), "Is a proxy or a captive portal in between?"),
        "echo of the key": (
            lambda request: answer(400, {"error": {"code": "bad", "message": request.headers["authorization"]}}),
            'Its answer: "Bearer …" (status 400, bad)',
        ),
    }
    intervention, words = said[break_it]
    if intervention is None:
        world.internet.die_at = 1
    else:
        world.internet.interventions.append(intervention)
    text = hetzner(open_ports).text
    assert words in text and "canary" not in text
