"""What the verb removes, in which order, and when it says no."""

from __future__ import annotations

from typing import Any

from mstdn.uninstall.operations import (
    consented_uninstall,
    last_backup,
    removed_containers,
    removed_directories,
    removed_machine,
    removed_units,
)
from tests.harness import Command, commands_of, container_line, refusal_of, settings_with

YES: dict[str, Any] = {"yes": "social.example.org"}
NOTE = "/var/lib/mstdn/uninstalling"
REPORT = (
    "system debian 13\narchitecture amd64\ninit systemd\nmemory 2000000\ndirectories /srv/mastodon /srv/proxy\n"
    "addresses 198.51.100.7\nclock 1800000000\n"
)
THERE = "".join(
    f"there {path}\n"
    for path in (
        "/srv/mastodon",
        "/srv/proxy",
        "/usr/local/lib/mstdn",
        "/etc/sysctl.d/60-mastodon-swap.conf",
        "/swap",
        "/var/lib/mstdn",
    )
)
FACTS = {
    "preflight/report": REPORT,
    "docker/containers": container_line("web", image="sha256:aa") + container_line("proxy/nginx"),
    "uninstall/networks": "network bridge -\nnetwork front -\n",
    "cleanup/images": "image postgres:17 sha256:bb\nimage other/image:1 sha256:cc\n",
    "images/recorded": "recorded postgres:17 sha256:dd\n",
    "uninstall/look": f"{THERE}proxy f compose.yaml\nproxy d certs\n",
    "files/written": "".join(f"written /etc/systemd/system/mstdn-backup.{each}\n" for each in ("timer", "service")),
    "swap/state": "real /swap\nfile 2147483648 600 0\nfstab\n",
    "database/state": "installed LOCAL_DOMAIN=social.example.org\ninstalled MASTODON_VERSION=v4.7.5\n",
    "storage/state": "instance\n",
}
BARE = {"preflight/report": REPORT}
ON = settings_with(backup_repository="/srv/backups", **YES)


def test_without_the_name_nothing_goes_and_what_would_is_told() -> None:
    text = refusal_of(consented_uninstall, FACTS, settings=settings_with())
    assert "--data yes=social.example.org" in text
    for words in ("mstdn-web-1", "front", "postgres:17", "/srv/mastodon", "/srv/proxy", "/swap", "mstdn-backup.timer"):
        assert words in text
    assert "other/image" not in text
    assert commands_of(consented_uninstall, FACTS, settings=settings_with(**YES)) == []


def test_where_nothing_is_left_nothing_is_done_and_no_name_is_asked_for() -> None:
    for settings in (settings_with(), settings_with(**YES)):
        assert commands_of(consented_uninstall, BARE, settings=settings) == []
        assert commands_of(last_backup, BARE, settings=settings) == []
        assert commands_of(removed_units, BARE) == []
        for each in (removed_containers, removed_directories, removed_machine):
            assert commands_of(each, BARE, settings=settings) == []


def test_a_volume_that_is_not_mounted_is_not_left_behind_without_a_word() -> None:
    facts = FACTS | {"storage/state": "noted LOCAL_DOMAIN=social.example.org\nnoted MASTODON_ROOT=/srv/mastodon\n"}
    assert "was installed as social.example.org" in refusal_of(
        consented_uninstall, facts, settings=settings_with(**YES)
    )
    begun = facts | {"uninstall/look": f"{THERE}there {NOTE}\n"}
    assert commands_of(consented_uninstall, begun, settings=settings_with(**YES)) == []


def test_a_move_of_the_database_that_is_at_work_is_not_disturbed() -> None:
    facts = FACTS | {"postgres/look": "working\n"}
    assert "at this moment" in refusal_of(consented_uninstall, facts, settings=settings_with(**YES))


def test_a_deployment_that_is_at_work_is_not_disturbed() -> None:
    facts = FACTS | {"database/state": FACTS["database/state"] + "installed WORK=activating\n"}
    assert "mstdn-deploy" in refusal_of(consented_uninstall, facts, settings=settings_with(**YES))


def scripts(commands: list[Command]) -> list[str]:
    return [each.script for each in commands]


def test_a_last_backup_is_made_once_before_anything_goes() -> None:
    noted = ["files/put", "files/put"]
    assert scripts(commands_of(last_backup, FACTS, settings=ON)) == ["timers/follow", *noted]
    without = settings_with(backup_repository="/srv/backups", uninstall_backup="no", **YES)
    assert scripts(commands_of(last_backup, FACTS, settings=without)) == noted
    assert scripts(commands_of(last_backup, FACTS, settings=settings_with(**YES))) == noted
    begun = FACTS | {"uninstall/look": f"{THERE}there {NOTE}\n"}
    assert commands_of(last_backup, begun, settings=ON) == []
    assert "uninstall_backup=no" in refusal_of(last_backup, FACTS | {"files/written": ""}, settings=ON)


def test_what_is_the_suites_goes_step_by_step() -> None:
    settings = settings_with(**YES)
    assert [each.words for each in commands_of(removed_units, FACTS)] == [
        ("/etc/systemd/system/mstdn-backup.timer", "/etc/systemd/system/mstdn-backup.service")
    ]
    assert commands_of(removed_containers, FACTS, settings=settings) == [
        Command("uninstall/remove_containers", ("id-of-web", "id-of-nginx")),
        Command("uninstall/remove_networks", ("front",)),
        Command("cleanup/remove_images", ("postgres:17",)),
    ]
    noted, mastodon, proxy = commands_of(removed_directories, FACTS, settings=settings)
    assert (noted.words[-1], noted.stdin) == (NOTE, "social.example.org\ndata\n")
    assert mastodon.words[0] == "/srv/mastodon" and {"database", "media"} <= {*mastodon.words}
    assert (proxy.words, proxy.stdin) == (("/srv/proxy",), "")
    assert commands_of(removed_machine, FACTS, settings=settings) == [
        Command("swap/remove", ("/swap", "/swap")),
        Command("kernel/forget", ("/etc/sysctl.d/60-mastodon-swap.conf", "vm.swappiness", "60")),
        Command("files/remove", ("/usr/local/lib/mstdn", "/var/lib/mstdn")),
    ]


def test_swap_that_the_suite_did_not_make_stays() -> None:
    look = "".join(line for line in THERE.splitlines(keepends=True) if "sysctl" not in line)
    commands = commands_of(removed_machine, FACTS | {"uninstall/look": look}, settings=settings_with(**YES))
    assert scripts(commands) == ["files/remove"]


def test_files_of_others_in_the_proxys_directory_stay_and_do_not_count_as_something_to_remove() -> None:
    entries = "proxy d certs\nproxy f certs/blog.example.org.crt\n"
    facts = FACTS | {"uninstall/look": f"{THERE}{entries}proxy f compose.yaml\n"}
    *_, proxy = commands_of(removed_directories, facts, settings=settings_with(**YES))
    assert (proxy.words, proxy.stdin) == (("/srv/proxy",), "certs/blog.example.org.crt")
    left = BARE | {"uninstall/look": f"there /srv/proxy\n{entries}"}
    assert commands_of(consented_uninstall, left, settings=settings_with()) == []
    assert commands_of(removed_directories, left, settings=settings_with(**YES)) == []
