"""docs/provisioning.md says what is so: its examples are valid, its policy is enough and no more."""

from __future__ import annotations

import ast
import json
import re

import pytest

from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.cloud.loading import examine
from mstdn.dns.operations import site_records
from mstdn.settings.model import FIELDS
from tests.harness import ROOT
from tests.stand_ins.operator import provision_settings, run
from tests.stand_ins.world import World

PAGE = (ROOT / "docs" / "provisioning.md").read_text()
EXAMPLES = re.findall(r"^    # group_data/mastodon\.py\n((?:    .*\n)+)", PAGE, flags=re.MULTILINE)


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
    tree = ast.parse(re.sub(r"^    ", "", text, flags=re.MULTILINE))
    values = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)
    }
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
