"""provision.py through pyinfra's command line, on this computer, against stand-ins of the providers over TLS."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness import REQUIRED, ROOT
from tests.plan.cli import Run
from tests.plan.cli import pyinfra as command_line
from tests.stand_ins.accounts import KEYS
from tests.stand_ins.world import World

TASKS = ("cloud_firewall", "server", "dns", "mail_domain", "proof")
GOOGLE: dict[str, Any] = {
    "server_provider": "google",
    "server_project": "my-project",
    "dns_provider": "route53",
    "mail_domain_provider": "sparkpost",
    "mail_domain": "example.org",
}
DEPLOYABLE = [word for name, value in REQUIRED.items() for word in ("--data", f"{name}={value}")]
HETZNER: dict[str, Any] = {"server_provider": "hetzner", "dns_provider": "cloudflare"}


@pytest.fixture(name="world")
def _world(tmp_path: Path) -> Iterator[World]:
    """Providers that have done at once what they are asked for: tests/provision watches how a run waits for them."""
    world = World(tmp_path)
    world.google.polls = world.hetzner.polls = world.route53.polls = 0
    yield world
    world.stop()


def provision(world: World, *arguments: str, file: str = "provision.py", **settings: Any) -> Run:
    """As an operator types it. Settings are given with --data, beside the shipped group_data."""
    chosen = {
        "local_domain": "social.example.org",
        "dns_resolvers": [world.resolver],
        "server_wait_seconds": 0,
        "dns_wait_seconds": 0,
    } | settings
    if chosen.get("server_provider") == "google":
        chosen["server_credentials"] = str(world.google_key)
    data = [word for name, value in chosen.items() for word in ("--data", f"{name}={json.dumps(value)}")]
    return pyinfra(world.environment, "@local", file, *data, *arguments)


def pyinfra(environment: Mapping[str, str], *arguments: str) -> Run:
    without = [name for name in os.environ if name.startswith(("AWS_", "GOOGLE_"))]
    return command_line(*arguments, environment=environment, without=without)


def changes(run: Run) -> int:
    totals = run.json["results"]["totals"]
    assert totals["error"] == 0
    return int(totals["success"])


def test_from_nothing_to_all_of_it_and_a_second_run_changes_nothing(world: World) -> None:
    world.route53.add_zone("example.org")
    dry = provision(world, "--dry", **GOOGLE)
    assert dry.returncode == 0, dry.text
    for line in (
        "+ address    mastodon                     static IPv4 in us-west1",
        "+ firewall   mastodon-web                 tcp 22, 80, 443 from anywhere to tag mastodon",
        "+ server     mastodon                     e2-small, debian-13, 30 GiB pd-balanced",
        "+ A          social.example.org           300 s → the address of mastodon, known when it is made",
        "+ domain     example.org                  DKIM 2048 bits",
    ):
        assert line in dry.text
    assert [each for each in world.internet.only("POST", "PATCH", "PUT", "DELETE") if "/token" not in each] == []

    first = provision(world, "--json", "--yes", **GOOGLE)
    assert first.returncode == 0, first.text
    assert changes(first) > 0
    (address,) = (each["address"] for each in world.google.addresses.values())
    assert f'("{address}", {{"ssh_user": "admin", "public_ipv4": "{address}"}}),' in first.text
    assert "Then: pyinfra inventory.py deploy.py" in first.text
    assert 'smtp_server = "smtp.sparkpostmail.com"' in first.text
    assert world.names.values("social.example.org", "A") == (address,)

    second = provision(world, "--json", "--yes", **GOOGLE)
    assert second.returncode == 0, second.text
    assert changes(second) == 0
    assert world.internet.only("DELETE") == []


def test_hetzner_and_cloudflare(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    first = provision(world, "--json", "--yes", **HETZNER)
    assert first.returncode == 0, first.text
    assert '{"ssh_user": "root"}' in first.text
    second = provision(world, "--json", **HETZNER)
    assert second.planned == {}


def test_by_hand_the_records_are_told_and_the_run_fails_until_they_are_there(world: World) -> None:
    settings: dict[str, Any] = {
        "dns_provider": "manual",
        "public_ipv4": "198.51.100.7",
        "mail_domain_provider": "manual",
        "mail_domain": "example.org",
        "mail_domain_records": [
            'k1._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=MIIB"',
            'example.org. TXT "v=spf1 include:mail.example.net -all"',
        ],
    }
    missing = {
        ("social.example.org", "A"): "198.51.100.7",
        ("k1._domainkey.example.org", "TXT"): "v=DKIM1; k=rsa; p=MIIB",
        ("example.org", "TXT"): "v=spf1 include:mail.example.net -all",
        ("_dmarc.example.org", "TXT"): "v=DMARC1; p=none",
    }
    told = provision(world, "--yes", **settings)
    assert told.returncode == 1
    assert "Traceback" not in told.text
    lines = re.findall(r"^.*\]\s+(\S+\.) 300 IN (\S+) (.*)$", told.text, flags=re.MULTILINE)
    expected = {(f"{name}.", kind, f'"{value}"' if kind == "TXT" else value) for (name, kind), value in missing.items()}
    assert set(lines) == expected
    assert all(f"does not know {kind} of {name}" in told.text or "DMARC" in told.text for name, kind in missing)
    for (name, kind), value in missing.items():
        world.names.publish("example.org", name, kind, 300, (value,))
    # The stand-in's resolver remembers that they were not there; a real one forgets after a while.
    world.names.resolver_remembers.clear()
    proven = provision(world, "--json", "--yes", **settings)
    assert proven.returncode == 0, proven.text
    assert changes(proven) == 0


def test_no_task_of_provisioning_is_forgotten_here() -> None:
    tasks = (ROOT / "tasks").glob("*.py")
    found = {path.stem for path in tasks if "provision_settings_for" in path.read_text(encoding="utf-8")}
    assert found == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_each_task_runs_alone(world: World, task: str) -> None:
    world.cloudflare.add_zone("example.org")
    run = provision(world, "--dry", "--json", file=f"tasks/{task}.py", **HETZNER)
    assert run.returncode == 0, run.text


@pytest.mark.parametrize("arguments", [["--dry", "-vvv", "--debug-all"], ["--yes", "-vvv", "--debug-all"]])
def test_the_keys_are_shown_nowhere(world: World, arguments: list[str]) -> None:
    world.route53.add_zone("example.org")
    run = provision(world, *arguments, **GOOGLE)
    assert run.returncode == 0, run.text
    assert "botocore" in run.text, "the libraries' own logs are to be looked through too"
    assert_no_key_in(run)


def test_an_answer_of_unknown_form_is_a_sentence_and_shows_no_key(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    world.hetzner.firewalls[1] = {"name": "mastodon-web", "of": "a later version"}
    run = provision(world, "--yes", "-vvv", "--debug-all", **HETZNER)
    assert run.returncode == 1
    assert "has a form that this suite does not know (KeyError in hetzner.py, line" in run.text
    assert "Traceback" not in run.text
    assert_no_key_in(run)


def test_the_keys_of_hetzner_and_cloudflare_are_shown_nowhere(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    run = provision(world, "--yes", "-vvv", "--debug-all", **HETZNER)
    assert run.returncode == 0, run.text
    assert "DEBUG:urllib3" in run.text
    assert_no_key_in(run)


def test_a_login_of_aws_for_some_hours_is_shown_nowhere(world: World) -> None:
    """As single sign-on gives it: its token is a header of each request."""
    world.route53.add_zone("example.org")
    file = world.home / ".aws" / "credentials"
    file.parent.mkdir()
    key = f"aws_access_key_id = {KEYS['ROUTE53_ACCESS_KEY_ID']}\naws_secret_access_key = route53-canary\n"
    file.write_text(f"[dns]\n{key}aws_session_token = session-canary\n")
    settings = {"dns_provider": "route53", "public_ipv4": "198.51.100.7", "dns_aws_profile": "dns"}
    run = provision(world, "--yes", "-vvv", "--debug-all", **settings)
    assert run.returncode == 0, run.text
    assert "session-canary" in {each.headers.get("x-amz-security-token") for each in world.internet.journal}
    assert_no_key_in(run)


def test_a_login_of_aws_that_has_expired_is_a_sentence(world: World) -> None:
    file = world.home / ".aws" / "config"
    file.parent.mkdir()
    file.write_text(
        "[profile dns]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 1\n"
        "sso_role_name = r\n"
    )
    settings = {"dns_provider": "route53", "public_ipv4": "198.51.100.7", "dns_aws_profile": "dns"}
    run = provision(world, "--dry", file="tasks/dns.py", **settings)
    assert run.returncode == 1
    assert "Type: aws sso login --profile dns" in run.text
    assert "Traceback" not in run.text and "mandatory refresh" not in run.text


def test_the_login_of_a_person_at_google_is_shown_nowhere(world: World) -> None:
    """As gcloud leaves it: it is sent with the first request."""
    world.google.person(world.home)
    settings = {"server_provider": "google", "server_project": "my-project"}
    data = [word for name, value in settings.items() for word in ("--data", f"{name}={json.dumps(value)}")]
    arguments = ("@local", "tasks/cloud_firewall.py", "--yes", "-vvv", "--debug-all")
    run = pyinfra(world.environment, *arguments, "--data", "local_domain=social.example.org", *data)
    assert run.returncode == 0, run.text
    assert len(world.google.firewalls) == 1
    assert_no_key_in(run)


def assert_no_key_in(run: Run) -> None:
    """Nor a signed request, which whoever has it may send again for some minutes."""
    secret = (*KEYS.values(), "google-canary", "PRIVATE KEY", "session-canary", "Signature=", "assertion=")
    assert [value for value in secret if value in run.text] == []


def test_nothing_is_needed_of_the_deploy_and_its_mistakes_do_not_matter(world: World) -> None:
    world.cloudflare.add_zone("example.org")
    run = provision(world, "--dry", mastodon_version="latest", smtp_port=465, **HETZNER)
    assert run.returncode == 0, run.text


def test_mistakes_in_the_settings_come_at_once_before_anybody_is_asked(world: World) -> None:
    environment = {name: value for name, value in world.environment.items() if name != "HCLOUD_TOKEN"}
    run = pyinfra(
        environment | {"HCLOUD_TOKEN": ""},
        *("@local", "provision.py", "--yes", "--data", "server_provider=hetzner", "--data", "dns_provider=route54"),
        *("--data", "dns_zones=example.org", "--data", "cloud_firewall_ports=[22, 443]"),
    )
    assert run.returncode == 1
    for words in ("HCLOUD_TOKEN='...' in secrets.env", '"route53"', "    instead: dns_zone", "[22, 80, 443]"):
        assert words in run.text
    assert "Traceback" not in run.text
    assert world.internet.journal == []


def test_on_a_server_it_is_refused_with_what_to_type(world: World) -> None:
    run = pyinfra(world.environment, "@fake/server", "tasks/server.py", "--yes", *DEPLOYABLE)
    assert run.returncode == 1
    assert "Provisioning runs on this computer and not on @fake/server; nothing was changed." in run.text
    assert "Type: pyinfra @local provision.py" in run.text
    assert "Traceback" not in run.text


def test_without_any_provider_it_says_what_to_do_by_hand(world: World) -> None:
    run = provision(world, "--json", "--yes", dns_provider="")
    assert run.returncode == 0, run.text
    assert "let TCP ports 22, 80 and 443 through" in run.text
    assert "Point social.example.org to it in the DNS." in run.text
    assert changes(run) == 0


@pytest.mark.parametrize(
    ("module", "package", "settings"),
    [
        ("boto3.py", "boto3", {"dns_provider": "route53", "public_ipv4": "198.51.100.7"}),
        ("dns.py", "dnspython", {"dns_provider": "manual", "public_ipv4": "198.51.100.7"}),
        ("google/__init__.py", "google-auth", {"server_provider": "google"}),
    ],
)
def test_a_missing_package_is_a_sentence_with_the_command(
    world: World, tmp_path: Path, module: str, package: str, settings: dict[str, Any]
) -> None:
    missing = tmp_path / "without" / module
    missing.parent.mkdir(parents=True)
    missing.write_text("raise ImportError\n")
    data = [word for name, value in settings.items() for word in ("--data", f"{name}={value}")]
    run = pyinfra(
        world.environment | {"PYTHONPATH": str(tmp_path / "without")},
        *("@local", "provision.py", "--yes", "--data", "local_domain=social.example.org", *data),
    )
    assert run.returncode == 1
    install = ".venv/bin/pip install --require-hashes -r requirements-provision.lock"
    assert f"needs {package}. Install it: {install}" in run.text
    assert "Traceback" not in run.text


def test_a_refusal_comes_before_the_first_change_with_yes_too(world: World) -> None:
    world.route53.add_zone("example.org")
    world.route53.put_record("example.org", "social.example.org", "A", ["192.0.2.1"])
    run = provision(world, "--yes", **GOOGLE)
    assert run.returncode == 1
    assert "social.example.org has an A record already: 192.0.2.1" in run.text
    assert "Nothing was changed." in run.text
    assert [each for each in world.internet.only("POST", "PATCH", "PUT", "DELETE") if "/token" not in each] == []


@pytest.mark.parametrize("file", ["group_data/mastodon.py", "instances/a/group_data/all.py"])
def test_the_values_of_the_operators_group_count_although_this_computer_is_not_in_it(world: World, file: str) -> None:
    values = world.home / file
    values.parent.mkdir(parents=True)
    values.write_text(f'local_domain = "other.example.org"\ndns_resolvers = ["{world.resolver}"]\n')
    run = pyinfra(
        world.environment,
        *("@local", "tasks/dns.py", "--yes", "--group-data", str(values.parent)),
        *("--data", "dns_provider=manual", "--data", "public_ipv4=198.51.100.7"),
    )
    assert "other.example.org. 300 IN A 198.51.100.7" in run.text, run.text
