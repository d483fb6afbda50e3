"""The settings of provision.py, and the way to the providers: what is refused, and what to type instead."""

from __future__ import annotations

import datetime
import email.utils
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL
from pydantic import SecretStr

from mstdn.cloud.errors import ProvisionError
from mstdn.cloud.http import Key, seconds_to_wait
from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.cloud.loading import examine
from mstdn.secrets import operator as secrets
from mstdn.secrets.operator import keys_for, operator_secrets, provider_keys, secrets_for
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.server.login import wait_until_it_lets_in
from mstdn.settings import examine as examine_deploy
from tests.harness import REQUIRED, settings_with
from tests.stand_ins.operator import Sleeper

BASE = {"local_domain": "social.example.org", "public_ipv4": "198.51.100.7"}
SPARKPOST = {"mail_domain_provider": "sparkpost", "mail_domain": "example.org"}


@pytest.fixture(autouse=True)
def _no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "SECRETS_FILE", tmp_path / "secrets.env")
    for name in PROVIDER_KEYS:
        monkeypatch.delenv(name, raising=False)


def problems_of(**values: Any) -> dict[str, str]:
    return {problem.subject: str(problem) for problem in examine(BASE | values)[1]}


@pytest.mark.parametrize(
    ("values", "subject", "words"),
    [
        ({"server_provider": "hetzner"}, "HCLOUD_TOKEN", "HCLOUD_TOKEN='...' in secrets.env"),
        ({"dns_provider": "cloudflare"}, "CLOUDFLARE_API_TOKEN", 'dns_provider = "cloudflare" needs this key'),
        ({"dns_provider": "manual", "public_ipv4": ""}, "public_ipv4", 'or server_provider = "hetzner"'),
        ({"dns_provider": "manual", "local_domain": ""}, "local_domain", "no name to point anywhere"),
        ({"mail_domain_provider": "manual"}, "mail_domain", "neither it nor smtp_from_address says"),
        ({"mail_domain_provider": "manual", "mail_domain": "example.org"}, "mail_domain_records", "there are none"),
        (SPARKPOST | {"smtp_from_address": "a@other.example"}, "mail_domain", "marked as junk"),
        (SPARKPOST | {"smtp_server": "smtp.example.org"}, "smtp_server", 'smtp_server = "smtp.sparkpostmail.com"'),
        (SPARKPOST | {"mail_domain_bounce": "b.other.example"}, "mail_domain_bounce", '"bounce.example.org"'),
        (
            SPARKPOST | {"mail_domain_bounce": "social.example.org", "local_domain": "social.example.org"},
            "mail_domain_bounce",
            "it is a name of the site",
        ),
        (
            {
                "mail_domain_provider": "manual",
                "mail_domain": "example.org",
                "alternate_domains": ["www.example.org"],
                "mail_domain_records": ["www.example.org. CNAME mail.example.net."],
            },
            "mail_domain_records",
            "www.example.org is a name of the site, which leads to the server",
        ),
        (
            {
                "mail_domain_provider": "manual",
                "mail_domain": "example.org",
                "mail_domain_records": [f"example.org. TXT v=spf1 include:{name}.example -all" for name in "ab"],
            },
            "mail_domain_records",
            "example.org has 2 SPF records here, and receivers then heed none",
        ),
        ({"cloud_firewall_ports": [22]}, "cloud_firewall_ports", "cloud_firewall_ports = [22, 80, 443]"),
        ({"cloud_firewall_ssh_from": ["198.51.100.7/24"]}, "cloud_firewall_ssh_from", '"198.51.100.0/24"'),
        ({"cloud_firewall_ssh_from": []}, "cloud_firewall_ssh_from", "nobody could log in"),
        (
            {"server_provider": "google", "cloud_firewall_ssh_from": ["2001:db8::/32"]},
            "cloud_firewall_ssh_from",
            "it names no network of IPv4",
        ),
        ({"server_name": "My Server"}, "server_name", 'server_name = "my-server"'),
        ({"server_ssh_key": "no-such-file.pub"}, "server_ssh_key", "cannot read"),
        ({"dns_resolvers": ["dns.example.org"]}, "dns_resolvers", "it is not an IP address"),
        ({"dns_zone": "exmaple.org"}, "dns_zone", "nor the sending domain lie in it: social.example.org"),
        ({"dns_zone": "example org"}, "dns_zone", "it is neither a zone's name nor its ID"),
        ({"dns_zone": "b\u00fccher.example"}, "dns_zone", 'instead: dns_zone = "xn--bcher-kva.example"'),
        ({"mail_domain_records": ["k1 TXT x"]}, "mail_domain_records", "must be written in full"),
        ({"server_projct": "x"}, "server_projct", "server_project"),
        ({"hcloud_token": "canary"}, "hcloud_token", "HCLOUD_TOKEN='...' in secrets.env; remove it here"),
    ],
)
def test_a_mistake_is_told_with_what_to_type(values: dict[str, Any], subject: str, words: str) -> None:
    found = problems_of(**values)
    assert words in found[subject], found
    assert "canary" not in "".join(found.values())


def test_what_is_wrong_is_never_what_is_to_be_typed_instead() -> None:
    assert 'instead: dns_zone = "example org"' not in problems_of(dns_zone="example org")["dns_zone"]


def test_settings_of_the_deploy_are_known_and_left_alone() -> None:
    assert problems_of(mastodon_version="latest", swap_size_mib="much") == {}


def test_names_of_tor_and_i2p_are_not_for_the_dns() -> None:
    settings, _ = examine(BASE | {"alternate_domains": ["example.net", f"{'a' * 56}.onion"]})
    assert settings is not None and settings.site_names == ("social.example.org", "example.net")


def test_a_private_key_is_refused_as_the_public_one(tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert "never leaves your computer" in problems_of(server_ssh_key=str(key))["server_ssh_key"]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text("{}")
    file.chmod(0o644)
    assert f"chmod 600 {file}" in problems_of(server_credentials=str(file))["server_credentials"]


def test_the_providers_keys_never_go_to_a_server(tmp_path: Path) -> None:
    assert set(PROVIDER_KEYS).isdisjoint(OPERATOR_SECRETS)
    file = tmp_path / "secrets.env"
    file.write_text("HCLOUD_TOKEN='canary'\nSMTP_PASSWORD='p'\nROUTE53_ACCESS_KEY_ID='canary'\n")
    file.chmod(0o600)
    assert set(operator_secrets(file, {})[0]) == {"SMTP_PASSWORD"}
    assert set(provider_keys(file, {})[0]) == {"HCLOUD_TOKEN", "ROUTE53_ACCESS_KEY_ID"}
    assert set(secrets_for(settings_with(smtp_login="m"))) == {"SMTP_PASSWORD"}


@pytest.mark.parametrize("name", PROVIDER_KEYS)
def test_no_key_gets_to_a_server_as_a_variable_of_mastodon(name: str) -> None:
    _, problems = examine_deploy(REQUIRED | {"mastodon_environment": {name: "canary"}})
    (told,) = map(str, problems)
    assert f'mastodon_environment["{name}"]' in told and "in secrets.env; remove it here" in told
    assert "canary" not in told


def test_the_keys_are_in_the_file_that_secrets_file_names(tmp_path: Path) -> None:
    file = tmp_path / "secrets-of-alice.env"
    file.write_text("HCLOUD_TOKEN='canary'\n")
    file.chmod(0o600)
    settings, problems = examine(BASE | {"server_provider": "hetzner", "secrets_file": str(file)})
    assert problems == [] and settings is not None
    assert set(keys_for(settings)) == {"HCLOUD_TOKEN"}


def test_without_that_file_nothing_is_said_of_the_keys(tmp_path: Path) -> None:
    found = problems_of(server_provider="hetzner", secrets_file=str(tmp_path / "nowhere.env"))
    assert found.keys() == {"secrets_file"}


def test_a_key_that_differs_in_file_and_environment_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets.SECRETS_FILE.write_text("HCLOUD_TOKEN='canary'\n")
    secrets.SECRETS_FILE.chmod(0o600)
    monkeypatch.setenv("HCLOUD_TOKEN", "another canary")
    found = problems_of(server_provider="hetzner")
    assert "nobody knows which one is right" in found["HCLOUD_TOKEN in the environment"]
    assert "canary" not in "".join(found.values())


@pytest.mark.parametrize("key", ["canary ", "can ary", "canary\u2019", "\u201ccanary\u201d", "canary\u2013"])
def test_a_key_that_cannot_be_one_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("HCLOUD_TOKEN", key)
    found = problems_of(server_provider="hetzner")
    assert "it has a character that no key has" in found["HCLOUD_TOKEN"]
    assert "can" not in found["HCLOUD_TOKEN"].replace("cannot", "")


def test_a_token_that_two_settings_need_is_missed_once() -> None:
    _, problems = examine(BASE | {"server_provider": "hetzner", "dns_provider": "hetzner"})
    assert [problem.subject for problem in problems] == ["HCLOUD_TOKEN"]


def test_a_key_shows_itself_nowhere() -> None:
    key = Key(SecretStr("canary"), "Bearer {}")
    assert "canary" not in repr(key) + str(key) + str(vars(key))
    assert key.hidden("a canary sings") == "a … sings"


def test_the_servers_own_wait_counts() -> None:
    moment = datetime.datetime(2026, 11, 25, 12, 0, tzinfo=datetime.timezone.utc)
    now = moment.timestamp()
    later = email.utils.format_datetime(moment + datetime.timedelta(seconds=30), usegmt=True)
    assert seconds_to_wait({"Retry-After": "7"}, 1, now) == 7
    assert seconds_to_wait({"Retry-After": later}, 1, now) == 30
    assert seconds_to_wait({"Retry-After": "soon"}, 1, now) == 1
    # By then all requests of an hour are there again, and long before that a few.
    assert seconds_to_wait({"RateLimit-Reset": str(int(now) + 3600)}, 1, now) == 1
    assert seconds_to_wait({}, 1, now) == 1


# --- Whether the server lets one in ---------------------------------------------------------------


class Gate(paramiko.ServerInterface):
    """Lets in whoever has this key, after so many refusals."""

    def __init__(self, key: paramiko.PKey, refusals: list[int]):
        self._key, self._refusals = key, refusals

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        if self._refusals and self._refusals.pop():
            return AUTH_FAILED
        return AUTH_SUCCESSFUL if (username, key) == ("admin", self._key) else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"


@pytest.fixture(name="door")
def _door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Path, list[int]]]:
    """A server's SSH port, the public key that it knows, and how often it refuses first."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    key = paramiko.RSAKey.generate(2048)
    key.write_private_key_file(str(tmp_path / "id_rsa"))
    (tmp_path / "id_rsa.pub").write_text(f"ssh-rsa {key.get_base64()}\n")
    host_key, refusals = paramiko.RSAKey.generate(2048), [0]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                transport = paramiko.Transport(connection)
                transport.add_server_key(host_key)
                transport.start_server(server=Gate(key, refusals), event=threading.Event())

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], tmp_path / "id_rsa.pub", refusals


def test_a_server_that_lets_one_in_is_found_at_once(door: tuple[int, Path, list[int]], sleeper: Sleeper) -> None:
    port, key, _ = door
    wait_until_it_lets_in("127.0.0.1", "admin", key, 600, port)
    assert sleeper.slept == []


def test_a_server_that_is_still_booting_is_waited_for(door: tuple[int, Path, list[int]], sleeper: Sleeper) -> None:
    port, key, refusals = door
    refusals[:] = [0, 1, 1]
    wait_until_it_lets_in("127.0.0.1", "admin", key, 600, port)
    assert len(sleeper.slept) == 2


def test_a_server_that_ignores_the_key_is_told_with_os_login(
    door: tuple[int, Path, list[int]], sleeper: Sleeper
) -> None:
    port, key, _ = door
    with pytest.raises(ProvisionError, match=r"does not let bob in with the key .*requireOsLogin"):
        wait_until_it_lets_in("127.0.0.1", "bob", key, 6, port)


def test_a_key_with_a_passphrase_is_told_with_the_agent(door: tuple[int, Path, list[int]], sleeper: Sleeper) -> None:
    port, key, _ = door
    private = paramiko.RSAKey.from_private_key_file(str(key.with_suffix("")))
    private.write_private_key_file(str(key.with_suffix("")), password="a passphrase")
    with pytest.raises(ProvisionError, match="Give it to your SSH agent: ssh-add"):
        wait_until_it_lets_in("127.0.0.1", "admin", key, 6, port)


def test_a_server_that_does_not_answer_is_told_after_the_time(tmp_path: Path, sleeper: Sleeper) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    answer = r"does not answer on port \d+ within 30 seconds.* another port, set server_wait_seconds = 0"
    with pytest.raises(ProvisionError, match=answer):
        wait_until_it_lets_in("127.0.0.1", "admin", tmp_path / "id.pub", 30, port)
    assert sum(sleeper.slept) == 30
