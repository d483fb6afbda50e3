"""The verbs as an operator types them, on hosts that only exist in pyinfra's @fake connector."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mstdn import versions
from mstdn.status.looking import questions
from tests.harness import container_line, settings_with
from tests.plan.cli import pyinfra, write_inventory

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
