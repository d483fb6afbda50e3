"""docs/provisioning.md says what is so: its examples are valid, its policy is enough and no more."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.cloud.loading import examine
from mstdn.dns.operations import site_records
from mstdn.server.operations import next_lines
from mstdn.settings.model import FIELDS
from tests.harness import ROOT
from tests.stand_ins.operator import provision_settings, run
from tests.stand_ins.world import World

PAGE = (ROOT / "docs" / "provisioning.md").read_text()
README = (ROOT / "README.md").read_text()


def examples(text: str) -> list[str]:
    """What stands in group_data/mastodon.py, in each example."""
    return re.findall(r"^    # group_data/mastodon\.py\n((?:    .*\n)+)", text, flags=re.MULTILINE)


def values_of(text: str) -> dict[str, Any]:
    """The settings of an example."""
    tree = ast.parse(re.sub(r"^    ", "", text, flags=re.MULTILINE))
    return {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)
    }


EXAMPLES = examples(PAGE)


def policy() -> dict[str, list[str]]:
    """The resources of each action in the page's policy."""
    text = re.search(r"^    \{\n.*?^    \}\n", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert text is not None
    statements = json.loads(text[0])["Statement"]
    actions: dict[str, list[str]] = {}
    for statement in statements:
        named = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        for action in named:
            actions.setdefault(action, []).append(statement["Resource"])
    return actions


@pytest.mark.parametrize("text", EXAMPLES, ids=["google", "hetzner"])
def test_the_examples_are_valid_settings(text: str, world: World) -> None:
    values = values_of(text)
    assert len(values) >= 4
    assert examine(values)[1] == []


def test_both_examples_are_found() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("name", ["ListHostedZonesByName", "GetHostedZone", "ListResourceRecordSets", "GetChange"])
def test_the_policy_allows_all_that_is_asked_of_route53(name: str, world: World) -> None:
    world.route53.add_zone("example.org")
    world.route53.denied.add(name)
    settings = provision_settings(dns_provider="route53", public_ipv4="198.51.100.7", dns_resolvers=[world.resolver])
    assert f"route53:{name}" in run(site_records, settings=settings).text
    assert f"route53:{name}" in policy()


def test_the_policy_allows_nothing_else() -> None:
    assert len(policy()) == 5 and "route53:ChangeResourceRecordSets" in policy()


def test_the_page_names_no_setting_and_no_key_that_does_not_exist() -> None:
    words = set(re.findall(r"`((?:server|dns|cloud_firewall|mail_domain|public)_[a-z0-9_]+)`", PAGE))
    assert words - set(FIELDS) == set()
    named = set(re.findall(r"^    ([A-Z][A-Z0-9_]+)='…'$", PAGE, flags=re.MULTILINE))
    assert named <= set(PROVIDER_KEYS) and len(named) == 5


def ends(text: str) -> list[list[str]]:
    """The last lines of a run, as the page shows them."""
    blocks = re.findall(r"^    The server is ready.*\n((?:    .*\n)+)", text, flags=re.MULTILINE)
    return [
        ["The server is ready. Put it into inventory.py:", *(line[4:] for line in each.splitlines())] for each in blocks
    ]


@pytest.mark.parametrize("number", [0, 1], ids=["google", "hetzner"])
def test_the_page_shows_the_last_lines_as_they_are(number: int, world: World) -> None:
    settings = provision_settings(**values_of(EXAMPLES[number]))
    user, behind_nat = (("admin", True), ("root", False))[number]
    assert ends(PAGE)[number] == next_lines(settings, "203.0.113.5", user, behind_nat=behind_nat)


@pytest.mark.parametrize("number", [0, 1], ids=["google", "hetzner"])
def test_the_readme_shows_the_same_examples(number: int, world: World) -> None:
    shown = values_of(examples(README)[number])
    assert examine(shown)[1] == []
    assert shown.items() <= values_of(EXAMPLES[number]).items()


def test_the_readme_installs_what_provisioning_needs_into_a_fresh_clone() -> None:
    section = README.partition("## A server, a name and mail in one command")[2].partition("\n## ")[0]
    commands = [line.strip() for line in section.splitlines() if line.startswith("    ") and "=" not in line.split()[0]]
    order = ["git clone", "python3 -m venv .venv", "pip install", "provision.py --dry", "@local provision.py"]
    places = [next(place for place, line in enumerate(commands) if part in line) for part in order]
    assert places[:4] == sorted(places[:4])
    assert "-r requirements-provision.lock" in section


def locked(name: str) -> dict[str, bool]:
    """The packages of a lock file, and whether each has a hash."""
    text = (ROOT / name).read_text()
    found = re.findall(r"^([a-z0-9-]+)==\S+(.*?)(?=^[a-z0-9]|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return {package: "--hash=sha256:" in rest for package, rest in found}


def test_the_lock_of_provisioning_has_its_three_packages_beside_those_of_the_deploy() -> None:
    extra = (ROOT / "pyproject.toml").read_text().partition("\nprovision = [")[2].partition("]")[0]
    needed = set(re.findall(r'"([a-z0-9-]+)[><=]', extra))
    ours, deploys = locked("requirements-provision.lock"), locked("requirements.lock")
    assert needed == {"dnspython", "google-auth", "boto3"}
    assert needed | set(deploys) <= set(ours) and all(ours.values())
    assert needed.isdisjoint(deploys)


def test_the_prices_of_the_readme_are_those_of_the_page() -> None:
    section = README.partition("## A server, a name and mail in one command")[2].partition("\n## ")[0]
    prices = re.findall(r"\d+\.\d\d", section)
    assert len(prices) == 4 and [each for each in prices if each not in PAGE] == []
    machine, disk, address = map(float, prices[:3])
    assert f"costs {round(machine + disk + address)} US dollars a month" in section


def test_the_reason_why_9090_is_shut_is_told_in_two_sentences() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    reason = re.search(
        r"\*\*The original guide's rule for tcp:9090 is not needed\.\*\* (.+?)\n\n", page, flags=re.DOTALL
    )
    assert reason is not None
    assert len(re.findall(r"\.(?:\s|$)", reason[1])) == 2
