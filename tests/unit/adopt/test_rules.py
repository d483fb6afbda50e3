"""Whether an instance that was set up by hand may be taken over, and what becomes of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mstdn.adopt.agreement import secrets_to_have, settings_to_have
from mstdn.adopt.facts import Candidate, Media, Old, OldContainer, OldInstance
from mstdn.adopt.obstacles import obstacles
from mstdn.adopt.operations import (
    begun_adoption,
    carried_certificates,
    carried_data,
    finished_adoption,
    looked_at_the_old_instance,
)
from mstdn.adopt.report import report
from mstdn.adopt.rules import (
    carried_keys,
    leaving,
    needed_mib,
    not_the_suites,
    note,
    others,
    remaining,
    unfinished,
    way_back,
)
from mstdn.docker.facts import Container, Containers
from mstdn.layout import NETWORKS
from mstdn.preflight.facts import Listener
from tests.harness import commands_of, container_line, read, refusal_of, settings_with

KEYS = frozenset(
    (
        "SECRET_KEY_BASE",
        "ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY",
        "ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT",
        "ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY",
        "VAPID_PRIVATE_KEY",
        "VAPID_PUBLIC_KEY",
    )
)
VARIABLES = {
    "LOCAL_DOMAIN": "social.example.org",
    "DB_HOST": "db",
    "DB_USER": "postgres",
    "REDIS_HOST": "redis",
    "SMTP_SERVER": "smtp.example.org",
    "SMTP_PORT": "587",
    "SMTP_FROM_ADDRESS": "mastodon@example.org",
    "VIRTUAL_HOST": "social.example.org",
    "WEB_CONCURRENCY": "4",
}


def old_container(role: str, status: str = "running") -> OldContainer:
    return OldContainer(f"id-of-{role}", f"old-{role}-1", role, status, "always", role)


OLD = Old(
    free_kib=40 * 1024**2,
    candidates=(Candidate("old", "/opt/old", "social.example.org"),),
    project="old",
    containers=tuple(old_container(role) for role in ("web", "streaming", "sidekiq", "db", "redis")),
    variables=VARIABLES,
    brought=frozenset(("OTP_SECRET", "DB_PASS")),
    good=KEYS,
    image="ghcr.io/mastodon/mastodon:v4.6.9",
    version="v4.6.9",
    database=("15.8", 2 * 1024**3),
    redis=("7.2.4", 30 * 1024**2),
    media=Media("/opt/old/public/system", 5 * 1024**2, "991:991", links=True),
)
RELEASE = {"mastodon_version": "v4.6.9"}
ROOTS = ("/srv/mastodon", "/srv/proxy")


def found(*lines: str) -> tuple[Container, ...]:
    return read(Containers, "".join(lines))


MEMBERS = tuple(container_line(f"old/{role}", directory="/opt/old") for role in ("web", "db", "redis"))
PROXY = container_line(
    "front/nginx-proxy",
    reference="jwilder/nginx-proxy:alpine",
    published={"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]},  # noqa: S104 (as Docker says it)
    networks={"front": "0f"},
)
CONTAINERS = found(*MEMBERS, PROXY)


def said(
    old: Old = OLD, containers: Sequence[Container] = CONTAINERS, secrets: Sequence[str] = (), **settings: Any
) -> list[str]:
    return list(obstacles(old, containers, settings_with(**RELEASE | settings), secrets, ROOTS))


def test_an_instance_after_the_guide_may_be_taken_over() -> None:
    assert said() == []
    assert said(yes="social.example.org") == []


OBSTACLES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    # what is otherwise on the server, settings, part of what is said
    ({}, {"yes": "other.example.org"}, "is not the name of this instance"),
    ({"ours": True}, {}, "nothing to take over"),
    ({"project": "", "candidates": ()}, {}, "docker compose up -d"),
    ({"project": ""}, {}, "--data adopt_from=/opt/old"),
    ({"project": ""}, {"adopt_from": "/opt/other"}, "No Mastodon was started from /opt/other"),
    ({}, {"local_domain": "other.example.org"}, 'set local_domain = "social.example.org"'),
    ({"containers": (old_container("web"), old_container("redis"))}, {}, "DB_HOST is db, and the old project"),
    ({"containers": (*OLD.containers[:4], old_container("redis", "exited"))}, {}, "docker start old-redis-1"),
    ({"brought": frozenset(("DATABASE_URL",))}, {}, "DATABASE_URL"),
    ({"brought": frozenset(("REDIS_URL",))}, {}, "REDIS_URL"),
    ({"refused": {"postgres": "FATAL: role x does not exist"}}, {}, "FATAL: role x does not exist"),
    ({"refused": {"redis": "NOAUTH"}}, {}, "NOAUTH"),
    ({"database": ("18.1", 1)}, {}, 'postgres_image = "postgres:18-trixie"'),
    ({"redis": ("8.0.1", 1)}, {"redis_image": "redis:7.2-alpine"}, "format 12"),
    ({"redis": ("9.0.0", 1)}, {}, "format 13"),
    ({"variables": VARIABLES | {"REDIS_NAMESPACE": "m"}}, {}, "redis_namespace_migration"),
    ({"variables": VARIABLES | {"REDIS_DB": "3"}}, {}, "SWAPDB 0 3"),
    ({"variables": VARIABLES | {"REDIS_DB": "10"}}, {}, "SWAPDB 0 10"),
    ({"version": ""}, {}, "cannot be read"),
    ({"version": "v4.2.29"}, {}, "OTP_SECRET"),
    ({"version": "v4.4.1"}, {}, "skips a minor release"),
    ({"version": "v4.7.1"}, {}, "v4.7.1 runs here"),
    ({"good": KEYS - {"ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY"}}, {}, "no ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY"),
    ({"keys": "other"}, {}, "holds other keys"),
    ({"media": None}, {}, "public/system"),
    ({"occupied": True}, {}, "holds a database already"),
    ({"mounted": True}, {}, "mounted on /srv/mastodon/database"),
    ({"free_kib": 1024**2}, {}, "3614 MiB in /srv/mastodon, and 1024 MiB are free"),
    ({}, {"smtp_server": "mail.example.net"}, 'smtp_server = "smtp.example.org"'),
    ({"brought": frozenset(("SMTP_PASSWORD",))}, {}, "SMTP_PASSWORD='…'"),
]


@pytest.mark.parametrize(("old", "settings", "words"), OBSTACLES, ids=[row[2] for row in OBSTACLES])
def test_what_stands_in_the_way_is_told_with_what_to_do(
    old: dict[str, Any], settings: dict[str, Any], words: str
) -> None:
    assert words in "\n".join(said(replace(OLD, **old), **settings))


def test_projects_and_directories_of_the_suites_names_are_told() -> None:
    ours = found(container_line("mstdn/web", id="id-of-web", directory="/opt/old"))
    assert "--project-name old-mstdn up -d" in said(containers=ours)[0]
    inside = found(container_line("old/web", id="id-of-web", directory="/srv/mastodon/old"))
    assert 'mastodon_root = "/srv/mastodon-mstdn"' in said(containers=inside)[0]


def test_another_site_behind_the_old_proxy_has_to_be_reached_by_the_new_one() -> None:
    shop = {"asks": ["VIRTUAL_HOST=shop.example.org", None], "networks": {"shop": "1a"}}
    (text,) = said(containers=found(*MEMBERS, PROXY, container_line("shop/web", id="id-of-shop", **shop)))
    assert "shop.example.org" in text and "docker network connect front shop-web-1" in text
    on_front = shop | {"networks": {"front": "0f"}}
    assert said(containers=found(*MEMBERS, PROXY, container_line("shop/web", id="id-of-shop", **on_front))) == []


def test_who_leaves_and_who_stays() -> None:
    companion = container_line("front/companion", reference="jrcs/letsencrypt-nginx-proxy-companion")
    nginx = container_line("front/nginx", id="id-of-front")
    shop, ours = container_line("shop/web", id="id-of-shop"), container_line("proxy/nginx", id="id-of-ours")
    containers = found(*MEMBERS, PROXY, companion, nginx, shop, ours)
    old = replace(OLD, proxies={"id-of-front": "/certs", "id-of-ours": "/srv/proxy/certs"})
    gone = leaving(old, containers, ROOTS)
    assert [each.id for each in gone if each.role == "proxy"] == ["id-of-nginx-proxy", "id-of-companion", "id-of-front"]
    assert {each.restart for each in gone} == {"always"}
    ids = {each.id for each in gone}
    assert [each.id for each in others(containers, ids)] == ["id-of-shop", "id-of-ours"]
    # On Docker's own network it would be gone before its time: preflight has to tell.
    by_hand = found(container_line("front/nginx-proxy", networks={"bridge": "0f"}))
    assert others(by_hand, {"id-of-nginx-proxy"}) == by_hand
    # One that somebody has stopped is nobody's concern.
    assert leaving(OLD, found(PROXY.replace('"running"', '"exited"')), ROOTS)[-1].role != "proxy"


def test_ports_of_those_who_leave_are_free() -> None:
    listeners = (Listener(80, 1, "docker-proxy"), Listener(443, 2, "apache2", "apache2.service"))
    assert remaining(listeners, CONTAINERS, {"id-of-nginx-proxy"}) == listeners[1:]
    host = (Listener(80, 3, "nginx", "id-of-nginx-proxy"),)
    assert remaining(host, (), {"id-of-nginx-proxy"}) == ()
    assert remaining(host, (), set()) == host


LINES: list[tuple[dict[str, str], dict[str, Any], list[str]]] = [
    # variables of the old instance, settings, the lines that have to be written
    ({"WEB_DOMAIN": "social.example.org"}, {}, []),
    ({"WEB_DOMAIN": "web.example.org"}, {}, ['web_domain = "web.example.org"']),
    ({}, {"web_domain": "web.example.org"}, ['web_domain = ""']),
    ({"SMTP_PORT": "465", "SMTP_SSL": "true"}, {}, ["smtp_port = 465", "smtp_tls = True"]),
    ({"SMTP_AUTH_METHOD": "plain", "SMTP_OPENSSL_VERIFY_MODE": "none"}, {}, ['smtp_verify = "none"']),
    ({"SMTP_ENABLE_STARTTLS": "auto", "SMTP_ENABLE_STARTTLS_AUTO": "true"}, {}, ['smtp_starttls = "auto"']),
    (
        {"ALTERNATE_DOMAINS": "a.example.org, b.example.org"},
        {},
        ['alternate_domains = ["a.example.org", "b.example.org"]'],
    ),
    ({"SINGLE_USER_MODE": "false", "DEFAULT_LOCALE": "de"}, {}, ['default_locale = "de"']),
    ({"S3_ENABLED": "true", "S3_BUCKET": "b"}, {}, ["s3_enabled = True", 's3_bucket = "b"']),
    ({"S3_BUCKET": "b"}, {}, []),
    (
        {
            "AUTHORIZED_FETCH": "true",
            "LIMITED_FEDERATION_MODE": "yes",
            "DB_SSLMODE": "prefer",
            "LETSENCRYPT_EMAIL": "x",
        },
        {},
        ['mastodon_environment = {"AUTHORIZED_FETCH": "true", "LIMITED_FEDERATION_MODE": "false"}'],
    ),
    ({"AUTHORIZED_FETCH": "true"}, {"mastodon_environment": {"AUTHORIZED_FETCH": "true"}}, []),
    ({"ES_ENABLED": "true", "ES_HOST": "es"}, {}, ['mastodon_environment = {"ES_ENABLED": "true", "ES_HOST": "es"}']),
    ({"ES_ENABLED": "true", "ES_HOST": "redis"}, {}, []),
]


@pytest.mark.parametrize(("variables", "settings", "lines"), LINES, ids=[str(row[0]) for row in LINES])
def test_the_lines_that_settings_need_are_told(
    variables: dict[str, str], settings: dict[str, Any], lines: list[str]
) -> None:
    old = replace(OLD, variables=VARIABLES | variables)
    assert list(settings_to_have(old, settings_with(**RELEASE | settings))) == lines


def test_the_secrets_that_are_missing_are_told_by_their_names() -> None:
    old = replace(OLD, brought=frozenset(("SMTP_PASSWORD", "AWS_SECRET_ACCESS_KEY", "OTP_SECRET", "http_proxy")))
    assert list(secrets_to_have(old, settings_with(), ())) == ["SMTP_PASSWORD", "http_proxy"]
    environment = {"mastodon_environment": {"http_proxy": "http://privoxy:8118"}}
    assert list(secrets_to_have(old, settings_with(**environment), ("SMTP_PASSWORD",))) == []
    stored = replace(old, variables=VARIABLES | {"S3_ENABLED": "true"})
    assert "AWS_SECRET_ACCESS_KEY" in secrets_to_have(stored, settings_with(), ())


def test_a_pair_of_which_half_is_missing_is_made_anew_and_that_is_told() -> None:
    old = replace(OLD, good=KEYS - {"VAPID_PUBLIC_KEY"})
    assert set(carried_keys(old)) == KEYS - {"VAPID_PUBLIC_KEY", "VAPID_PRIVATE_KEY"}
    text = "\n".join(report(old, CONTAINERS, settings_with(**RELEASE), ROOTS))
    assert "made anew: VAPID_PRIVATE_KEY, VAPID_PUBLIC_KEY" in text
    assert "made anew: " not in "\n".join(report(OLD, CONTAINERS, settings_with(**RELEASE), ROOTS))


def test_the_report_says_what_becomes_of_each_part() -> None:
    old = replace(OLD, certificates={"social.example.org": ("/certs", "ends within a week")}, extensions=("pghero",))
    text = "\n".join(report(old, CONTAINERS, settings_with(**RELEASE), ROOTS))
    for words in (
        "social.example.org, v4.6.9, ghcr.io/mastodon/mastodon:v4.6.9",
        "old-web-1, old-streaming-1, old-sidekiq-1: stopped and kept",
        "PostgreSQL 15.8, 2048 MiB: dumped and loaded",
        "do not come along: pghero",
        "5120 MiB in /opt/old/public/system: linked",
        "front-nginx-proxy-1: stopped and kept; the suite's takes ports 80 and 443",
        "made anew, because the one in /certs ends within a week",
        "It needs 3614 MiB of 40960",
    ):
        assert words in text, text
    assert "carried over" in "\n".join(
        report(
            replace(old, certificates={"social.example.org": ("/certs", "good")}),
            CONTAINERS,
            settings_with(**RELEASE),
            ROOTS,
        )
    )


def test_media_on_another_disk_need_room() -> None:
    assert needed_mib(OLD) == 2048 * 3 // 2 + 30 + 512
    media = Media("/mnt/system", 5 * 1024**2, "991:991", links=False)
    assert needed_mib(replace(OLD, media=media)) == needed_mib(OLD) + 5120


@pytest.mark.parametrize("phase", ["stopped", "switching", "carried"])
def test_one_that_is_under_way_is_finished_whatever_the_server_has_by_now(phase: str) -> None:
    old = replace(OLD, note={"phase": phase, "domain": "social.example.org"}, ours=True, database=None, free_kib=0)
    assert said(old) == []
    (text,) = said(replace(old, note=dict(old.note) | {"domain": "other.example.org"}))
    assert "The take-over of other.example.org is under way" in text


def test_a_first_deployment_beside_a_mastodon_names_the_take_over() -> None:
    web = container_line("old/web", reference="docker.io/tootsuite/mastodon:v4.2.1", directory="/opt/old")
    (finding,) = not_the_suites(found(web, web, PROXY), ROOTS)
    assert finding.level == "warning" and "tasks/adopt.py" in finding.text and "old-web-1" in finding.text
    ours = container_line("web", reference="ghcr.io/mastodon/mastodon:v4.7.60")
    assert list(not_the_suites(found(ours, web.replace('"running"', '"exited"')), ROOTS)) == []


def test_any_other_run_is_told_that_one_is_under_way() -> None:
    assert list(unfinished("", "x")) == list(unfinished("finished", "x")) == []
    (begun,), (later,) = unfinished("begun", "social.example.org"), unfinished("carried", "social.example.org")
    assert "rm /var/lib/mstdn/adoption" in begun.text
    assert later.level == "error" and "yes=social.example.org" in later.text and "rm " not in later.text


# --- Facts and operations -----------------------------------------------------------------------

LOOK = "free 41943040\ncandidate old\t/opt/old\tsocial.example.org\nproject old\n"
LOOK += "".join(
    f"container {each.id}\t{each.name}\t{each.service}\trunning\talways\t{each.role}\n" for each in OLD.containers
)
LOOK += "".join(f"variable {json.dumps(f'{name}={value}')}\n" for name, value in VARIABLES.items())
LOOK += "brought OTP_SECRET\nbrought DB_PASS\n" + "".join(f"good {name}\n" for name in sorted(KEYS))
LOOK += "image ghcr.io/mastodon/mastodon:v4.6.9\nversion v4.6.9\ndatabase 15.8 2147483648\nredis 7.2.4 31457280\n"
LOOK += "media 5242880\t991:991\tsame\t/opt/old/public/system\n"
SERVER = {
    "preflight/report": "system debian 13\narchitecture amd64\ninit systemd\nmemory 2000000\ndirectories /srv/mastodon "
    "/srv/proxy\naddresses 198.51.100.7\nclock 1800000000\n",
    "docker/containers": "".join((*MEMBERS, PROXY)),
    "adopt/look": LOOK,
}
NOTED = "noted domain social.example.org\nnoted container id-of-web\talways\told-web-1\tweb\n"


def at(phase: str) -> dict[str, str]:
    """The server while a take-over is in this phase."""
    return SERVER | {"adopt/look": f"noted phase {phase}\n{NOTED}{LOOK}"}


def test_what_is_seen_is_read() -> None:
    assert read(OldInstance, LOOK) == OLD
    under_way = read(OldInstance, f"noted phase carried\n{NOTED}ours\nkeys same\n")
    assert (under_way.phase, under_way.listed, under_way.ours, under_way.keys) == (
        "carried",
        ("id-of-web",),
        True,
        "same",
    )


def test_it_begins_with_the_old_keys_and_a_note_of_every_container() -> None:
    settings = settings_with(**RELEASE)
    (begin,) = commands_of(begun_adoption, SERVER, settings=settings)
    assert begin.script == "adopt/begin"
    assert begin.words[:3] == ("/var/lib/mstdn/adoption", "/srv/mastodon/secrets/instance.env", "id-of-web")
    assert set(begin.words[3:]) == KEYS
    assert begin.stdin is not None
    lines = begin.stdin.splitlines()
    assert lines[0] == "phase begun" and "user postgres" in lines and "database mastodon_production" in lines
    assert "writers id-of-web id-of-streaming id-of-sidekiq" in lines
    assert "container id-of-nginx-proxy\talways\tfront-nginx-proxy-1\tproxy" in lines
    assert [line for line in lines if line.startswith("compose ")] == [
        "compose old\t/opt/old",
        "compose front\t/srv/front",
    ]
    # What somebody has started anew since has other IDs.
    assert len(commands_of(begun_adoption, at("begun"), settings=settings)) == 1
    for phase in ("stopped", "switching", "carried", "finished"):
        assert commands_of(begun_adoption, at(phase), settings=settings) == []


def test_the_data_are_the_work_of_a_unit_that_lets_the_old_one_serve_whatever_ends_it() -> None:
    settings = settings_with(**RELEASE)
    (follow,) = commands_of(carried_data, SERVER, settings=settings, timeout_seconds=300)
    assert follow.script == "timers/follow" and follow.words[0] == "mstdn-adopt.service"
    assert follow.words[2] == shlex.join(["/bin/sh", "/run/mstdn-adopt.program", *follow.words[3:]])
    assert follow.words[-1 - len(NETWORKS) :] == ("/var/lib/mstdn/go-back", *NETWORKS)
    assert follow.stdin and "carry_database" in follow.stdin
    for phase in ("carried", "finished"):
        assert commands_of(carried_data, at(phase), settings=settings, timeout_seconds=300) == []


def test_good_certificates_are_carried_over_until_it_is_finished() -> None:
    settings = settings_with(**RELEASE)
    seen = LOOK + "certificate social.example.org\t/certs\tgood\ncertificate x.example.org\t/certs\tcannot be read\n"
    (put,) = commands_of(carried_certificates, SERVER | {"adopt/look": seen}, settings=settings)
    assert put.words == ("social.example.org", "/certs", "/srv/proxy/certs", "")
    assert commands_of(carried_certificates, at("finished"), settings=settings) == []


def test_it_is_finished_once() -> None:
    settings = settings_with(**RELEASE)
    (finish,) = commands_of(finished_adoption, at("carried"), settings=settings)
    assert finish.script == "adopt/finish"
    assert commands_of(finished_adoption, at("finished"), settings=settings) == []
    assert "docker rm id-of-web" in way_back(read(OldInstance, f"noted phase finished\n{NOTED}"))


def test_what_must_not_be_is_refused_before_anything() -> None:
    text = refusal_of(looked_at_the_old_instance, SERVER | {"adopt/look": "ours\n"}, settings=settings_with(**RELEASE))
    assert "nothing to take over" in text


def test_the_note_has_no_empty_lines_and_no_secret() -> None:
    text = note(replace(OLD, media=None), leaving(OLD, CONTAINERS, ROOTS), CONTAINERS, settings_with(**RELEASE), 7)
    assert "begun 7\n" in text and "media" not in text and "owner" not in text
    assert all(line.partition(" ")[2] for line in text.splitlines())
