"""mstdn/stack.py: when revisions change, what is public, which images, which variables."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from mstdn import stack
from mstdn.settings import Settings
from mstdn.sizing.rules import sizing_for
from tests.harness import settings_with

PATCH = "diff --git a/README.md b/README.md\n"


def mastodon(settings: Settings, memory_mib: int = 4096) -> stack.Stack:
    return stack.mastodon_stack(settings, sizing_for(memory_mib, settings))


def proxy(settings: Settings, *, ipv6: bool = False) -> stack.Stack:
    return stack.proxy_stack(settings, ipv6=ipv6)


def revisions(settings: Settings) -> dict[str, str]:
    """What each running project is compared with: made anew when "… runs" differs, reloaded when "… loaded" does."""
    return {
        "mastodon runs": mastodon(settings).revision(),
        "mastodon loaded": mastodon(settings).reload_revision,
        "proxy runs": proxy(settings).revision(),
        "proxy loaded": proxy(settings).reload_revision,
    }


@pytest.mark.parametrize(
    ("changed", "affected"),
    [
        ({"mastodon_version": "v4.7.5"}, {"mastodon runs"}),
        ({"mastodon_image": "registry.example.org/mastodon"}, {"mastodon runs"}),
        ({"default_locale": "de"}, {"mastodon runs"}),
        ({"mastodon_environment": {"AUTHORIZED_FETCH": "true"}}, {"mastodon runs"}),
        ({"smtp_server": "mail.example.org"}, {"mastodon runs"}),
        ({"web_threads": 7}, {"mastodon runs"}),
        ({"postgres_memory_mib": 2048}, {"mastodon runs"}),
        ({"acme_email": "other@example.org"}, {"proxy runs"}),
        ({"acme_directory": "https://acme.example.org/directory"}, {"proxy runs"}),
        ({"proxy_trust_downstream": True}, {"proxy runs"}),
        ({"docker_log_size_mib": 20}, {"mastodon runs", "proxy runs"}),
        ({"nginx_image": "nginx:1.31-alpine"}, {"mastodon runs", "proxy runs"}),
        ({"docker_gen_image": "nginxproxy/nginx-proxy:1.12-dockergen"}, {"proxy runs"}),
        # What nginx can read anew while it serves replaces no container.
        ({"proxy_body_size_mib": 200}, {"mastodon loaded", "proxy loaded"}),
        ({"proxy_read_timeout_seconds": 60}, {"mastodon loaded", "proxy loaded"}),
        ({"alternate_domains": ["alice.example.org"]}, {"mastodon runs", "proxy loaded"}),
        # What concerns the machine, or one run, replaces nothing at all.
        ({"swap_swappiness": 20}, set()),
        ({"images_refresh": True}, set()),
        ({"preflight_dns": "warn"}, set()),
        ({"verify_timeout_seconds": 5}, set()),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_setting_affects_exactly_the_containers_that_it_concerns(changed: dict[str, Any], affected: set[str]) -> None:
    before, after = revisions(settings_with()), revisions(settings_with(**changed))
    assert {name for name in before if before[name] != after[name]} == affected


def test_the_same_settings_give_the_same_revisions() -> None:
    assert revisions(settings_with()) == revisions(settings_with())


def test_what_is_reloaded_is_written_too() -> None:
    for each in (mastodon(settings_with()), proxy(settings_with())):
        assert each.reloaded
        assert set(each.reloaded) < set(each.files)


def test_every_file_lies_in_a_directory_that_is_made_before_it() -> None:
    for each in (mastodon(settings_with()), proxy(settings_with())):
        directories = [directory.path for directory in each.directories]
        assert {str(Path(file.path).parent) for file in each.files} <= set(directories)
        assert len(set(directories)) == len(directories)
        assert all(str(Path(path).parent) in (*directories[:place], "/srv") for place, path in enumerate(directories))


def test_both_roots_move_everything_with_them() -> None:
    settings = settings_with(mastodon_root="/data/mastodon", proxy_root="/data/proxy")
    for each, root in ((mastodon(settings), "/data/mastodon"), (proxy(settings), "/data/proxy")):
        paths = [*(directory.path for directory in each.directories), *(file.path for file in each.files)]
        assert all(path == root or path.startswith(f"{root}/") for path in paths)
        assert not any("/srv/" in file.content for file in each.files)


@pytest.mark.parametrize(
    ("values", "domains"),
    [
        ({}, ("social.example.org",)),
        ({"local_domain": "example.org", "web_domain": "social.example.org"}, ("social.example.org",)),
        (
            {"alternate_domains": ["alice.example.org", "bob.example.org"]},
            ("social.example.org", "alice.example.org", "bob.example.org"),
        ),
        (
            {"alternate_domains": ["abcdefghij.onion", "abc.i2p", "alice.example.org"]},
            ("social.example.org", "alice.example.org"),
        ),
    ],
    ids=["one domain", "site elsewhere than handles", "alternate domains", "hidden services"],
)
def test_certificates_are_asked_for_exactly_the_public_names(values: dict[str, Any], domains: tuple[str, ...]) -> None:
    settings = settings_with(**values)
    assert stack.public_domains(settings) == domains
    vhosts = [file.path.rpartition("/")[2] for file in proxy(settings).files if "/vhost.d/" in file.path]
    assert tuple(vhosts) == domains


def test_official_images_are_pulled_at_the_pinned_release() -> None:
    references = stack.pulled_image_references(settings_with(mastodon_version="v4.7.5"))
    assert references == (
        "ghcr.io/mastodon/mastodon:v4.7.5",
        "ghcr.io/mastodon/mastodon-streaming:v4.7.5",
        "postgres:17-trixie",
        "redis:7.4-alpine",
        "nginx:1.30-alpine",
        "nginxproxy/nginx-proxy:1.11-dockergen",
        "nginxproxy/acme-companion:2.8",
        "wollomatic/socket-proxy:1.13.1",
    )


def test_images_of_ones_own_are_built_and_not_pulled(tmp_path: Path) -> None:
    (tmp_path / "1.patch").write_text(PATCH)
    plain = settings_with(mastodon_image_source="source")
    patched = settings_with(mastodon_image_source="source", images_patches_directory=str(tmp_path))
    assert not any("mastodon:" in reference for reference in stack.pulled_image_references(plain))
    names = {image(settings) for image in (stack.web_image, stack.streaming_image) for settings in (plain, patched)}
    assert len(names) == 4
    assert not any(name.startswith("ghcr.io/") for name in names)


def test_patches_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("20-second.patch", "10-first.patch", "README"):
        (tmp_path / name).write_text(name)
    settings = settings_with(mastodon_image_source="source", images_patches_directory=str(tmp_path))
    assert stack.patches(settings) == ("10-first.patch", "20-second.patch")
    assert stack.patches_id(["a", "b"]) != stack.patches_id(["b", "a"])


def test_a_new_operators_secret_reaches_the_containers_without_being_readable() -> None:
    secret = "correct horse battery staple"
    before, after = (stack.fingerprint_of({"SMTP_PASSWORD": SecretStr(word)}) for word in (secret, secret + "!"))
    assert before != after
    assert secret not in before
    assert mastodon(settings_with()).revision(before) != mastodon(settings_with()).revision(after)


def test_the_fingerprint_of_secrets_takes_their_names_apart() -> None:
    one = {"AWS_ACCESS_KEY_ID": SecretStr("a"), "AWS_SECRET_ACCESS_KEY": SecretStr("b")}
    other = {"AWS_ACCESS_KEY_ID": SecretStr("b"), "AWS_SECRET_ACCESS_KEY": SecretStr("a")}
    assert stack.fingerprint_of(one) != stack.fingerprint_of(other)


def variables(**values: Any) -> dict[str, str]:
    settings = settings_with(**values)
    return stack.mastodon_variables(settings, sizing_for(4096, settings))


def test_the_environment_has_what_mastodon_requires_and_no_secret() -> None:
    present = variables(smtp_login="mastodon")
    assert {"LOCAL_DOMAIN", "DB_HOST", "DB_NAME", "DB_USER", "REDIS_HOST", "SMTP_SERVER", "SMTP_LOGIN"} <= set(present)
    assert not {"SECRET_KEY_BASE", "DB_PASS", "REDIS_PASSWORD", "SMTP_PASSWORD", "VAPID_PRIVATE_KEY"} & set(present)
    assert not [name for name in present if name.startswith("ACTIVE_RECORD_ENCRYPTION_")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"smtp_port": 465, "smtp_tls": True}, {"SMTP_TLS": "true", "SMTP_ENABLE_STARTTLS": "never"}),
        ({"smtp_login": ""}, {"SMTP_AUTH_METHOD": "none", "SMTP_LOGIN": None}),
        ({"smtp_login": "mastodon"}, {"SMTP_AUTH_METHOD": "plain", "SMTP_LOGIN": "mastodon"}),
        ({"web_domain": ""}, {"WEB_DOMAIN": None, "ALTERNATE_DOMAINS": None}),
        (
            {"alternate_domains": ["a.example.org", "b.example.org"]},
            {"ALTERNATE_DOMAINS": "a.example.org,b.example.org"},
        ),
        ({"s3_bucket": "media"}, {"S3_ENABLED": "false", "S3_BUCKET": None, "S3_PERMISSION": None}),
        ({"s3_enabled": True, "s3_bucket": "media", "s3_permission": ""}, {"S3_BUCKET": "media", "S3_PERMISSION": ""}),
        ({"mastodon_environment": {"AUTHORIZED_FETCH": "true"}}, {"AUTHORIZED_FETCH": "true"}),
        ({"mastodon_environment": {"UPDATE_CHECK_URL": ""}}, {"UPDATE_CHECK_URL": ""}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_settings_become_upstreams_variables(values: dict[str, Any], expected: dict[str, str | None]) -> None:
    present = variables(**values)
    assert {name: present.get(name) for name in expected} == expected


def test_the_streaming_server_gets_database_and_redis_and_nothing_else_of_the_instance() -> None:
    settings = settings_with(
        smtp_login="mastodon", mastodon_environment={"TRUSTED_PROXY_IP": "192.0.2.1", "OIDC_ENABLED": "true"}
    )
    assert set(stack.streaming_variables(settings, sizing_for(4096, settings))) == {
        *("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_POOL", "REDIS_HOST", "REDIS_PORT", "TRUSTED_PROXY_IP"),
    }


def test_the_streaming_server_gets_its_log_level() -> None:
    settings = settings_with(mastodon_environment={"LOG_LEVEL": "silly"})
    assert stack.streaming_variables(settings, sizing_for(4096, settings))["LOG_LEVEL"] == "silly"


def allowed(value: str) -> bool:
    try:
        settings_with(mastodon_environment={"NAME": value})
    except ValidationError:
        return False
    return True


@given(st.text(max_size=40).filter(allowed))
def test_every_value_that_settings_allow_survives_the_environment_file(value: str) -> None:
    line = stack.environment_file({"NAME": value}).split("\n")[-1]
    # sh and Compose agree on bare words of these characters and on single quotes; Compose reads into anything else.
    assert shlex.split(line) == [f"NAME={value}"]
    assert re.fullmatch(r"NAME=([\w./:@,+=-]*|'[^']*')", line)
