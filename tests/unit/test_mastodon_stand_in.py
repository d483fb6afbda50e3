"""What the lab's Mastodon stand-in decides without a database: how it reads its environment, and whom it believes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.lab.images.mastodon.make_repository import make_repository
from tests.lab.images.mastodon.releases import NEWEST_GOOD_RELEASE, RELEASE, RELEASES, migrations_up_to
from tests.lab.images.mastodon.source_tree import source_tree, write_source_tree
from tests.lab.images.mastodon.stand_in import encryption, rack
from tests.lab.images.mastodon.stand_in.environment import (
    ENCRYPTION_KEYS,
    AbortError,
    authorized_fetch,
    check_environment,
    is_true,
    limited_federation,
    read_dotenv,
)
from tests.lab.images.mastodon.stand_in.sender import SenderError, envelope_sender

PROXIES = rack.trusted_proxies("")

GOOD_ENVIRONMENT = {"SECRET_KEY_BASE": "secret", **dict.fromkeys(ENCRYPTION_KEYS, "key")}


def request(peer: str = "172.18.0.2", **headers: str) -> rack.Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return rack.Request("GET", "/", {"host": "social.example.org", **named}, peer)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=plain", "plain"),
        ("export NAME=plain", "plain"),
        ("NAME=", ""),
        ("NAME=value # a comment", "value"),
        ("NAME=va#lue", "va#lue"),
        ("NAME='$HOME \\n # \"literal\"'", '$HOME \\n # "literal"'),
        ('NAME="two\\nlines"', "two\nlines"),
        ("NAME=$HOME/x", "/home/me/x"),
        ('NAME="${HOME}/x"', "/home/me/x"),
        ("NAME=\\$HOME", "$HOME"),
        ("NAME=a=b==", "a=b=="),
    ],
)
def test_a_dotenv_line_is_read_as_the_gem_reads_it(line: str, value: str) -> None:
    environment = {"HOME": "/home/me"}
    read_dotenv(f"# a comment\n\n{line}\n", environment)
    assert environment["NAME"] == value


def test_a_dotenv_file_does_not_change_a_variable_that_exists() -> None:
    environment = {"NAME": "first"}
    read_dotenv("NAME=second\nOTHER=third\n", environment)
    assert environment == {"NAME": "first", "OTHER": "third"}


@pytest.mark.parametrize("line", ["no assignment", "NAME='no end", "NAME=$(whoami)"])
def test_a_dotenv_line_that_is_malformed_or_runs_a_command_is_refused(line: str) -> None:
    with pytest.raises(AbortError):
        read_dotenv(line, {})


def test_a_complete_environment_is_accepted() -> None:
    check_environment(dict(GOOD_ENVIRONMENT))


@pytest.mark.parametrize(
    "change",
    [
        *({name: " "} for name in ENCRYPTION_KEYS),
        {"SECRET_KEY_BASE": ""},
        {"REDIS_NAMESPACE": "mastodon"},
        {ENCRYPTION_KEYS[0]: "test_DO_NOT_USE_IN_PRODUCTION"},
        {"SMTP_FROM_ADDRESS": "[Example] Mastodon <mastodon@example.org>"},
        {"TRUSTED_PROXY_IP": "10.0.0.0/8,loopback"},
    ],
    ids=str,
)
def test_an_environment_that_mastodon_refuses_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(AbortError):
        check_environment({**GOOD_ENVIRONMENT, **change})


# Each line was given to Mail::Address.new of the gem, version 2.8.1, which said what is here.
SENDERS = {
    "mastodon@example.org": "mastodon@example.org",
    "Mastodon <mastodon@example.org>": "mastodon@example.org",
    "<mastodon@example.org>": "mastodon@example.org",
    "Acme (Inc) <mastodon@example.org>": "mastodon@example.org",
    "Acme @ Home <mastodon@example.org>": "mastodon@example.org",
    "a@x@y <mastodon@example.org>": "mastodon@example.org",
    '"Acme, Inc." <mastodon@example.org>': "mastodon@example.org",
    '"[Acme]" <mastodon@example.org>': "mastodon@example.org",
    'Tom "X" Jerry <mastodon@example.org>': "mastodon@example.org",
    "Tom & Jerry {{ 7 * 7 }} #1 <a#b@example.org>": "a#b@example.org",
    "Tom's Place | A / B ? ! * ^ ~ ` = + % $ <mastodon@example.org>": "mastodon@example.org",
    "Büro 🐘 <mastodon@example.org>": "mastodon@example.org",
    "A.B. Corp. <mastodon@example.org>": "mastodon@example.org",
    "Mastodon <mastodon@[192.0.2.1]>": "mastodon@[192.0.2.1]",
    "Mastodon <mastodon@example.org>, Other <other@example.org>": "mastodon@example.org",
    "Acme:x@example.org;": "x@example.org",
    # Accepted, and then every mail has a sender that is none.
    "Acme, Inc. <mastodon@example.org>": "Acme",
    "Acme; Inc <mastodon@example.org>": "Acme",
    "mastodon": "mastodon",
    "": "",
    "   ": "",
}
NO_SENDERS = (
    "[Example] Mastodon <mastodon@example.org>",
    "Mastodon: Example <mastodon@example.org>",
    "Acme: <mastodon@example.org>",
    "Acme (Inc <mastodon@example.org>",
    "Acme Inc) <mastodon@example.org>",
    'Tom "X <mastodon@example.org>',
    "Back\\slash <mastodon@example.org>",
    "Mastodon <mastodon@example.org> extra",
    "Mastodon <<mastodon@example.org>>",
    "a > b <mastodon@example.org>",
    "Mastodon mastodon@example.org",
    "Mastodon <mastodon@exam ple.org>",
    "a@b@example.org",
    "mastodon@",
)


@pytest.mark.parametrize(("sender", "address"), SENDERS.items())
def test_a_sender_is_read_as_the_gem_reads_it(sender: str, address: str) -> None:
    assert envelope_sender(sender) == address


@pytest.mark.parametrize("sender", NO_SENDERS)
def test_a_sender_that_the_gem_cannot_parse_is_refused(sender: str) -> None:
    with pytest.raises(SenderError, match="IncompleteParseError"):
        envelope_sender(sender)


@pytest.mark.parametrize(
    ("value", "on"), [("true", True), *((each, False) for each in ("True", "TRUE", "yes", "1", ""))]
)
def test_a_switch_is_on_with_exactly_the_word_true(monkeypatch: pytest.MonkeyPatch, value: str, on: bool) -> None:
    monkeypatch.delenv("LIMITED_FEDERATION_MODE", raising=False)
    monkeypatch.setenv("AUTHORIZED_FETCH", value)
    assert (is_true("AUTHORIZED_FETCH"), authorized_fetch()) == (on, on)
    monkeypatch.delenv("AUTHORIZED_FETCH")
    monkeypatch.setenv("LIMITED_FEDERATION_MODE", value)
    assert (limited_federation(), authorized_fetch()) == (on, on)


def test_dummy_keys_replace_real_ones() -> None:
    environment = {**GOOD_ENVIRONMENT, "SECRET_KEY_BASE_DUMMY": "1"}
    check_environment(environment)
    assert environment[ENCRYPTION_KEYS[0]] != "key"


@pytest.mark.parametrize(
    ("headers", "remote_ip"),
    [
        ({}, "172.18.0.2"),
        ({"x_forwarded_for": "203.0.113.5"}, "203.0.113.5"),
        ({"x_forwarded_for": "6.6.6.6, 203.0.113.5"}, "203.0.113.5"),
        ({"x_forwarded_for": "203.0.113.5, 172.18.0.9"}, "203.0.113.5"),
        ({"x_forwarded_for": "nonsense, 203.0.113.5"}, "203.0.113.5"),
        ({"x_forwarded_for": "203.0.113.5", "forwarded": "for=6.6.6.6"}, "6.6.6.6"),
        ({"forwarded": 'for="[2001:db8::1]:4711"'}, "2001:db8::1"),
        ({"x_forwarded_for": "10.0.0.1, 10.0.0.2"}, "10.0.0.1"),
    ],
    ids=str,
)
def test_the_client_is_the_nearest_address_that_is_no_trusted_proxy(headers: dict[str, str], remote_ip: str) -> None:
    assert request(**headers).remote_ip(PROXIES) == remote_ip


@pytest.mark.parametrize(
    "spoofed",
    [
        request("203.0.113.9", x_forwarded_for="1.2.3.4"),
        request("203.0.113.9", client_ip="1.2.3.4"),
        request(x_forwarded_for="203.0.113.5", client_ip="1.2.3.4"),
    ],
    ids=["forwarded by a stranger", "client-ip from a stranger", "two headers that disagree"],
)
def test_a_forwarded_address_that_cannot_be_believed_is_an_error(spoofed: rack.Request) -> None:
    with pytest.raises(rack.IpSpoofAttackError):
        spoofed.remote_ip(PROXIES)


def test_trusted_proxy_ip_replaces_the_private_networks() -> None:
    with pytest.raises(rack.IpSpoofAttackError):
        request(x_forwarded_for="203.0.113.5").remote_ip(rack.trusted_proxies("192.0.2.1, 192.0.2.0/28"))


@pytest.mark.parametrize(
    ("headers", "scheme"),
    [
        ({}, "http"),
        ({"x_forwarded_proto": "https"}, "https"),
        ({"x_forwarded_proto": "http, https"}, "https"),
        ({"x_forwarded_proto": "https", "forwarded": "proto=http"}, "http"),
        ({"x_forwarded_ssl": "on"}, "https"),
    ],
    ids=str,
)
def test_the_scheme_comes_from_the_proxies(headers: dict[str, str], scheme: str) -> None:
    assert request(**headers).scheme == scheme


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"host": "social.example.org:443"}, True),
        ({"host": "web"}, False),
        ({"host": "social.example.org.evil.example"}, False),
        ({"x_forwarded_host": "social.example.org"}, True),
        ({"x_forwarded_host": "evil.example"}, False),
    ],
    ids=str,
)
def test_only_the_instances_names_are_answered(headers: dict[str, str], allowed: bool) -> None:
    assert rack.is_allowed_host(request(**headers), ("social.example.org",)) is allowed


def test_addresses_of_one_ipv6_network_share_a_bucket() -> None:
    buckets = {rack.throttle_address(address) for address in ("2001:db8:1:1::1", "2001:db8:1:1::2", "192.0.2.1")}
    assert buckets == {"2001:db8:1:1::", "192.0.2.1"}


def test_a_value_is_read_again_only_with_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENCRYPTION_KEYS:
        monkeypatch.setenv(name, "key")
    encryption._key.cache_clear()
    hidden = encryption.encrypt("ö" * 50)
    assert encryption.decrypt(hidden) == "ö" * 50
    for name in ENCRYPTION_KEYS:
        monkeypatch.setenv(name, "another")
        encryption._key.cache_clear()
        with pytest.raises(encryption.DecryptionError):
            encryption.decrypt(hidden)
        monkeypatch.setenv(name, "key")
    encryption._key.cache_clear()


def test_every_release_carries_its_number_and_all_migrations_of_its_predecessors() -> None:
    for tag in RELEASES:
        tree = source_tree(tag)
        files = [path for path in tree if path.startswith(("db/migrate/", "db/post_migrate/"))]
        assert len(files) == len(migrations_up_to(tag))
        assert f"FROM ghcr.io/mastodon/mastodon:{tag}\n" in tree["Dockerfile"].content.decode()
        assert f"def patch\n      {RELEASE[tag].numbers[2]}\n" in tree["lib/mastodon/version.rb"].content.decode()
        assert not [path for path, file in tree.items() if b"@TAG@" in file.content or b"@NUMBER@" in file.content]


def test_only_minor_releases_migrate_and_they_do_it_in_two_phases() -> None:
    assert [tag for tag in RELEASES[:5] if RELEASE[tag].migrations] == ["v4.5.20", "v4.6.9", "v4.7.0"]
    for tag in ("v4.6.9", "v4.7.0"):
        assert {migration.post for migration in RELEASE[tag].migrations} == {True, False}


@pytest.mark.parametrize("tag", ["v4.7.94", "v4.7.96"])
def test_an_index_that_is_interrupted_is_built_without_holding_its_table(tag: str) -> None:
    (migration,) = RELEASE[tag].migrations
    directory = "post_migrate" if migration.post else "migrate"
    (ruby,) = (
        file.content.decode() for path, file in source_tree(tag).items() if f"{directory}/{migration.version}" in path
    )
    assert "disable_ddl_transaction!" in ruby
    # The task takes the index of the step after it.
    assert ruby.index("    interrupt_index_once\n") < ruby.index("CREATE INDEX CONCURRENTLY")
    assert "IF NOT EXISTS" not in ruby


def test_a_source_tree_on_disk_keeps_modes_and_links(tmp_path: Path) -> None:
    write_source_tree(NEWEST_GOOD_RELEASE, tmp_path)
    write_source_tree(NEWEST_GOOD_RELEASE, tmp_path)
    assert (tmp_path / "public/500.html").readlink() == Path("assets/500.html")
    assert (tmp_path / "bin/rails").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "README.md").stat().st_mode & 0o777 == 0o644


def test_the_repository_is_the_same_every_time_and_has_an_annotated_tag_per_release(tmp_path: Path) -> None:
    references = []
    for name in ("first", "second"):
        make_repository(tmp_path / name)
        git = ["git", "-C", str(tmp_path / name)]
        references.append(subprocess.run([*git, "show-ref"], capture_output=True, text=True, check=True).stdout)
        subprocess.run([*git, "fsck", "--strict", "--no-dangling"], capture_output=True, check=True)
    assert references[0] == references[1]
    tags = subprocess.run(
        [*git, "for-each-ref", "--format=%(objecttype) %(refname:short)", "refs/tags"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(tags.stdout.splitlines()) == {f"tag {tag}" for tag in RELEASES}


def test_a_tag_can_be_cloned_alone_and_holds_the_files_of_its_release(tmp_path: Path) -> None:
    make_repository(tmp_path / "mastodon.git")
    clone = ["git", "clone", "--quiet", "--depth=1", "--branch=v4.6.9", (tmp_path / "mastodon.git").as_uri()]
    subprocess.run([*clone, str(tmp_path / "checkout")], capture_output=True, check=True)
    checked_out = {
        path.relative_to(tmp_path / "checkout").as_posix()
        for path in (tmp_path / "checkout").rglob("*")
        if ".git" not in path.parts and (path.is_symlink() or path.is_file())
    }
    assert checked_out == set(source_tree("v4.6.9"))
