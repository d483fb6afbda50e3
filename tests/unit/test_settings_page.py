"""group_data/all.py, docs/settings.md and secrets.example.env say what the settings say."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path

import pytest

from mstdn.cloud import settings as provision
from mstdn.cloud.keys import PROVIDER_KEYS
from mstdn.connection import PLACEHOLDER_HOST
from mstdn.secrets import operator as secrets
from mstdn.settings import Settings
from mstdn.settings.model import SECTIONS
from mstdn.settings.page import page
from tests.harness import REQUIRED

ROOT = Path(__file__).resolve().parents[2]
GROUP_DATA = ROOT / "group_data" / "all.py"
FIELDS = Settings.model_fields | provision.own_fields()
ALL_SECTIONS = SECTIONS | provision.SECTIONS


def group_data() -> dict[str, object]:
    """The literals of group_data/all.py, in its order; anything but a literal fails."""
    tree = ast.parse(GROUP_DATA.read_text())
    assignments = [node for node in tree.body if not isinstance(node, ast.Expr)]
    return {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in map(as_assignment, assignments)}


def as_assignment(node: ast.stmt) -> ast.Assign:
    assert isinstance(node, ast.Assign), ast.unparse(node)
    return node


def test_group_data_has_every_setting_in_the_order_of_the_model_and_nothing_else() -> None:
    assert [name for name in group_data() if name != "_sudo"] == list(FIELDS)


def test_group_data_has_the_defaults_of_the_model() -> None:
    shipped = {name: value for name, value in group_data().items() if name in Settings.model_fields}
    assert Settings.model_validate(shipped | REQUIRED) == Settings.model_validate(REQUIRED)
    known = provision.ProvisionSettings.model_fields
    shipped = {name: value for name, value in group_data().items() if name in known}
    assert provision.ProvisionSettings.model_validate(shipped) == provision.ProvisionSettings.model_validate({})


def test_what_must_be_set_is_empty_as_shipped() -> None:
    required = {name for name, field in Settings.model_fields.items() if field.is_required()}
    assert required == set(REQUIRED)
    assert {name: group_data()[name] for name in required} == dict.fromkeys(required, "")


def test_group_data_and_page_have_the_same_sections() -> None:
    headings = re.findall(r"^# --- (.*?) -+$", GROUP_DATA.read_text(), flags=re.MULTILINE)
    assert [heading for heading in headings if heading != "How pyinfra gets in"] == list(ALL_SECTIONS.values())


def test_every_section_of_group_data_begins_where_that_of_the_page_does() -> None:
    text = GROUP_DATA.read_text()
    for first, heading in ALL_SECTIONS.items():
        after = text.split(f"# --- {heading} -", 1)[1]
        names = re.findall(r"^([a-z]\w*) = ", after, flags=re.MULTILINE)
        assert names[0] == first


def test_the_page_names_every_setting_and_its_meaning() -> None:
    text = page()
    for name, field in FIELDS.items():
        assert field.description
        assert re.search(rf"^\| `{name}` \| .* \| .* \| {re.escape(field.description)} \|$", text, flags=re.MULTILINE)


def test_the_page_in_docs_is_fresh() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == page(), "run: make docs"


def test_the_page_is_what_the_module_prints(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("mstdn.settings", run_name="__main__")
    assert capsys.readouterr().out == page()


def test_every_secret_is_in_the_example_and_empty(tmp_path: Path) -> None:
    example = (ROOT / "secrets.example.env").read_text()
    assert re.findall(r"^(\w+)=(.*)$", example, flags=re.MULTILINE) == [
        (name, "''") for name in (*secrets.OPERATOR_SECRETS, *PROVIDER_KEYS)
    ]
    copy = tmp_path / "secrets.env"
    copy.write_text(example)
    copy.chmod(0o600)
    assert secrets.operator_secrets(copy, {}) == ({}, [])
    assert secrets.provider_keys(copy, {}) == ({}, [])


def test_the_secrets_file_is_not_for_git() -> None:
    assert f"/{secrets.SECRETS_FILE.name}" in (ROOT / ".gitignore").read_text().splitlines()
    assert (secrets.SECRETS_FILE.parent / "deploy.py").is_file()


def test_the_shipped_inventory_has_the_placeholder_as_its_only_host() -> None:
    groups = runpy.run_path(str(ROOT / "inventory.py"))
    assert [name for name, _ in groups["mastodon"]] == [PLACEHOLDER_HOST]


def test_the_comment_above_each_setting_is_its_meaning() -> None:
    blocks = re.findall(r"((?:^# .*\n)+)^([a-z]\w*) = ", GROUP_DATA.read_text(), flags=re.MULTILINE)
    comments = {name: " ".join(block.replace("# ", "", 1).replace("\n# ", " ").split()) for block, name in blocks}
    assert comments == {name: field.description for name, field in FIELDS.items()}
