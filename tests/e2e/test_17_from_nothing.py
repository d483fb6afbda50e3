"""
From nothing to a served site: accounts without anything in them, and a copy of the suite on an operator's computer.

Both examples of docs/provisioning.md. Nothing here is on the server of this life: the providers make their own.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence

import pytest

from tests.lab import addresses
from tests.lab.addresses import STATE
from tests.lab.clouds import Clouds, opened
from tests.lab.commands import Completed, wait_until
from tests.lab.desk import AUTHORITIES, Desk
from tests.lab.inhabitants import MADE
from tests.lab.world import COMMAND_SECONDS, Machine, World

DOMAIN = "social.meadow.example"
# The zone files of the account and the delegation are there before; all else is made.
GOOGLE = """
local_domain = "social.meadow.example"
server_provider = "google"
server_project = "my-project"
server_place = "europe-west3-a"
dns_provider = "route53"
mail_domain_provider = "sparkpost"
mail_domain = "meadow.example"
mail_domain_bounce = "bounce.meadow.example"
"""
HETZNER = """
local_domain = "social.harbour.example"
server_provider = "hetzner"
server_place = "fsn1"
dns_provider = "cloudflare"
mail_domain_provider = "manual"
mail_domain = "harbour.example"
mail_domain_records = [
    'k1._domainkey.harbour.example. TXT "v=DKIM1; k=rsa; p=MIIB"',
    'harbour.example. TXT "v=spf1 include:mail.example.net -all"',
]
"""
HARBOUR_MAIL = """
smtp_server = "mail.example.net"
smtp_login = "mastodon"
smtp_from_address = "Mastodon <notifications@harbour.example>"
"""
BY_HAND = """
local_domain = "social.island.example"
public_ipv4 = "{address}"
dns_provider = "manual"
mail_domain_provider = "manual"
mail_domain = "island.example"
mail_domain_records = [
    'k1._domainkey.island.example. TXT "v=DKIM1; k=rsa; p=MIIB"',
    'island.example. TXT "v=spf1 include:mail.example.net -all"',
]
"""
SMTP_KEY = "sparkpost-smtp-canary"
CANARY = re.compile(r"[\w-]*canary|PRIVATE KEY|MII[\w+/]{100}")
LINE = re.compile(r'^.*\]\s+(\("[^"]+", \{.*\}\),)$', re.MULTILINE)
ORDER = "POST api.hetzner.cloud/v1/servers"
OPEN = {22: "open", 80: "closed", 443: "closed", 2375: "filtered", 9090: "filtered"}


@pytest.fixture(scope="module", name="clouds")
def _clouds() -> Iterator[Clouds]:
    with opened() as clouds:
        yield clouds


@pytest.fixture(scope="module", name="desk")
def _desk(clouds: Clouds, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("operator"))
    desk.take_keys(clouds.ask("key_file"))
    return desk


def provision(desk: Desk, settings: str, *arguments: str, check: bool = True) -> Completed:
    """As he types it. Whatever happens, no key is shown."""
    desk.write("group_data/mastodon.py", settings)
    run = desk.pyinfra("@local", "provision.py", *arguments, check=check)
    assert CANARY.findall(run.stdout + run.stderr) == []
    assert "Traceback" not in run.stdout + run.stderr
    return run


def changes(run: Completed) -> int:
    """How many operations of a run with --json changed something; none failed."""
    totals = json.loads(run.stdout.strip().rpartition("\n")[2])["results"]["totals"]
    assert totals["error"] == 0
    return int(totals["success"])


def only_read(requests: Sequence[str]) -> bool:
    return all(each.startswith("GET ") or each.endswith("/token") for each in requests)


def ports(world: World, address: str) -> dict[int, str]:
    """What a visitor finds: "open", "closed" where the machine says no, "filtered" where nobody answers."""
    listed = ",".join(map(str, OPEN))
    scan = world.visitor.run(f"nmap -Pn -n -T4 --max-retries 2 -p {listed} -oG - {address}").stdout
    return {int(number): state for number, state in re.findall(r"(\d+)/(open|closed|filtered)/tcp", scan)}


def asked(world: World, name: str, kind: str) -> list[str]:
    """What a name server of the zone says."""
    return world.visitor.run(f"dig +short @{addresses.NAME_SERVERS[0].ipv4} {name} {kind}").stdout.split("\n")[:-1]


@pytest.fixture(scope="module", name="made")
def _made(clouds: Clouds, desk: Desk, world: World) -> Completed:
    """The first run at Google, after a look at what it would do."""
    dry = provision(desk, GOOGLE, "--dry")
    for line in (
        "+ firewall   mastodon-web                 tcp 22, 80, 443 from anywhere to tag mastodon",
        "+ address    mastodon                     static IPv4 in europe-west3",
        "+ server     mastodon                     e2-small, debian-13, 30 GiB pd-balanced, protected against deletion",
        f"+ A          {DOMAIN}        300 s → the address of mastodon, known when it is made",
        "+ domain     meadow.example               DKIM 2048 bits",
    ):
        assert line in dry.stdout + dry.stderr
    assert clouds.ask("possessions") == {"google": [], "hetzner": [], "sparkpost": []}
    assert only_read(clouds.ask("journal"))
    assert asked(world, DOMAIN, "A") == []
    return provision(desk, GOOGLE, "--yes")


@pytest.fixture(scope="module", name="line")
def _line(made: Completed) -> str:
    """The line for inventory.py, as it is printed."""
    (line,) = LINE.findall(made.stdout + made.stderr)
    return str(line)


@pytest.fixture(scope="module", name="address")
def _address(line: str) -> str:
    return line.split('"')[1]


@pytest.fixture(scope="module", name="server")
def _server(world: World, address: str) -> Machine:
    return Machine(world.engine, MADE[name_of(address)].container)


def name_of(address: str) -> str:
    """The lab's name of the machine that a provider made and gave this address."""
    (name,) = (name for name, (public, _) in addresses.MADE.items() if public.ipv4 == address)
    return name


def test_the_machine_is_bare_and_lets_in_exactly_who_was_asked_for(desk: Desk, server: Machine, address: str) -> None:
    known_hosts = f"UserKnownHostsFile={desk.home / 'known_hosts'}"
    options = ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new", "-o", known_hosts, "-i", str(desk.key)]
    assert desk.run("ssh", *options, f"admin@{address}", "sudo id -un").stdout == "root\n"
    for user in ("root", "operator"):
        assert "Permission denied" in desk.run("ssh", *options, f"{user}@{address}", "true", check=False).stderr
    assert server.run("command -v docker || test -e /srv/mastodon", check=False).returncode != 0
    assert address not in server.run("ip address").stdout, "at Google a server knows its private address only"


def test_the_records_are_in_the_dns_of_the_lab(world: World, address: str) -> None:
    assert asked(world, DOMAIN, "A") == [address]
    assert asked(world, "_dmarc.meadow.example", "TXT") == ['"v=DMARC1; p=none"']
    assert asked(world, "bounce.meadow.example", "CNAME") == ["sparkpostmail.com."]
    assert world.server.run(f"getent ahostsv4 {DOMAIN}").stdout.split()[0] == address


def test_visitors_are_kept_out_until_rule_and_tag_agree(clouds: Clouds, desk: Desk, world: World, address: str) -> None:
    assert ports(world, address) == OPEN
    clouds.ask("untag")
    assert set(ports(world, address).values()) == {"filtered"}
    repaired = desk.pyinfra("@local", "tasks/server.py", "--yes")
    assert "~ server     mastodon                     network tag mastodon" in repaired.stdout + repaired.stderr
    assert ports(world, address) == OPEN


@pytest.fixture(scope="module", name="served")
def _served(clouds: Clouds, desk: Desk, made: Completed, line: str, server: Machine) -> None:
    """The line pasted, and the lines of mail too; then the deploy."""
    mail = re.findall(r'^.*\]\s+(smtp_\w+ = ".*")$', made.stdout + made.stderr, re.MULTILINE)
    assert len(mail) == 4
    desk.take_keys(clouds.ask("key_file"), SMTP_PASSWORD=SMTP_KEY)
    deploy(desk, line, "\n".join([GOOGLE, *mail]))


def deploy(desk: Desk, line: str, settings: str) -> str:
    """Paste the line, add to the settings what the lab needs of every operator, deploy. Returns the settings."""
    inventory = (addresses.REPOSITORY / "inventory.py").read_text()
    sample = '("your-server.example.org", {"ssh_user": "admin"}),'
    assert sample in inventory
    desk.write("inventory.py", inventory.replace(sample, line))
    lab = {
        "acme_email": "operator@meadow.example",
        "acme_ca_bundle": str(AUTHORITIES),
        "docker_key_fingerprint": json.loads((STATE / "world.json").read_text())["docker_key_fingerprint"],
        "swap_path": addresses.SWAP_PATHS[name_of(line.split('"')[1])],
        "swap_size_mib": addresses.SWAP_MIB,
    }
    settings = "\n".join([settings, *(f"{setting} = {value!r}" for setting, value in lab.items())])
    desk.write("group_data/mastodon.py", settings)
    desk.pyinfra("inventory.py", "deploy.py", "--yes")
    return settings


@pytest.mark.usefixtures("served")
def test_the_site_is_served_with_a_certificate(world: World) -> None:
    described = json.loads(
        world.visitor.run(f"curl --silent --show-error --fail https://{DOMAIN}/api/v2/instance").stdout
    )
    assert described["domain"] == DOMAIN


@pytest.mark.usefixtures("served")
def test_provisioning_again_changes_nothing_and_writes_nothing(clouds: Clouds, desk: Desk) -> None:
    before = len(clouds.ask("journal"))
    settings = (desk.suite / "group_data" / "mastodon.py").read_text()
    assert changes(provision(desk, settings, "--yes", "--json")) == 0
    journal = clouds.ask("journal")
    assert only_read(journal[before:])
    assert [each for each in journal if each.startswith("DELETE")] == []
    possessions = clouds.ask("possessions")
    assert sorted(possessions["google"]) == ["mastodon", "mastodon", "mastodon-web"]


@pytest.mark.usefixtures("served")
def test_no_key_of_a_provider_has_reached_the_server(server: Machine) -> None:
    # The one key that Mastodon sends mail with.
    assert keys_on(server) == {SMTP_KEY}


def keys_on(server: Machine) -> set[str]:
    """All keys that the operator has and that lie somewhere on the server."""
    places = "/srv /etc /root /home /run /var/lib/mstdn /var/log /usr/local"
    return set(server.run(f"grep -rhoaE '[a-z0-9-]*canary|AKIAROUTE[A-Z0-9]*' {places}", check=False).stdout.split())


@pytest.mark.usefixtures("served")
def test_mail_goes_out_by_the_provider_and_from_the_verified_domain_only(world: World, server: Machine) -> None:
    to = "alice.of.meadow@example.org"
    before = len(world.mails(to))
    server.run(
        "docker exec $(docker ps --quiet --filter label=com.docker.compose.service=web) bin/tootctl accounts create "
        f"alice --email {to}"
    )
    # Sidekiq sends it.
    wait_until("a mail has come", lambda: len(world.mails(to)) > before, timeout=60)
    taken = world.mails(to)[before:]
    assert [each.recipients for each in taken] == [(to,)]
    assert taken[0].message["From"] == "Mastodon <notifications@meadow.example>"
    refused = world.visitor.run(
        f"printf 'From: m@other.example\\r\\nSubject: s\\r\\n\\r\\nb\\r\\n' | curl --silent --show-error --ssl-reqd "
        f"--user SMTP_Injection:{SMTP_KEY} --mail-from m@other.example --mail-rcpt {to} --upload-file - "
        "smtp://smtp.sparkpostmail.com:587",
        check=False,
    )
    assert refused.returncode != 0
    assert len(world.mails(to)) == before + 1


@pytest.fixture(scope="module", name="finished")
def _finished(clouds: Clouds, desk: Desk) -> Completed:
    """The second run at Hetzner; the first was killed while the server was made."""
    desk.write("group_data/mastodon.py", HETZNER)
    command = desk.command("pyinfra", "@local", "provision.py", "--yes")
    with subprocess.Popen(command, cwd=desk.suite, env=desk.environment(), stderr=subprocess.DEVNULL) as run:
        try:
            wait_until("the server is ordered", lambda: ORDER in clouds.ask("journal"), COMMAND_SECONDS)
        finally:
            run.kill()
    return provision(desk, HETZNER, "--yes", "--json")


def test_a_run_that_is_killed_while_the_server_is_made_is_finished_by_the_next(
    clouds: Clouds, finished: Completed
) -> None:
    assert changes(finished) > 0
    # Firewall, two addresses, key, server: one of each.
    assert len(clouds.ask("possessions")["hetzner"]) == 5
    assert clouds.ask("journal").count(ORDER) == 1


def test_hetzner_and_cloudflare_with_the_records_of_another_mail_provider(
    clouds: Clouds, desk: Desk, world: World, finished: Completed
) -> None:
    (line,) = LINE.findall(finished.stdout + finished.stderr)
    address = line.split('"')[1]
    assert line == f'("{address}", {{"ssh_user": "root"}}),'
    assert asked(world, "social.harbour.example", "A") == [address]
    assert len(asked(world, "social.harbour.example", "AAAA")) == 1
    assert asked(world, "k1._domainkey.harbour.example", "TXT") == ['"v=DKIM1; k=rsa; p=MIIB"']
    assert ports(world, address) == OPEN
    before = len(clouds.ask("journal"))
    assert changes(provision(desk, HETZNER, "--yes", "--json")) == 0
    assert only_read(clouds.ask("journal")[before:])


@pytest.fixture(scope="module", name="harbour")
def _harbour(clouds: Clouds, desk: Desk, world: World, finished: Completed) -> tuple[Machine, str]:
    """
    The server at Hetzner with the site on it, and the settings.

    The lab's engine is older than 27 and publishes nothing on IPv6, so the AAAA record goes, as the deploy would ask.
    """
    (line,) = LINE.findall(finished.stdout + finished.stderr)
    address = line.split('"')[1]
    settings = HETZNER + HARBOUR_MAIL + f'public_ipv4 = "{address}"\n'
    desk.write("group_data/mastodon.py", settings)
    refused = desk.pyinfra("@local", "tasks/dns.py", "--yes", check=False)
    assert refused.returncode == 1 and "has an AAAA record" in refused.stdout + refused.stderr
    replaced = desk.pyinfra("@local", "tasks/dns.py", "--yes", "--data", "dns_replace=true")
    assert "~ AAAA       social.harbour.example" in replaced.stdout + replaced.stderr
    assert asked(world, "social.harbour.example", "AAAA") == []
    assert asked(world, "social.harbour.example", "A") == [address]
    desk.take_keys(clouds.ask("key_file"), SMTP_PASSWORD="lab-smtp-password")
    return Machine(world.engine, MADE[name_of(address)].container), deploy(desk, line, settings)


def test_the_site_at_hetzner_is_served_and_provisioning_again_changes_nothing(
    clouds: Clouds, desk: Desk, world: World, harbour: tuple[Machine, str]
) -> None:
    machine, settings = harbour
    page = world.visitor.run("curl --silent --show-error --fail https://social.harbour.example/api/v2/instance").stdout
    assert json.loads(page)["domain"] == "social.harbour.example"
    before = len(clouds.ask("journal"))
    assert changes(provision(desk, settings, "--yes", "--json")) == 0
    assert only_read(clouds.ask("journal")[before:])
    assert keys_on(machine) == set()


def test_by_hand_the_run_fails_with_the_records_until_they_are_entered(
    clouds: Clouds, desk: Desk, world: World
) -> None:
    settings = BY_HAND.format(address=addresses.SERVERS[world.name].ipv4)
    told = provision(desk, settings, "--yes", check=False)
    assert told.returncode == 1
    lines = set(re.findall(r"\s(\S+)\. 300 IN (\S+) \"?(.*?)\"?$", told.stdout + told.stderr, re.MULTILINE))
    assert {(name, kind) for name, kind, _ in lines} == {
        ("social.island.example", "A"),
        ("k1._domainkey.island.example", "TXT"),
        ("island.example", "TXT"),
        ("_dmarc.island.example", "TXT"),
    }
    clouds.ask("enter_records", zone="island.example", records=sorted(lines))
    assert changes(provision(desk, settings, "--yes", "--json")) == 0
