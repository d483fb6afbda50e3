"""group_data/all.py, docs/settings.md and secrets.example.env are made from the settings, and say what they say."""

from __future__ import annotations

import ast
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.cloud.settings import SharedSettings
from mstdn.connection import PLACEHOLDER_HOST
from mstdn.secrets import operator as secrets
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.settings import Settings
from mstdn.settings.__main__ import MADE_FILES
from mstdn.settings.group_data import required
from mstdn.settings.model import FIELDS, PARTS
from mstdn.settings.page import page
from mstdn.settings.provision import ProvisionSettings
from tests.harness import REQUIRED

ROOT = Path(__file__).resolve().parents[2]
GROUP_DATA = ROOT / "group_data" / "all.py"


def group_data() -> dict[str, object]:
    """The literals of group_data/all.py, in its order; anything but a literal fails, and __all__ in the end."""
    tree = ast.parse(GROUP_DATA.read_text())
    *assignments, _ = [node for node in tree.body if not isinstance(node, ast.Expr)]
    return {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in map(as_assignment, assignments)}


def as_assignment(node: ast.stmt) -> ast.Assign:
    assert isinstance(node, ast.Assign), ast.unparse(node)
    return node


def test_group_data_has_every_setting_in_the_order_of_the_model_and_nothing_else() -> None:
    assert [name for name in group_data() if name != "_sudo"] == list(FIELDS)


# In a process of its own, because the command line of pyinfra replaces Python's threads and sockets.
AS_PYINFRA_READS_IT = """
import json, runpy, sys
from pyinfra_cli import inventory
inventory._get_imported_names = None
inventory.exec_file = lambda file, return_locals: runpy.run_path(file)
print(json.dumps(list(inventory._get_group_data(sys.argv[1])["all"])))
"""


def test_pyinfra_takes_every_setting_and_does_not_look_through_all_of_them_again_for_each() -> None:
    read = subprocess.run([sys.executable, "-c", AS_PYINFRA_READS_IT, GROUP_DATA], capture_output=True, check=True)
    assert json.loads(read.stdout) == ["_sudo", *FIELDS]


def test_group_data_has_the_defaults_of_the_model() -> None:
    shipped = {name: value for name, value in group_data().items() if name in Settings.model_fields}
    assert Settings.model_validate(shipped | REQUIRED) == Settings.model_validate(REQUIRED)
    shipped = {name: value for name, value in group_data().items() if name in ProvisionSettings.model_fields}
    assert ProvisionSettings.model_validate(shipped) == ProvisionSettings.model_validate({})


def test_what_must_be_set_is_empty_as_shipped() -> None:
    assert set(required()) == set(REQUIRED)
    assert {name: group_data()[name] for name in required()} == dict.fromkeys(required(), "")


def test_group_data_and_page_have_a_section_for_each_component() -> None:
    titles = [part.title for part in PARTS]
    headings = re.findall(r"^# --- (.*?) -+$", GROUP_DATA.read_text(), flags=re.MULTILINE)
    assert headings == ["How pyinfra gets in", *titles, "All of these"]
    assert [title for title in re.findall(r"^## (.*)$", page(), flags=re.MULTILINE) if title in titles] == titles


def test_every_component_that_has_settings_is_among_the_parts() -> None:
    folders = {file.parent.name for file in (ROOT / "mstdn").glob("*/settings.py")}
    assert folders == {part.__module__.split(".")[1] for part in (*PARTS, SharedSettings)}
    assert {*Settings.model_fields, *ProvisionSettings.model_fields} == set(FIELDS)


def test_deploy_and_provision_share_only_what_is_said_to_be_shared() -> None:
    both = set(Settings.model_fields) & set(ProvisionSettings.model_fields)
    assert both == set(SharedSettings.model_fields)


def test_the_page_names_every_setting_and_its_meaning() -> None:
    text = page()
    for name, field in FIELDS.items():
        assert field.description
        assert re.search(rf"^\| `{name}` \| .* \| .* \| {re.escape(field.description)} \|$", text, flags=re.MULTILINE)


@pytest.mark.parametrize("path", MADE_FILES)
def test_what_is_made_from_the_settings_is_fresh(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == MADE_FILES[path](), "run: make docs"


def test_every_secret_is_in_the_example_and_empty(tmp_path: Path) -> None:
    example = (ROOT / "secrets.example.env").read_text()
    assert re.findall(r"^(\w+)=(.*)$", example, flags=re.MULTILINE) == [
        (name, "''") for name in (*OPERATOR_SECRETS, *PROVIDER_KEYS)
    ]
    copy = tmp_path / "secrets.env"
    copy.write_text(example)
    copy.chmod(0o600)
    assert secrets.operator_secrets(copy, {}) == ({}, [])
    assert secrets.provider_keys(copy, {}) == ({}, [])


@pytest.mark.parametrize(
    "file",
    ["secrets.env", "group_data/mastodon.py", "instances/a/inventory.py", "instances/a/secrets.env"],
)
def test_what_is_the_operators_is_not_for_git(file: str) -> None:
    assert subprocess.run(["git", "-C", ROOT, "check-ignore", "--quiet", file], check=False).returncode == 0


def test_the_example_of_ones_own_values_has_what_must_be_set_and_nothing_else() -> None:
    values = runpy.run_path(str(ROOT / "group_data" / "mastodon.example.py"))
    assert {name: value for name, value in values.items() if not name.startswith("__")} == dict.fromkeys(required(), "")


def test_the_shipped_inventory_has_the_placeholder_as_its_only_host() -> None:
    groups = runpy.run_path(str(ROOT / "inventory.py"))
    assert [name for name, _ in groups["mastodon"]] == [PLACEHOLDER_HOST]


def test_the_comment_above_each_setting_is_its_meaning() -> None:
    blocks = re.findall(r"((?:^# .*\n)+)^([a-z]\w*) = ", GROUP_DATA.read_text(), flags=re.MULTILINE)
    comments = {name: " ".join(block.replace("# ", "", 1).replace("\n# ", " ").split()) for block, name in blocks}
    assert comments == {name: field.description for name, field in FIELDS.items()}
