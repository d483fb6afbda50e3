"""The whole deploy, planned through pyinfra's command line, without a server."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.versions import MASTODON
from tests.harness import REQUIRED, ROOT
from tests.plan.cli import BARE_SERVER, Run, pyinfra, write_inventory

# What a bare server needs, in this order.
CHANGES = (
    "tasks/swap.py | Provide swap space",
    "tasks/firewall.py | Let in SSH, HTTP and HTTPS, and nothing else",
    "tasks/docker.py | Install what the next steps call: curl, git, gpg",
    "tasks/docker.py | Trust Docker's apt repository",
    "tasks/docker.py | Configure the Docker daemon",
    "tasks/docker.py | Install Docker Engine and Compose",
    "tasks/networks.py | Create the networks front and back-mstdn",
    "tasks/updates.py | Let the system install its security fixes",
    "tasks/checkout.py | Check out the source of Mastodon's release",
    "tasks/configuration.py | Write the configuration of Mastodon",
    "tasks/configuration.py | Note which version of the suite works here",
    "tasks/configuration.py | Write the configuration of the proxy",
    "tasks/images.py | Pull the images of both projects",
    "tasks/secrets.py | Make the instance's secrets and give each container its part",
    "tasks/database.py | Prepare the database for the release",
    "tasks/database.py | Note where the instance lies",
    "tasks/assets.py | Publish the release's compiled assets",
    "tasks/proxy.py | Start the proxy",
    "tasks/app.py | Start Mastodon",
    "tasks/retention.py | Choose how long copies of others' content are kept",
    "tasks/timers.py | Install the programs that run by themselves",
)
# What is looked at as well, and is right already on a bare server.
NO_CHANGES = (
    "tasks/preflight.py | Wait for what an earlier run has begun",
    "tasks/kernel.py | Let Redis save its jobs where memory is short",
    "tasks/docker.py | Set the members of the group docker",
    "tasks/networks.py | Keep the containers' ways in and out open",
    "tasks/database.py | Compare PostgreSQL and Redis with the data that is there",
    "tasks/database.py | Keep the password of the database in force",
    "tasks/certificates.py | Keep the certificates in order",
    "tasks/app.py | Finish the release's migrations",
    "tasks/verify.py | Visit the site",
    "tasks/cleanup.py | Remove dumps of the database that nothing needs any more",
    "tasks/cleanup.py | Remove images that nothing needs any more",
    "tasks/cleanup.py | Remove old temporary files",
    # As shipped nobody monitors it.
    "tasks/monitoring.py | Create the network mstdn-monitoring",
    "tasks/monitoring.py | Write the configuration of monitoring",
    "tasks/monitoring.py | Show PostgreSQL's statistics to monitoring",
    "tasks/monitoring.py | Start monitoring",
    "tasks/monitoring.py | Remove monitoring where it is off",
    # As shipped there are no backups.
    "tasks/timers.py | Install what backups need",
    "tasks/timers.py | Install the secrets of backups",
    "tasks/timers.py | Install the secrets of alerts",
    "tasks/first_backup.py | Make the first backup",
)
# They act once, and stand in no table of contents.
VERBS = ("backup.py", "restore.py", "drill.py")
# What converges. Verbs stand in no table of contents, and refuse where there is nothing to act on.
TASKS = sorted(
    path.name
    for path in (ROOT / "tasks").glob("*.py")
    if f'"tasks/{path.name}"' in (ROOT / "deploy.py").read_text(encoding="utf-8")
)


@pytest.fixture(name="plan", scope="module")
def _plan(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The plan for one bare server with the shipped settings."""
    return pyinfra(write_inventory(tmp_path_factory.mktemp("plan")), "deploy.py", "--dry", "--json", "-v")


def test_a_bare_server_is_planned_from_swap_to_mastodon_in_order(plan: Run) -> None:
    assert plan.returncode == 0, plan.text
    assert tuple(plan.planned) == CHANGES


def test_what_is_right_on_a_bare_server_is_not_announced(plan: Run) -> None:
    assert {each["name"] for each in plan.json["plan"]} - set(plan.planned) == set(NO_CHANGES)


def test_no_operation_waits_for_another_to_know_whether_it_changes(plan: Run) -> None:
    assert [each["name"] for each in plan.json["plan"] if each["hosts_with_conditional_change"]] == []


def test_every_operation_has_a_name_and_shows_no_arguments(plan: Run) -> None:
    assert [each["name"] for each in plan.json["plan"] if each["args"]] == []


# --- Questions ----------------------------------------------------------------------------------


def facts_asked(run: Run) -> list[str]:
    """Each remote command that asked something, as -v shows it."""
    return [line.partition("Loaded fact ")[2] for line in run.text.splitlines() if "Loaded fact " in line]


def is_one_batch(run: Run) -> bool:
    return [fact.split()[0] for fact in facts_asked(run)] == ["mstdn.asking.Batch"]


def test_a_whole_deployment_asks_everything_in_one_remote_command(plan: Run) -> None:
    assert is_one_batch(plan), facts_asked(plan)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"mastodon_image_source": "source"}, id="built images"),
        pytest.param(
            {
                "mastodon_root": "/data/mastodon",
                "proxy_root": "/data/proxy",
                "swap_path": "/data/swap",
                "alternate_domains": ["alice.example.org"],
                "nginx_image": "nginx:1.999-alpine",
                "preflight_dns": "skip",
            },
            id="everything elsewhere",
        ),
    ],
)
def test_no_setting_needs_a_question_that_nobody_foresaw(tmp_path: Path, settings: dict[str, Any]) -> None:
    """A question that is missing in mstdn/questions.py costs one more remote command."""
    run = pyinfra(write_inventory(tmp_path, {"@fake/bare": settings}), "deploy.py", "--dry", "-v")
    assert run.returncode == 0, run.text
    assert is_one_batch(run), facts_asked(run)


def test_where_docker_does_not_run_a_plan_says_what_it_cannot_know(tmp_path: Path) -> None:
    silent = ("docker/containers", "images/state", "networks/state")
    settings = {"answers": dict.fromkeys(silent, "unknown Docker does not run\n")}
    run = pyinfra(write_inventory(tmp_path, {"@fake/stopped": settings}), "deploy.py", "--dry", "--json", "-v")
    assert run.returncode == 0, run.text
    assert "Not known yet, because Docker does not run" in run.text
    assert is_one_batch(run), facts_asked(run)
    needs_docker = {name for name in CHANGES if name.startswith(("tasks/networks", "tasks/images", "tasks/assets"))}
    needs_docker |= {"tasks/proxy.py | Start the proxy", "tasks/app.py | Start Mastodon"}
    assert set(run.planned) == set(CHANGES) - needs_docker


# --- Plans in other ways ------------------------------------------------------------------------


def test_a_plan_in_words_names_the_same_changes(tmp_path: Path, plan: Run) -> None:
    words = pyinfra(write_inventory(tmp_path), "deploy.py", "--dry")
    assert words.returncode == 0, words.text
    assert [name for name in CHANGES if name not in words.text] == []


def test_a_deploy_needs_no_package_and_no_key_of_provisioning(tmp_path: Path, plan: Run) -> None:
    missing = tmp_path / "missing"
    for module in ("boto3.py", "botocore.py", "dns.py", "google/__init__.py"):
        (missing / module).parent.mkdir(parents=True, exist_ok=True)
        (missing / module).write_text('raise SystemExit("a deploy imports what only provisioning may")\n')
    environment = {"PYTHONPATH": str(missing), **dict.fromkeys(PROVIDER_KEYS, "")}
    without = pyinfra(write_inventory(tmp_path), "deploy.py", "--dry", "--json", environment=environment)
    assert without.planned == plan.planned


def test_each_task_alone_is_planned_on_a_bare_server(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        plans = dict(
            zip(
                TASKS, pool.map(lambda task: pyinfra(inventory, f"tasks/{task}", "--dry", "--json"), TASKS), strict=True
            )
        )
    refused = {task: plan for task, plan in plans.items() if plan.returncode != 0}
    # A file run by itself is not named in front of its operations.
    alone = {f"tasks/{task} | {name}" for task, plan in plans.items() if task not in refused for name in plan.planned}
    assert alone == {each for each in CHANGES if each.removeprefix("tasks/").partition(" ")[0] not in refused}
    # What they call, or start, comes earlier in deploy.py.
    for task, plan in refused.items():
        why = (
            "starts by its files" if task in ("app.py", "proxy.py") else "There is no Docker Engine on this server yet"
        )
        assert why in plan.text and "pyinfra inventory.py deploy.py" in plan.text, (task, plan.text)
        assert "Nothing was changed" in plan.text and "Traceback" not in plan.text
    assert {*refused} == {
        *("networks.py", "checkout.py", "images.py", "secrets.py", "database.py", "assets.py", "proxy.py", "app.py"),
        *("retention.py",),
    }


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_needs_backups_says_so_where_they_are_off(tmp_path: Path, verb: str) -> None:
    run = pyinfra(write_inventory(tmp_path), f"tasks/{verb}", "--yes")
    assert run.returncode == 1
    assert "Backups are off" in run.text and "backup_repository" in run.text
    assert "Traceback" not in run.text


def test_where_backups_are_off_a_run_says_so_in_one_line(plan: Run) -> None:
    assert len([line for line in plan.text.splitlines() if "Backups are off" in line]) == 1


MONITORING_CHANGES = (
    "tasks/monitoring.py | Create the network mstdn-monitoring",
    "tasks/monitoring.py | Write the configuration of monitoring",
    "tasks/monitoring.py | Show PostgreSQL's statistics to monitoring",
    "tasks/monitoring.py | Start monitoring",
)


def test_monitoring_is_planned_after_mastodon_and_asked_in_the_same_command(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path, {"@fake/bare": {"monitoring_enabled": True}})
    run = pyinfra(inventory, "deploy.py", "--dry", "--json", "-v")
    assert run.returncode == 0, run.text
    assert tuple(run.planned) == (*CHANGES[:-1], *MONITORING_CHANGES, CHANGES[-1])
    assert is_one_batch(run), facts_asked(run)


BACKUPS = {"backup_repository": "/srv/backups"}
BACKUP_CHANGES = (
    "tasks/timers.py | Install what backups need",
    "tasks/timers.py | Install the secrets of backups",
    "tasks/timers.py | Install the programs that run by themselves",
    "tasks/first_backup.py | Make the first backup",
)


def test_backups_are_planned_after_all_else_and_asked_in_the_same_command(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path, {"@fake/bare": BACKUPS})
    secrets = {"BACKUP_PASSPHRASE": "canary of the passphrase"}
    run = pyinfra(inventory, "deploy.py", "--dry", "--diff", "--json", "-v", environment=secrets)
    assert run.returncode == 0, run.text
    assert tuple(run.planned) == CHANGES[:-1] + BACKUP_CHANGES
    assert is_one_batch(run), facts_asked(run)
    assert "canary" not in run.text and "Backups are off" not in run.text


def test_two_servers_with_settings_of_their_own_are_planned_together(tmp_path: Path) -> None:
    hosts: dict[str, dict[str, Any]] = {
        "@fake/one": {"local_domain": "one.example.org"},
        "@fake/two": {"local_domain": "two.example.org", "swap_size_mib": 0, "preflight_memory_and_swap_mib": 1024},
    }
    plan = pyinfra(write_inventory(tmp_path, hosts), "deploy.py", "--dry", "--json", "--diff")
    assert plan.returncode == 0, plan.text
    expected = {name: ["@fake/one", "@fake/two"] for name in CHANGES} | {CHANGES[0]: ["@fake/one"]}
    assert {name: sorted(hosts) for name, hosts in plan.planned.items()} == expected
    for name in ("one", "two"):
        assert f"+ LOCAL_DOMAIN={name}.example.org\n" in plan.stderr


def test_a_server_that_is_not_ready_keeps_every_server_unchanged(tmp_path: Path) -> None:
    hosts: dict[str, dict[str, Any]] = {
        "@fake/ready": {"local_domain": "one.example.org"},
        "@fake/small": {"local_domain": "two.example.org", "preflight_memory_and_swap_mib": 65536},
    }
    run = pyinfra(write_inventory(tmp_path, hosts), "deploy.py", "--json", "--yes")
    assert run.returncode == 1
    assert "@fake/small is not ready" in run.text
    assert "Traceback" not in run.text
    assert "Provide swap space" not in run.text


@pytest.mark.parametrize("work", ["inactive", "activating"])
def test_a_run_that_joins_an_upgrade_needs_no_room_for_another_dump(tmp_path: Path, work: str) -> None:
    earlier = f"{MASTODON.rpartition('.')[0]}.1"
    at = f"installed MASTODON_VERSION={earlier}\ninstalled LOCAL_DOMAIN={REQUIRED['local_domain']}\n"
    report = BARE_SERVER.format(domain=REQUIRED["local_domain"], clock=int(time.time())) + at
    answers = {
        "preflight/report": report,
        "database/state": f"{at}installed DATABASE=17\ninstalled WORK={work}\n",
        "database/dumps": "database 90000000\n",
    }
    run = pyinfra(write_inventory(tmp_path, {"@fake/here": {"answers": answers}}), "tasks/preflight.py", "--json")
    if work == "activating":
        assert list(run.planned) == ["Wait for what an earlier run has begun"], run.text
        assert "this one waits for its end, and then looks anew" in run.stderr
    else:
        assert run.returncode == 1 and "MiB free, and the upgrade needs" in run.text


def test_source_builds_are_planned_when_they_are_chosen(tmp_path: Path) -> None:
    inventory = write_inventory(tmp_path, {"@fake/bare": {"mastodon_image_source": "source"}})
    plan = pyinfra(inventory, "tasks/docker.py", "tasks/images.py", "--dry", "--json")
    assert "Build Mastodon's images from the checkout" in plan.planned


@pytest.mark.parametrize("option", ["--dry", "--yes"])
def test_unset_settings_are_named_before_anything_is_contacted(option: str) -> None:
    run = pyinfra(ROOT / "inventory.py", "deploy.py", option)
    assert run.returncode == 1
    for name in ("local_domain", "smtp_server", "smtp_from_address", "inventory.py"):
        assert name in run.text
    assert "Traceback" not in run.text
    assert "Connected" not in run.text and "could not connect" not in run.text.lower()


def test_bad_settings_of_every_server_come_at_once(tmp_path: Path) -> None:
    hosts = {"@fake/one": {"mastodon_version": "latest"}, "@fake/two": {"local_domain": "https://two.example.org"}}
    run = pyinfra(write_inventory(tmp_path, hosts), "deploy.py", "--yes")
    assert run.returncode == 1
    assert "mastodon_version" in run.text and "local_domain" in run.text
    assert "Connected" not in run.text


# --- Secrets ------------------------------------------------------------------------------------

CANARIES = {
    "SMTP_PASSWORD": "canary-of-the-mail-server",
    "AWS_ACCESS_KEY_ID": "canary-of-the-store",
    "AWS_SECRET_ACCESS_KEY": 'canary-$HOME-"quoted"',
    "BACKUP_PASSPHRASE": "canary of all backups",
    "ALERTS_WEBHOOK_URL": "https://ntfy.example/canary",
}
WRITES_SECRETS = "Make the instance's secrets"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--dry", "--diff"], id="a plan with differences"),
        pytest.param(["--dry", "--diff", "-vvv", "--debug"], id="a plan with everything"),
        pytest.param(["--yes", "--diff", "-vvv", "--debug"], id="a run with everything"),
        pytest.param(["--dry", "--debug-operations"], id="operations for debugging"),
        pytest.param(["--json"], id="a plan as JSON"),
        pytest.param(["--json", "--yes"], id="a run as JSON"),
    ],
)
def test_the_operators_secrets_are_shown_nowhere(tmp_path: Path, arguments: list[str]) -> None:
    # A name that does not resolve: a run on a host that does not exist must not visit anybody's site.
    settings = {"local_domain": "social.invalid", "smtp_login": "mastodon", "s3_enabled": True, "s3_bucket": "media"}
    settings |= BACKUPS
    run = pyinfra(write_inventory(tmp_path, {"@fake/bare": settings}), "deploy.py", *arguments, environment=CANARIES)
    if "--json" not in arguments or "--yes" not in arguments:
        assert WRITES_SECRETS in run.text, run.text
    assert "canary" not in run.text
