"""The projects of both: when their revisions change, and where their files lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mstdn.app.project import mastodon_project
from mstdn.compose.project import Project
from mstdn.layout import MastodonLayout
from mstdn.proxy.project import proxy_project
from mstdn.secrets import operator
from mstdn.secrets.operator import fingerprint_of
from mstdn.settings import Settings
from tests.harness import settings_with


@pytest.fixture(autouse=True)
def no_secrets_of_the_operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator, "SECRETS_FILE", tmp_path / "secrets.env")
    for name in operator.ENVIRONMENT_SECRETS:
        monkeypatch.delenv(name, raising=False)


def mastodon(settings: Settings) -> Project:
    return mastodon_project(settings, memory_mib=4096, ipv6=False)


def proxy(settings: Settings) -> Project:
    return proxy_project(settings, ipv6=False)


def revisions(settings: Settings) -> dict[str, str]:
    """What each running project is compared with: made anew when "… runs" differs, reloaded when "… loaded" does."""
    return {
        "mastodon runs": mastodon(settings).revision,
        "mastodon loaded": mastodon(settings).reload_revision,
        "proxy runs": proxy(settings).revision,
        "proxy loaded": proxy(settings).reload_revision,
    }


@pytest.mark.parametrize(
    ("changed", "affected"),
    [
        # Whatever makes Mastodon anew also empties the cache of public pages, which is done by a reload.
        ({"mastodon_version": "v4.7.5"}, {"mastodon runs", "mastodon loaded"}),
        ({"mastodon_image": "registry.example.org/mastodon"}, {"mastodon runs", "mastodon loaded"}),
        ({"default_locale": "de"}, {"mastodon runs", "mastodon loaded"}),
        ({"mastodon_environment": {"AUTHORIZED_FETCH": "true"}}, {"mastodon runs", "mastodon loaded"}),
        ({"smtp_server": "mail.example.org"}, {"mastodon runs", "mastodon loaded"}),
        ({"web_threads": 7}, {"mastodon runs", "mastodon loaded"}),
        ({"postgres_memory_mib": 2048}, {"mastodon runs", "mastodon loaded"}),
        ({"acme_email": "other@example.org"}, {"proxy runs"}),
        ({"acme_directory": "https://acme.example.org/directory"}, {"proxy runs"}),
        ({"proxy_downstream_addresses": ["203.0.113.0/24"]}, {"mastodon runs", "mastodon loaded", "proxy runs"}),
        ({"docker_log_size_mib": 20}, {"mastodon runs", "mastodon loaded", "proxy runs"}),
        ({"nginx_image": "nginx:1.999-alpine"}, {"mastodon runs", "mastodon loaded", "proxy runs"}),
        ({"docker_gen_image": "nginxproxy/nginx-proxy:1.999-dockergen"}, {"proxy runs"}),
        # What nginx can read anew while it serves replaces no container.
        ({"proxy_body_size_mib": 200}, {"mastodon loaded", "proxy loaded"}),
        ({"proxy_read_timeout_seconds": 60}, {"mastodon loaded", "proxy loaded"}),
        ({"alternate_domains": ["alice.example.org"]}, {"mastodon runs", "mastodon loaded", "proxy loaded"}),
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


def test_a_new_operators_secret_reaches_the_containers_without_being_readable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = "correct horse battery staple"
    before, after = (fingerprint_of({"SMTP_PASSWORD": SecretStr(word)}) for word in (secret, secret + "!"))
    assert before != after
    assert secret not in before
    without = revisions(settings_with())
    monkeypatch.setenv("SMTP_PASSWORD", secret)
    with_it = revisions(settings_with())
    assert {name for name in without if without[name] != with_it[name]} == {"mastodon runs"}


def test_the_fingerprint_of_secrets_takes_their_names_apart() -> None:
    one = {"AWS_ACCESS_KEY_ID": SecretStr("a"), "AWS_SECRET_ACCESS_KEY": SecretStr("b")}
    other = {"AWS_ACCESS_KEY_ID": SecretStr("b"), "AWS_SECRET_ACCESS_KEY": SecretStr("a")}
    assert fingerprint_of(one) != fingerprint_of(other)


def test_a_secret_that_does_not_go_to_the_server_touches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = revisions(settings_with())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "for something else")
    assert revisions(settings_with()) == before


def test_containers_are_made_anew_when_their_part_of_the_secrets_changes() -> None:
    project = mastodon(settings_with())
    assert MastodonLayout(project.directory).checksums in project.made_from_paths


def test_what_is_made_from_and_what_is_reloaded_are_all_files_and_nothing_twice() -> None:
    for each in (mastodon(settings_with()), proxy(settings_with())):
        assert {*each.made_from, *each.reloaded} == set(each.files)
        paths = [*each.made_from_paths, *each.reloaded_paths]
        assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("memory_mib", [961, 4096, 16384])
def test_which_files_there_are_does_not_depend_on_the_server(memory_mib: int) -> None:
    """That is why they can be asked for before its size is known."""
    settings = settings_with()
    one, other = (
        mastodon_project(settings, memory_mib=1024, ipv6=False),
        mastodon_project(settings, memory_mib=memory_mib, ipv6=False),
    )
    assert one.made_from_paths == other.made_from_paths and one.reloaded_paths == other.reloaded_paths
    assert one.directories == other.directories
    with_ipv6, without = (proxy_project(settings, ipv6=ipv6) for ipv6 in (True, False))
    assert with_ipv6.made_from_paths == without.made_from_paths
