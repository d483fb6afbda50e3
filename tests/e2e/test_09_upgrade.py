"""The same server moves on from release to release, good ones and bad ones."""

from __future__ import annotations

import json
import re

import pytest

from mstdn import versions
from tests.e2e.instance import Instance
from tests.e2e.visitors import visitors_without_pause


@pytest.fixture(name="carol", scope="module")
def _carol(reborn: Instance) -> str:
    """The access token of somebody who was there before the upgrades."""
    reborn.converge(mastodon_version="v4.6.9")
    return reborn.token("carol")


def version(instance: Instance) -> str:
    return str(json.loads(instance.visit("/api/v2/instance").body)["version"])


def test_an_upgrade_to_the_next_minor_release_migrates_in_two_phases(reborn: Instance, carol: str) -> None:
    with visitors_without_pause(reborn, carol, at_least=500) as usual:
        pass
    assert usual.failed == []
    # Docker itself remembers no more than 256 events.
    told = "--filter event=start --format '{{index .Actor.Attributes \"com.docker.compose.service\"}}'"
    reborn.run(f"setsid docker events {told} >/root/events 2>&1 </dev/null & echo $! >/root/pid")
    with visitors_without_pause(reborn, carol, at_least=3000) as seen:
        reborn.converge(mastodon_version="v4.7.5")
    # Nobody noticed.
    assert seen.failed == [] and seen.asked >= 3000
    assert seen.slowest <= usual.slowest + 1, seen.kinds
    assert version(reborn) == "4.7.5"
    events = reborn.run("kill $(cat /root/pid); cat /root/events").split()
    order = [service for service in events if service in ("migrate", "web")]
    # First what the old release can live with, then the new release beside the old one, then what had to wait for it,
    # and programs that know the new columns.
    assert re.fullmatch(r"(migrate )+web( migrate)+ web", " ".join(order)), order
    assert reborn.run("ls /srv/mastodon/rollback").split() == ["v4.6.9.dump"]
    status = reborn.run(
        "cd /srv/mastodon && docker compose run --rm --no-deps --no-TTY migrate bundle exec rails db:migrate:status"
    )
    assert re.search(r"^ +up ", status, re.MULTILINE) and not re.search(r"^ +down ", status, re.MULTILINE)
    assert reborn.converge(mastodon_version="v4.7.5").changed == []


def test_accounts_and_what_is_encrypted_survive_the_upgrade(reborn: Instance, carol: str) -> None:
    answer = reborn.visit("/api/v1/accounts/verify_credentials", "--header", f"Authorization: Bearer {carol}")
    assert answer.status == 200 and json.loads(answer.body)["username"] == "carol"


def test_pages_that_were_loaded_before_an_upgrade_keep_their_styles(reborn: Instance, carol: str) -> None:
    def assets() -> set[str]:
        return set(re.findall(r'(?:href|src)="(/packs/[^"]+)"', reborn.visit("/").body))

    old = assets()
    reborn.converge(mastodon_version="v4.7.6")
    new = assets()
    assert version(reborn) == "4.7.6"
    assert old and new and not old & new
    assert {path: reborn.visit(path).status for path in old | new} == dict.fromkeys(old | new, 200)
    links = reborn.run("cd /srv/mastodon/assets && readlink previous current").split()
    assert [link.partition("-")[0] for link in links] == ["v4.7.5", "v4.7.6"]
    assert set(reborn.run("ls /srv/mastodon/assets").split()) == {*links, "current", "previous"}


def test_only_the_release_that_runs_and_the_one_before_keep_their_images(reborn: Instance, carol: str) -> None:
    def tags(repository: str) -> set[str]:
        return set(reborn.run(f"docker image ls --format '{{{{.Tag}}}}' ghcr.io/mastodon/{repository}").split())

    assert tags("mastodon") == tags("mastodon-streaming") == {"v4.7.5", "v4.7.6"}
    # What others pulled is theirs; what killed processes left is nobody's.
    reborn.run(f"docker tag {versions.NGINX_IMAGE} ghcr.io/mastodon/mastodon:theirs")
    reborn.run("cd /srv/mastodon/scratch && touch -d '2 days ago' ffmpeg.mp4 && touch new.mp4")
    names = ["Remove images that nothing needs any more", "Remove old temporary files"]
    assert reborn.plan().planned == [f"tasks/cleanup.py | {names[1]}"]
    assert reborn.converge().changed == [f"tasks/cleanup.py | {names[1]}"]
    assert reborn.run("ls /srv/mastodon/scratch").split() == ["new.mp4"]
    assert "theirs" in tags("mastodon")
    # Whoever follows the advice of preflight frees something, and nothing that runs.
    reborn.run("docker rmi ghcr.io/mastodon/mastodon:theirs && rm /srv/mastodon/scratch/new.mp4")
    assert "deleted" in reborn.run("docker image prune --all --force").lower()
    assert tags("mastodon") == {"v4.7.6"}
    assert reborn.converge().changed == []


def test_a_migration_that_fails_leaves_the_old_release_serving(reborn: Instance) -> None:
    started = reborn.started()
    refusal = reborn.refusal(mastodon_version="v4.7.90")
    assert "could not create unique index" in refusal
    assert "still serves" in refusal
    assert version(reborn) == "4.7.6"
    assert reborn.started() == started
    reborn.converge()
    assert version(reborn) == "4.7.6"
    assert reborn.converge().changed == []


def test_a_release_that_never_becomes_healthy_fails_with_its_last_words(reborn: Instance) -> None:
    refusal = reborn.refusal(mastodon_version="v4.7.92", app_start_timeout_seconds=10)
    assert re.search(r"web is running \((starting|unhealthy)\)", refusal), refusal
    assert "Puma starting" in refusal
    reborn.converge()
    assert version(reborn) == "4.7.6"
    assert reborn.converge().changed == []
