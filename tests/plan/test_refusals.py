"""
With --yes pyinfra plans nothing and runs at once. Still whatever an operation refuses, it refuses before the first
change of the whole run, and says so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mstdn import versions
from tests.harness import ROOT
from tests.plan.cli import Run, pyinfra, write_inventory

INSTALLED = f"installed LOCAL_DOMAIN=social.example.org\ninstalled MASTODON_VERSION={versions.MASTODON}\n"
NETWORK = '{"name":"front","id":"1","driver":"bridge","internal":true,"ipv6":false}'
CONTAINER = (
    'container {"id":"1","name":"/shop","image":"i","reference":"i","project":null,"service":null,"directory":null,'
    '"once":null,"hash":null,"status":"running","health":"none","user":"","command":null,"entrypoint":null,'
    '"networks":{"front":"1"},"aliases":{},"asks":[null],"published":{},"bindings":null,"binds":null,"mounts":null,"tmpfs":null,'
    '"restart":{},"network_mode":"front","limits":[],"rights":[]}\n'
)

# By operation: what the server answers to some scripts, and part of what is said.
REFUSALS: dict[str, tuple[dict[str, str], str]] = {
    "files/operations.py converge_tree": ({"files/state": "state a1ff 0:0 /etc/docker/daemon.json\n"}, "look at it"),
    "checkout/operations.py git_checkout": (
        {"checkout/state": "head 1\nwanted 2\ntagged 1\nmodified M app/models/user.rb\n"},
        "has modifications that moving",
    ),
    "networks/operations.py docker_networks": (
        {"networks/state": f"network {NETWORK}\n", "docker/containers": CONTAINER},
        "containers use it: shop",
    ),
    "images/operations.py pulled_images": (
        {
            "images/recorded": f"recorded {versions.POSTGRES_IMAGE} sha256:1\n",
            "images/state": f"id {versions.POSTGRES_IMAGE} sha256:3\ndigest {versions.POSTGRES_IMAGE} "
            "postgres@sha256:2\n",
        },
        "is not the image that was recorded",
    ),
    "secrets/operations.py secrets": ({"secrets/state": "database\n"}, "instance.env lacks"),
    "database/operations.py readable_stores": (
        {
            "database/state": "installed DATABASE=17\n",
            "images/state": f"id {versions.POSTGRES_IMAGE} sha256:1\nversion {versions.POSTGRES_IMAGE} PG_MAJOR=18\n",
        },
        "is 18, which cannot read its files",
    ),
    "database/operations.py prepared_database": ({"database/state": INSTALLED}, "holds no database"),
    "database/operations.py password_in_force": (
        {"database/state": f"{INSTALLED}installed DATABASE=17\n", "database/logins": "missing database\n"},
        "has no database mastodon_production",
    ),
    "firewall/operations.py closed_server": (
        {"firewall/setup": "nft\n"},
        "Nothing on this server seems to listen for SSH",
    ),
    "compose/operations.py converge_project": (
        {"compose/applied": "override 1\nbroken /srv/mastodon/compose.override.yaml yaml: line 3: mapping values\n"},
        "Compose cannot read /srv/mastodon/compose.override.yaml",
    ),
}
# The daemon's file, and what is in the place of the swap file, are judged in preflight already, in the same words.
# Verify judges what a run has done, at its end.
ELSEWHERE = {
    "docker/operations.py daemon",
    "swap/operations.py swap_file",
    "verify/operations.py verified_site",
    # What a unit should have done: tests/unit/database/test_operations.py.
    "database/operations.py finished_migrations",
    # What a run has just tried, and has taken back.
    "firewall/operations.py _tried_out",
    # What a file of tasks/ by itself lacks: test_plan.py.
    "compose/operations.py running_project",
    # Verbs: see test_plan.py.
    "backup/operations.py backup_now",
    "drill/operations.py drill_now",
    "restore/operations.py begun_restore",
    # A verb, which is run by itself: tests/unit/database/test_operations.py.
    "database/operations.py rolled_back_database",
    # So do these of provision.py; what its other operations refuse is in test_provision.py.
    "dns/operations.py proven_records",
    "server/operations.py server_that_lets_in",
    "server/operations.py next_steps",
    # Verbs are not in deploy.py: test_verbs.py.
    "adopt/operations.py looked_at_the_old_instance",
    "adopt/operations.py begun_adoption",
    "alerts/operations.py tried_alerts",
    "chores/operations.py chores_now",
    "mail/operations.py tried_mail",
    "owner/operations.py owner",
    "postgres/operations.py postgres_may_move",
    "postgres/operations.py moved_database",
    "postgres/operations.py old_data_directory",
    "uninstall/operations.py consented_uninstall",
    "uninstall/operations.py last_backup",
}


def operations_that_refuse() -> Iterator[str]:
    """Every function of an operations.py that calls refuse(), by "file function"."""
    for path in sorted((ROOT / "mstdn").glob("*/operations.py")):
        for function in ast.parse(path.read_text()).body:
            calls = (each.func for each in ast.walk(function) if isinstance(each, ast.Call))
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(call, ast.Name) and call.id == "refuse" for call in calls
            ):
                yield f"{path.parent.name}/{path.name} {function.name}"


def test_every_operation_that_can_refuse_is_tried() -> None:
    assert set(operations_that_refuse()) == REFUSALS.keys() | ELSEWHERE


@pytest.fixture(name="runs", scope="module")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """deploy.py --yes on a bare server with each of these answers; two at a time."""

    def run(name: str) -> Run:
        directory: Path = tmp_path_factory.mktemp("refusal")
        inventory = write_inventory(directory, {"@fake/bare": {"answers": REFUSALS[name][0]}})
        return pyinfra(inventory, "deploy.py", "--yes")

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(REFUSALS, pool.map(run, REFUSALS), strict=True))


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_comes_before_the_first_change(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    assert run.returncode == 1, run.text
    assert REFUSALS[name][1] in run.text and "Nothing was changed." in run.text
    assert "Traceback" not in run.text
    # No operation began: what pyinfra prints when one does.
    assert "Starting operation" not in run.text and "] Success" not in run.text
