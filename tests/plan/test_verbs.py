"""The verbs as an operator types them, on hosts that only exist in pyinfra's @fake connector."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyinfra.api import Host

from mstdn import versions
from mstdn.asking import Batch, travelling
from mstdn.status.looking import questions
from mstdn.uninstall.operations import uninstall_questions
from tests.harness import REQUIRED, container_line, settings_with
from tests.plan.cli import BARE_SERVER, pyinfra, write_inventory

MACHINE = "now 1800000000\nmemory 4000000 3000000 2000000 2000000\ndisk / 40000000 20000000 9%\n"
WELL = "".join(
    container_line(each, **({"reference": f"ghcr.io/mastodon/mastodon:{versions.MASTODON}"} if each == "web" else {}))
    for each in ("db", "redis", "web", "streaming", "sidekiq", "nginx")
)
PROXY = "".join(container_line(f"proxy/{each}") for each in ("nginx", "docker-gen", "acme-companion", "socket-proxy"))
ANSWERS = {
    "status/machine": MACHINE,
    "status/instance": "database 1000 14 100\njobs 0 0 1\nwrites ok\n",
    "database/state": f"installed MASTODON_VERSION={versions.MASTODON}\ninstalled LOCAL_DOMAIN=social.example.org\n",
    "docker/containers": WELL + PROXY,
    "certificates/state": "age 9000\ninstalled social.example.org fits yes\n"
    "installed social.example.org sha256 Fingerprint=AB:CD\n"
    "installed social.example.org notBefore=Jan  1 00:00:00 2027 GMT\n"
    "installed social.example.org notAfter=Mar 31 00:00:00 2027 GMT\n"
    "installed social.example.org     DNS:social.example.org\n",
}


def host(answers: Mapping[str, str]) -> dict[str, Any]:
    """A host that answers the one command of a look with these lines by script, and any other with nothing."""
    told = ""
    for number, question in enumerate(questions(settings_with())):
        lines = (*answers.get(question.fact.script, "").splitlines(), "end 0")
        told += "".join(f"mstdn {number} {line}\n" for line in lines)
    return {"fake_responses": {"status/machine": told}}


@pytest.mark.parametrize("options", [(), ("-y",)], ids=str)
def test_status_tells_every_host_and_ends_by_itself(tmp_path: Path, options: tuple[str, ...]) -> None:
    inventory = write_inventory(
        tmp_path, {"@fake/well": host(ANSWERS), "@fake/bare": host({"status/machine": MACHINE})}
    )
    run = pyinfra(inventory, "tasks/status.py", *options)
    assert run.returncode == 1, run.text
    assert "Traceback" not in run.text and "Press enter" not in run.text
    assert "All is well on the server." in run.stdout and "No instance is installed" in run.stdout
    assert len([line for line in run.stdout.splitlines() if line.startswith("social.example.org on ")]) == 2


def test_status_for_programs_is_one_line_of_json_and_nothing_else(tmp_path: Path) -> None:
    run = pyinfra(write_inventory(tmp_path, {"@fake/well": host(ANSWERS)}), "tasks/status.py", "--data", "format=json")
    assert run.returncode == 0, run.text
    told = json.loads(run.stdout)
    assert told["ok"] and told["release"]["installed"] == versions.MASTODON


def test_status_of_a_server_that_does_not_answer_is_no_traceback(tmp_path: Path) -> None:
    run = pyinfra(write_inventory(tmp_path), "tasks/status.py")
    assert run.returncode == 1 and "Traceback" not in run.text
    assert "did not answer" in run.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tasks/owner.py",), "owner_name=alice"),
        (("tasks/owner.py", "--data", "owner_name=alice"), "deploy.py"),
        (("tasks/mail_test.py",), "mail_test_to=you@example.org"),
        (("tasks/alert_test.py",), "alerts_mail_to"),
        (("tasks/alert_test.py", "--data", "alerts_enabled=false"), "Alerts are off"),
    ],
    ids=str,
)
def test_a_verb_that_was_not_told_enough_says_what_to_type(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    bare = {"fake_responses": {"owner/state": "mstdn 0 end 0\n"}}
    run = pyinfra(write_inventory(tmp_path, {"@fake/bare": bare}), *arguments, "-y")
    assert run.returncode == 1, run.text
    assert words in run.text and "Traceback" not in run.text
    assert "Starting operation" not in run.text


def test_a_database_that_is_not_there_is_not_moved_and_nothing_begins(tmp_path: Path) -> None:
    answers = {"postgres/look": "real /srv/mastodon/database\n", "backup/state": ""}
    inventory = write_inventory(tmp_path, {"@fake/bare": {"answers": answers}})
    run = pyinfra(inventory, "tasks/postgres_upgrade.py", "-y")
    assert run.returncode == 1, run.text
    assert "No instance is installed on this server" in run.text and "Traceback" not in run.text
    assert "Starting operation" not in run.text


UNINSTALL = {
    "preflight/report": "system debian 13\narchitecture amd64\ninit systemd\nmemory 2000000\n"
    "directories /srv/mastodon /srv/proxy\naddresses 198.51.100.7\nclock 1800000000\n",
    "storage/state": "instance\n",
    "database/state": ANSWERS["database/state"],
    "docker/containers": WELL + PROXY,
    "uninstall/look": "there /srv/mastodon\nthere /srv/proxy\nthere /var/lib/mstdn\n",
}


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        ((), 1, "removes social.example.org from the server for ever"),
        (("--data", "yes=social.example.com"), 1, "is not its name"),
        (("--data", "yes=social.example.org"), 0, "Remove the instance and the proxy"),
    ],
    ids=str,
)
def test_an_uninstall_is_planned_only_when_the_name_is_said(
    tmp_path: Path, told: tuple[str, ...], code: int, words: str
) -> None:
    at = cast(Host, SimpleNamespace(data=SimpleNamespace(dict=lambda: REQUIRED), name="fake", groups=()))
    batch = Batch.of(travelling(uninstall_questions(at)).values())
    lines = ""
    for number, question in enumerate(batch):
        answer = (*UNINSTALL.get(question.fact.script, "").splitlines(), "end 0")
        lines += "".join(f"mstdn {number} {line}\n" for line in answer)
    inventory = write_inventory(tmp_path, {"@fake/here": {"fake_responses": {"preflight/report": lines}}})
    run = pyinfra(inventory, "tasks/uninstall.py", *told, "--dry")
    assert run.returncode == code, run.text
    assert words in run.text and "Traceback" not in run.text
    assert "mstdn-web-1" in run.text


BY_HAND = """\
free 41943040
candidate old\t/opt/old\tsocial.example.org
project old
container id-of-web\told-web-1\tweb\trunning\talways\tweb
container id-of-db\told-db-1\tdb\trunning\talways\tdb
container id-of-redis\told-redis-1\tredis\trunning\talways\tredis
variable "LOCAL_DOMAIN=social.example.org"
variable "DB_HOST=db"
variable "REDIS_HOST=redis"
variable "SMTP_SERVER=smtp.example.org"
good SECRET_KEY_BASE
good ACTIVE_RECORD_ENCRYPTION_DETERMINISTIC_KEY
good ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT
good ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY
image ghcr.io/mastodon/mastodon:v4.6.9
version v4.6.9
database 15.8 12345678
redis 7.2.4 2000
media 1024\t991:991\tsame\t/opt/old/public/system
"""
EDGE = container_line(
    "edge/nginx-proxy",
    reference="jwilder/nginx-proxy:alpine",
    published={"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]},  # noqa: S104 (as Docker says it)
    bindings={"80/tcp": [{"HostIp": "", "HostPort": "80"}]},
    networks={"front": "0f", "back-mstdn": "1f"},
    asks=["VIRTUAL_HOST=social.example.org", None],
)
HERE = {
    "adopt/look": BY_HAND,
    "docker/containers": "".join(container_line(f"old/{each}", directory="/opt/old") for each in ("web", "db", "redis"))
    + EDGE,
    # As the guide has made it: with a way out, and the old containers on it.
    "networks/state": 'network {"name":"back-mstdn","id":"1f","driver":"bridge","internal":false,"ipv6":false}\n',
}


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        ((), 0, "To take it over: pyinfra inventory.py tasks/adopt.py --data yes=social.example.org"),
        (("--data", "yes=social.example.com"), 1, "is not the name of this instance"),
        (("--data", "yes=social.example.org", "--dry"), 0, "Carry database, jobs and media over"),
        (("--data", "mastodon_version=v4.5.20"), 1, "cannot go back to v4.5.20"),
    ],
    ids=str,
)
def test_a_take_over_is_a_report_until_the_name_is_said(
    tmp_path: Path, told: tuple[str, ...], code: int, words: str
) -> None:
    inventory = write_inventory(tmp_path, {"@fake/here": {"answers": HERE}})
    run = pyinfra(inventory, "tasks/adopt.py", *(told if "--dry" in told else (*told, "-y")))
    assert run.returncode == code, run.text
    assert words in run.text and "Traceback" not in run.text
    assert "The Mastodon in /opt/old" in run.text
    assert ("Carry database" in run.text) == ("--dry" in told)


def test_a_server_without_a_mastodon_has_nothing_to_take_over(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path, {"@fake/bare": {"answers": {"adopt/look": "free 41943040\n"}}})
    run = pyinfra(inventory, "tasks/adopt.py", "-y")
    assert run.returncode == 1, run.text
    assert "There is no Mastodon here" in run.text and "Traceback" not in run.text


def test_a_deployment_keeps_away_from_a_take_over_that_is_under_way(tmp_path: Path) -> None:
    report = BARE_SERVER.format(domain="social.example.org", clock=int(time.time())) + "adoption switching\n"
    inventory = write_inventory(tmp_path, {"@fake/here": {"answers": {"preflight/report": report}}})
    run = pyinfra(inventory, "tasks/preflight.py", "-y")
    assert run.returncode == 1 and "was begun and is not finished (switching)" in run.text
