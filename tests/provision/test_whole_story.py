"""From nothing to everything and again, cut off at every request: the operations of provision.py in their order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mstdn.cloud_firewall.operations import open_ports
from mstdn.dns.operations import proven_records, site_records
from mstdn.mail_domain.operations import published_domain, registered_domain, verified_domain
from mstdn.server.operations import server
from mstdn.settings.provision import ProvisionSettings
from tests.stand_ins import google, route53
from tests.stand_ins.internet import Request, Response, answer
from tests.stand_ins.operator import Outcome, Sleeper, plan, provision_settings, run
from tests.stand_ins.world import World

OPERATIONS = (
    open_ports,
    server,
    site_records,
    registered_domain,
    published_domain,
    proven_records,
    verified_domain,
)
SPARKPOST = {"mail_domain_provider": "sparkpost", "mail_domain": "example.org", "mail_domain_bounce": "b.example.org"}
WORLDS: dict[str, dict[str, Any]] = {
    "google": {"server_provider": "google", "dns_provider": "route53", **SPARKPOST},
    "hetzner": {"server_provider": "hetzner", "dns_provider": "cloudflare", **SPARKPOST},
    "hetzner alone": {"server_provider": "hetzner", "dns_provider": "hetzner"},
}


@dataclass
class Story:
    """A world and the settings of an operator in it."""

    world: World
    name: str
    settings: ProvisionSettings

    def planned(self) -> list[Outcome]:
        return [plan(operation, settings=self.settings) for operation in OPERATIONS]

    def provision(self) -> list[Outcome]:
        """As a run does it: what is refused ends it."""
        outcomes = []
        for operation in OPERATIONS:
            outcomes.append(run(operation, settings=self.settings))
            if outcomes[-1].refusal:
                break
        return outcomes


def story_in(world: World, name: str, **values: Any) -> Story:
    choice = WORLDS[name] | values
    add_zone: dict[str, Callable[[str], object]] = {
        "route53": world.route53.add_zone,
        "cloudflare": world.cloudflare.add_zone,
        "hetzner": world.hetzner.add_zone,
    }
    if not getattr(world, choice["dns_provider"]).zones:
        add_zone[choice["dns_provider"]]("example.org")
    if choice["server_provider"] == "google":
        choice |= {"server_project": "my-project", "server_credentials": str(world.google_key)}
    return Story(world, name, provision_settings(dns_resolvers=[world.resolver], **choice))


@pytest.fixture(name="name_of_world", params=list(WORLDS))
def _name_of_world(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="story", params=list(WORLDS))
def _story(request: pytest.FixtureRequest, world: World) -> Story:
    return story_in(world, request.param)


def assert_all_is_there(story: Story) -> None:
    """One of everything, and it works."""
    world, settings = story.world, story.settings
    if settings.server_provider == "google":
        (address,) = (each["address"] for each in world.google.addresses.values())
        (instance,) = world.google.instances.values()
        assert instance["networkInterfaces"][0]["accessConfigs"][0]["natIP"] == address
        assert instance["status"] == "RUNNING" and instance["deletionProtection"]
        lets_in = world.google.lets_in
        assert len(world.google.firewalls) == 1
    else:
        by_family = {each["type"]: each for each in world.hetzner.primary_ips.values()}
        assert len(world.hetzner.primary_ips) == 2 and not any(each["auto_delete"] for each in by_family.values())
        (machine,) = world.hetzner.servers.values()
        assert machine["status"] == "running" and machine["protection"]["delete"]
        address = by_family["ipv4"]["ip"]
        assert len(world.hetzner.ssh_keys) == len(world.hetzner.firewalls) == 1
        lets_in = world.hetzner.lets_in
        assert world.names.values("social.example.org", "AAAA") == (by_family["ipv6"]["ip"].replace("/64", "1"),)
    assert [port for port in (22, 80, 443, 2375, 5432, 9090) if lets_in(port)] == [22, 80, 443]
    assert world.names.values("social.example.org", "A") == (address,)
    if settings.mail_domain_provider:
        domain = world.sparkpost.domains["example.org"]
        assert domain["status"]["dkim_status"] == "valid"
        assert world.sparkpost.domains["b.example.org"]["status"]["cname_status"] == "valid"
        assert world.names.values("_dmarc.example.org", "TXT") == ("v=DMARC1; p=none",)
        (text,) = world.names.values(f"{domain['dkim']['selector']}._domainkey.example.org", "TXT")
        assert text.endswith(f"p={domain['dkim']['public']}") and len(text) > 400


def test_everything_is_made_and_a_second_run_changes_nothing(story: Story) -> None:
    first = story.provision()
    assert [each.text for each in first if each.refusal] == []
    assert_all_is_there(story)
    before = len(story.world.internet.journal)
    second = story.provision()
    assert [(each.done, each.refusal) for each in second] == [(0, "")] * len(OPERATIONS)
    made = [each for each in story.world.internet.journal[before:] if each.method != "GET"]
    assert [str(each) for each in made if not each.path.endswith("/token")] == []
    assert [each.done for each in story.planned()] == [0] * len(OPERATIONS)


def test_a_dry_run_tells_what_will_be_made_and_makes_nothing(story: Story) -> None:
    outcomes = story.planned()
    assert [each.refusal for each in outcomes] == [""] * len(OPERATIONS)
    text = "\n".join(each.text for each in outcomes)
    assert "mastodon-web" in text and "tcp 22, 80, 443 from anywhere" in text
    assert "the address of mastodon, known when it is made" in text
    assert "protected against deletion" in text
    if story.settings.mail_domain_provider:
        assert "DKIM 2048 bits" in text and "known when the domain is registered" in text
        assert "sparkpostmail.com" in text and "have DKIM, bounce domain verified" in text
    assert [each for each in story.world.internet.only("POST", "PUT", "PATCH", "DELETE") if "/token" not in each] == []


def told(lines: list[str], before: str) -> list[list[str]]:
    """Sign, kind and name of each step in these lines."""
    steps = [line.removeprefix(before) for line in lines if line.startswith((f"{before}+", f"{before}~"))]
    return [
        re.sub(r"(<selector>|scph\d+)", "selector", step).replace("SSH key", "SSH-key").split()[:3] for step in steps
    ]


@pytest.mark.parametrize("spoilt", [False, True], ids=["nothing is there", "somebody has been busy"])
def test_a_run_does_what_the_dry_run_told_and_nothing_else(story: Story, spoilt: bool) -> None:
    if spoilt:
        story.provision()
        story = spoil(story)
    planned = [step for each in story.planned() for step in told(each.lines, "  ")]
    done = [step for each in story.provision() for step in told(each.lines, "Done: ")]
    assert planned == done
    assert len(done) >= 5


def test_nothing_is_ever_deleted(story: Story) -> None:
    story.provision()
    story.provision()
    assert story.world.internet.only("DELETE") == []


@pytest.mark.parametrize("handled", [False, True], ids=["before it is handled", "before its answer comes"])
@pytest.mark.parametrize("name", list(WORLDS))
def test_a_run_that_dies_at_any_request_is_finished_by_the_next(
    name: str, handled: bool, quick_world: World, sleeper: Sleeper
) -> None:
    world = quick_world
    # What a provider has begun, it ends while somebody waits; the next run comes at once and meets it unfinished.
    sleeper.at_each += [world.settle, lambda: world.names.resolver_remembers.clear()]
    story = story_in(world, name)
    story.provision()
    methods = [each.method for each in world.internet.journal]
    assert len(methods) > 20
    for number, method in enumerate(methods, start=1):
        if handled and method == "GET":
            # Reading changes nothing: whether it was handled makes no difference.
            continue
        world.renew()
        again = story_in(world, name)
        world.internet.die_at, world.internet.handled = number, handled
        outcomes = again.provision()
        assert any(each.refusal for each in outcomes), f"request {number} was not missed"
        assert len(world.internet.journal) == number - 1 + handled
        assert "Traceback" not in "\n".join(each.text for each in outcomes)
        if method == "GET":
            # What is there now was there after the last change, whose answer is lost in the other half of this test.
            continue
        world.internet.revive()
        rest = again.provision()
        assert [each.text for each in rest if each.refusal] == [], f"after request {number}"
        world.settle()
        assert_all_is_there(again)
        assert [each.done for each in again.provision()] == [0] * len(OPERATIONS), f"after request {number}"


def test_every_request_may_be_one_too_many_and_is_sent_again(
    name_of_world: str, quick_world: World, sleeper: Sleeper
) -> None:
    """Providers count requests; each of them, whatever it is for, may be the one that they refuse."""
    sleeper.at_each += [quick_world.settle, lambda: quick_world.names.resolver_remembers.clear()]
    story = story_in(quick_world, name_of_world)
    refused: set[tuple[str, str, bytes]] = set()

    def busy(request: Request) -> Response | None:
        key = (str(request), request.raw_query, request.body if "token" not in request.path else b"")
        if key in refused:
            return None
        refused.add(key)
        return too_many(request)

    quick_world.internet.interventions.append(busy)
    assert [each.text for each in story.provision() if each.refusal] == []
    quick_world.settle()
    assert_all_is_there(story)
    assert len(refused) > 15


def too_many(request: Request) -> Response:
    """As each provider says it."""
    if request.host == route53.HOST:
        return route53.refusal(400, "Throttling", "Rate exceeded")
    if request.host == google.HOST:
        return google.error(403, "rateLimitExceeded", "Rate Limit Exceeded")
    if request.host == google.TOKEN_HOST:
        return answer(429, {"error": "rate_limit_exceeded"})
    return answer(429, {}, Retry_After="1")


FAULTS: dict[str, Callable[[Response], Response]] = {
    "cut off": lambda response: Response(response.status, response.body[: len(response.body) // 2], response.headers),
    "empty": lambda response: Response(response.status, b"", response.headers),
    "a list": lambda response: Response(200, b'["what is this"]', {"Content-Type": "application/json"}),
    "of a proxy": lambda response: Response(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_every_answer_may_be_broken_once_and_the_runs_still_arrive(
    name_of_world: str, fault: str, quick_world: World, sleeper: Sleeper
) -> None:
    """Each is carried out and its answer spoilt. Each run ends in a sentence, and the last finds nothing to do."""
    sleeper.at_each += [quick_world.settle, lambda: quick_world.names.resolver_remembers.clear()]
    story = story_in(quick_world, name_of_world)
    spoilt: set[str] = set()

    def spoil(request: Request) -> Response | None:
        if str(request) in spoilt:
            return None
        spoilt.add(str(request))
        return FAULTS[fault](quick_world.internet.sites[request.host](request))

    quick_world.internet.interventions.append(spoil)
    for _ in range(80):
        outcomes = story.provision()
        if not any(each.refusal for each in outcomes):
            break
        text = "\n".join(each.text for each in outcomes)
        assert "Traceback" not in text and "canary" not in text
        assert "has a form that this suite does not know" not in text
    assert [each.text for each in outcomes if each.refusal] == []
    quick_world.settle()
    assert_all_is_there(story)
    assert len(spoilt) > 10
    assert [each.done for each in story.provision()] == [0] * len(OPERATIONS)


def one_by_one(world: World) -> Callable[[str, str, str, list[str]], None]:
    def put_record(zone: str, name: str, kind: str, values: list[str]) -> None:
        for value in values:
            world.cloudflare.put_record(zone, name, kind, value)

    return put_record


def spoil(story: Story) -> Story:
    """Somebody else has been busy for a month; what he did is to be repaired, and the names shall lead here again."""
    world, choice = story.world, dict(WORLDS[story.name])
    if choice["server_provider"] == "google":
        (instance,) = world.google.instances.values()
        instance.update(status="TERMINATED", deletionProtection=False)
        instance["tags"]["items"] = ["of-somebody"]
        instance["metadata"]["items"] = [{"key": "ssh-keys", "value": "bob:ssh-ed25519 AAAA bob"}]
        world.google.addresses.clear()
        world.google.firewalls["mastodon-web"].update(disabled=True, targetTags=["other"], sourceRanges=["10.0.0.0/8"])
        choice["server_disk_gib"] = 50
    else:
        (machine,) = world.hetzner.servers.values()
        machine.update(status="off", labels={"team": "blue"})
        machine["protection"].update(delete=False)
        for address in world.hetzner.primary_ips.values():
            address["auto_delete"] = True
        (firewall,) = world.hetzner.firewalls.values()
        firewall.update(rules=firewall["rules"][:1], applied_to=[])
        choice["server_adopt"] = True
    put_records: dict[str, Callable[[str, str, str, list[str]], None]] = {
        "route53": world.route53.put_record,
        "hetzner": world.hetzner.put_record,
        "cloudflare": one_by_one(world),
    }
    put_record = put_records[choice["dns_provider"]]
    put_record("example.org", "www.example.org", "CNAME", ["old.example.net."])
    put_record("example.org", "old.example.org", "A", ["192.0.2.1"])
    put_record("example.org", "old.example.org", "AAAA", ["2001:db8:ffff::1"])
    if choice.get("mail_domain_provider"):
        world.sparkpost.forget("example.org")
    names = ["www.example.org", "old.example.org"]
    return story_in(world, story.name, **choice, alternate_domains=names, dns_replace=True)


def test_a_repair_that_dies_at_any_change_is_finished_by_the_next_run(
    name_of_world: str, quick_world: World, sleeper: Sleeper
) -> None:
    """
    Each verb beside those that make things, at the moment in which its answer is lost: to die anywhere else, while
    something is read or before it is changed, leaves what one of these leaves, or nothing.
    """
    world = quick_world
    sleeper.at_each += [world.settle, lambda: world.names.resolver_remembers.clear()]

    def spoilt() -> Story:
        world.renew()
        story = story_in(world, name_of_world)
        story.provision()
        world.settle()
        story = spoil(story)
        world.internet.journal.clear()
        world.internet.revive()
        return story

    whole = spoilt()
    assert [each.text for each in whole.provision() if each.refusal] == []
    journal = [str(each) for each in world.internet.journal]
    changes = [number for number, each in enumerate(journal, 1) if not each.startswith("GET") and "/token" not in each]
    assert len(changes) > 10
    for number in changes:
        story = spoilt()
        world.internet.die_at, world.internet.handled = number, True
        assert any(each.refusal for each in story.provision()), f"request {number} was not missed"
        world.internet.revive()
        rest = story.provision()
        assert [each.text for each in rest if each.refusal] == [], f"after {journal[number - 1]}"
        world.settle()
        assert_all_is_there(story)
        (address,) = world.names.values("social.example.org", "A")
        for name in ("www.example.org", "old.example.org"):
            assert world.names.values(name, "A") == (address,)
            assert world.names.values(name, "AAAA") == world.names.values("social.example.org", "AAAA")
        assert [each.done for each in story.provision()] == [0] * len(OPERATIONS), f"after {journal[number - 1]}"
