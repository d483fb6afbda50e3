"""What is the suite's on a server, and what is of others."""

from __future__ import annotations

import pytest

from mstdn import layout
from mstdn.cleanup.facts import Image
from mstdn.docker.facts import Container
from mstdn.kinds.paths import lies_in
from mstdn.layout import MastodonLayout, ProxyLayout
from mstdn.timers.operations import wanted_files
from mstdn.uninstall.rules import (
    Things,
    all_paths,
    consent,
    containers_of,
    data_names,
    files_of_others,
    images_of,
    irreplaceable,
    networks_of,
    sites_of_others,
)
from tests.harness import settings_with

ROOTS = frozenset(("/srv/mastodon", "/srv/proxy"))
SETTINGS = settings_with()
NAMES = ("social.example.org",)


def test_every_path_of_the_layout_is_looked_for_so_that_none_is_forgotten() -> None:
    settings = settings_with(backup_repository="/srv/backups")
    mastodon, proxy = MastodonLayout(settings.mastodon_root), ProxyLayout(settings.proxy_root)
    named = {
        value
        for name, value in vars(layout).items()
        if isinstance(value, str) and value.startswith("/") and name.isupper()
    }
    named |= {getattr(mastodon, name) for name, each in vars(MastodonLayout).items() if isinstance(each, property)}
    named |= {getattr(proxy, name) for name, each in vars(ProxyLayout).items() if isinstance(each, property)}
    named |= {file.path for file in wanted_files(settings)}
    # The units say themselves whose they are.
    lost = {
        path
        for path in named
        if path != layout.UNITS
        and not path.startswith(f"{layout.UNITS}/")
        and not any(lies_in(path, place) for place in all_paths(settings))
    }
    assert not lost
    assert all("Written by the suite" in file.text for file in wanted_files(settings) if file.path.startswith("/etc"))


def test_every_directory_of_data_may_be_a_link_to_another_disk() -> None:
    assert {"database", "redis", "media", "secrets", "state"} <= {*data_names("/srv/mastodon")}


def test_the_keys_that_nobody_can_make_again_come_from_the_table() -> None:
    assert "SECRET_KEY_BASE" in irreplaceable() and "REDIS_PASSWORD" not in irreplaceable()


WEB = Container("1", "/mstdn-web-1", "sha256:web", "m", "running", project="mstdn", directory="/srv/mastodon")
OWN = Container("2", "/mstdn-search-1", "sha256:es", "e", "running", project="mstdn", directory="/srv/mastodon")
DRILL = Container("3", "/mstdn-drill-db", "sha256:db", "p", "running")
NAMESAKE = Container("4", "/proxy-nginx-1", "sha256:n", "n", "running", project="proxy", directory="/home/bob/proxy")
BLOG = Container(
    "5",
    "/blog",
    "sha256:nginx",
    "nginx:1",
    "running",
    networks={"front": "ff"},
    asks=("VIRTUAL_HOST=blog.example.org",),
)
ALL = (WEB, OWN, DRILL, NAMESAKE, BLOG)


def test_containers_are_known_by_their_project_and_its_directory() -> None:
    assert containers_of(ALL, ROOTS) == (WEB, OWN, DRILL)


NETWORKS = {"bridge": "-", "front": "-", "back-mstdn": "-", "proxy_control": "proxy", "blog_default": "blog"}


def test_a_network_that_others_use_stays() -> None:
    assert networks_of(NETWORKS, ALL, ROOTS) == Things(
        ("back-mstdn", "proxy_control"), ("the network front, because containers of others use it: blog",)
    )
    assert networks_of({"front": "-"}, (WEB,), ROOTS) == Things(("front",))


def test_images_go_that_were_pulled_or_built_unless_others_run_on_them() -> None:
    images = (
        Image("postgres", "17", "sha256:db"),
        Image("nginx", "1", "sha256:nginx"),
        Image("ghcr.io/mastodon/mastodon", "v4.7.5", "sha256:old"),
        Image("mstdn-source/mastodon", "v4.7.5-0", "sha256:built", built=True),
        Image("somebody/else", "1", "sha256:else"),
    )
    found = images_of(
        images, ("postgres:17", "docker.io/library/nginx:1"), ("ghcr.io/mastodon/mastodon:v4.7.5",), ALL, ROOTS
    )
    assert found.ours == ("postgres:17", "ghcr.io/mastodon/mastodon:v4.7.5", "mstdn-source/mastodon:v4.7.5-0")
    assert found.theirs == ("the image nginx:1, because containers of others use it: blog",)


def test_a_site_of_others_behind_the_proxy_is_named() -> None:
    assert list(sites_of_others(ALL, ROOTS, NAMES)) == ["blog.example.org (blog)"]


OURS = [
    ("compose.yaml", "f"),
    ("nginx.conf", "f"),
    (".compose.yaml.new", "f"),
    ("certs", "d"),
    ("certs/default.crt", "f"),
    ("certs/dhparam.pem", "f"),
    ("certs/social.example.org", "d"),
    ("certs/social.example.org/fullchain.pem", "f"),
    ("certs/social.example.org.crt", "l"),
    ("certs/_test_social.example.org", "d"),
    ("acme", "d"),
    ("acme/me@example.org", "d"),
    ("acme/me@example.org/social.example.org_ecc", "d"),
    ("acme/me@example.org/account.conf", "f"),
    ("acme/ca", "d"),
    ("acme/ca/acme-v02.api.letsencrypt.org", "d"),
    ("conf.d", "d"),
    ("conf.d/default.conf", "f"),
    ("vhost.d", "d"),
    ("vhost.d/default", "f"),
    ("vhost.d/social.example.org", "f"),
    ("vhost.d/old.example.org", "f"),
    ("htpasswd", "d"),
    ("html", "d"),
    ("html/.well-known", "d"),
    ("state", "d"),
    ("state/applied", "f"),
]
THEIRS = [
    ("compose.override.yaml", "f"),
    ("notes.txt", "f"),
    ("certs/blog.example.org.crt", "l"),
    ("certs/social.example.organic.crt", "f"),
    ("certs/social.example.org.au", "d"),
    ("certs/social.example.org.au.crt", "l"),
    ("acme/me@example.org/social.example.org.au_ecc", "d"),
    ("acme/me@example.org/blog.example.org_ecc", "d"),
    ("conf.d/tuning.conf", "f"),
    ("vhost.d/blog.example.org", "f"),
    ("htpasswd/blog.example.org", "f"),
    ("backup", "d"),
]


def test_files_of_others_in_the_proxys_directories_are_known() -> None:
    inside = [("backup/old.tar", "f")]
    written = ["/srv/proxy/vhost.d/old.example.org"]
    found = files_of_others([*OURS, *THEIRS, *inside], SETTINGS, NAMES, written)
    assert sorted(found) == sorted(path for path, _ in THEIRS)
    assert files_of_others(OURS, SETTINGS, NAMES, written) == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "--data yes=social.example.org"),
        ("yes", '"yes" is not its name'),
        ("social.example.com", '"social.example.com" is not its name'),
    ],
)
def test_nothing_goes_until_the_name_is_said(said: str, words: str) -> None:
    text = consent(settings_with(yes=said), {}, ["the networks front"])
    assert text and words in text and "SECRET_KEY_BASE" in text and "- the networks front" in text
    assert "Backups are off" in text
    with_backups = consent(settings_with(yes=said, backup_repository="/srv/backups"), {}, [])
    assert with_backups and "A last backup goes to /srv/backups first" in with_backups


def test_the_name_has_to_be_that_of_the_instance_that_is_here() -> None:
    settings = settings_with(yes="social.example.org")
    assert consent(settings, {"LOCAL_DOMAIN": "social.example.org"}, []) is None
    text = consent(settings, {"LOCAL_DOMAIN": "other.example.org"}, [])
    assert text and "other.example.org" in text
