"""The promise itself: the plan was true, the second run changes nothing, each task can be run alone."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import Life
from tests.e2e.instance import ARGUMENTS_FILE, PUBLIC_NAMES, SECRETS_FILE, Instance, with_settings
from tests.harness import ROOT
from tests.lab.world import SMTP_PASSWORD

# The others are provision.py's, and run before there is a server.
TASKS = sorted(re.findall(r'local\.include\("tasks/(\w+\.py)"\)', (ROOT / "deploy.py").read_text()))


def test_the_plan_of_the_bare_server_was_what_the_run_then_changed(life: Life) -> None:
    assert set(life.bare.planned) == set(life.first.changed)
    assert life.first.report is not None
    assert life.first.report["results"]["totals"]["error"] == 0


def test_the_second_run_changes_nothing(life: Life) -> None:
    assert life.second.report is not None
    assert life.second.changed == []
    totals = life.second.report["results"]["totals"]
    assert (totals["hosts"] > 0, totals["success"], totals["error"]) == (True, 0, 0)


def test_a_plan_of_the_converged_server_announces_nothing(instance: Instance) -> None:
    plan = instance.plan()
    assert plan.report is not None
    assert [
        each["name"]
        for each in plan.report["plan"]
        if each["hosts_with_change"] or each["hosts_with_conditional_change"]
    ] == []


@pytest.mark.parametrize("task", TASKS)
def test_a_task_runs_alone_and_changes_nothing(instance: Instance, task: str) -> None:
    assert instance.converge(f"tasks/{task}").changed == []


# --- Secrets ------------------------------------------------------------------------------------


def canaries(instance: Instance) -> dict[str, str]:
    """Every value that nobody may see, by name."""
    secrets = {name: value for name, value in instance.secrets().items() if name not in PUBLIC_NAMES}
    assert len(secrets) == 8
    return secrets | {"SMTP_PASSWORD": SMTP_PASSWORD}


PLACES = {
    "the configuration of containers": "docker ps --all --quiet | xargs docker inspect",
    "the configuration of images": "docker image ls --quiet | xargs docker image inspect",
    "the logs of containers": "docker ps --all --quiet | while read -r id; do docker logs $id 2>&1; done",
    "the journal, sudo's log in it": "journalctl --no-pager --output=cat",
    "files of /tmp and /var/log": "find /tmp /var/tmp /var/log -type f -exec cat {} +",
    "the arguments of processes": "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'",
    "the arguments of every process of the first deployment": f"cat {ARGUMENTS_FILE}",
    "files that others may read": "find /srv -type f -perm /0044 -exec cat {} +",
}


def names_found(instance: Instance, place: str, values: dict[str, str]) -> list[str]:
    """Which of the values are there. They go in by standard input: as arguments they would find themselves."""
    search = f"exec 3<&0; ({PLACES[place]}) </dev/null | LC_ALL=C grep -a -o -h -F -f /dev/fd/3 | sort -u"
    found = set(instance.run(search, stdin="\n".join(values.values())).splitlines())
    return [name for name, value in values.items() if value in found]


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_in(instance: Instance, place: str) -> None:
    assert names_found(instance, place, canaries(instance)) == []


def test_the_search_for_secrets_would_find_them(instance: Instance) -> None:
    file = "/tmp/canaries"
    instance.run(f"umask 077; cat >{file}", stdin="\n".join(canaries(instance).values()))
    try:
        assert names_found(instance, "files of /tmp and /var/log", canaries(instance)) == list(canaries(instance))
    finally:
        instance.run(f"rm {file}")
    assert instance.succeeds(f"grep -a -q secrets/generate {ARGUMENTS_FILE}"), (
        "the recording missed the first deployment"
    )


@pytest.mark.parametrize(
    "options", [["--dry", "--diff", "-vvv"], ["--yes", "--diff", "-vvv", "--debug"]], ids=["a plan", "a run"]
)
def test_pyinfra_shows_changed_settings_and_no_secret(instance: Instance, options: list[str]) -> None:
    """A new password of the mail server and a new language, with all that pyinfra can be made to say."""
    world = instance.world
    password = "canary-of-a-new-mail-password"
    run = world.typed(
        "tasks/configuration.py",
        "tasks/secrets.py",
        *with_settings({"default_locale": "de"}),
        options=["--limit", instance.host, *options],
        environment=world.environment() | {"SMTP_PASSWORD": password},
    )
    try:
        assert run.returncode == 0, run.stderr
        assert "- DEFAULT_LOCALE=en" in run.stderr and "+ DEFAULT_LOCALE=de" in run.stderr
        for name, value in (canaries(instance) | {"the new password": password}).items():
            assert value not in run.stdout + run.stderr, name
    finally:
        instance.converge()


def test_the_secrets_file_is_for_root_only(instance: Instance) -> None:
    assert instance.run(f"stat -c '%a %U:%G' {SECRETS_FILE} /srv/mastodon/secrets").splitlines() == [
        "600 root:root",
        "700 root:root",
    ]
