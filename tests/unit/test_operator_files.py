"""
Where the operator's own files are looked for, and that an update leaves them alone.

pyinfra's command line is run for real, in a suite of its own under a temporary directory, as an operator has it.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from mstdn import operator_files
from mstdn.operator_files import inventory_directory, operator_path, remember_inventory, values_file
from mstdn.secrets.table import OPERATOR_SECRETS
from mstdn.settings import examine
from tests.harness import REQUIRED, ROOT
from tests.plan.cli import pyinfra

VALUES = "".join(f"{name} = {value!r}\n" for name, value in REQUIRED.items())
# Says what the host was given. It runs where tasks run: in a greenlet of the host, after everything was checked.
TASK = """\
from pyinfra import host, logger
from mstdn.secrets.operator import secrets_for
from mstdn.settings import settings_for
settings = settings_for(host)
password = secrets_for(settings).get("SMTP_PASSWORD")
logger.info(f"{host.name}: {settings.local_domain} {password and password.get_secret_value()}")
"""


@dataclass(frozen=True)
class Clone:
    """A suite as an operator has it."""

    directory: Path

    def write(self, path: str, text: str, mode: int = 0o600) -> None:
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def append(self, path: str, text: str) -> None:
        self.write(path, (self.directory / path).read_text() + text)

    def run(self, *arguments: str, code: int = 0) -> str:
        """What pyinfra says of a task of these hosts."""
        run = pyinfra(*arguments, "task.py", "-y", directory=self.directory, without=OPERATOR_SECRETS)
        assert run.returncode == code, run.text
        assert "Traceback" not in run.text
        return run.text


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    suite = tmp_path / "suite"
    for directory in ("mstdn", "group_data"):
        ignored = shutil.ignore_patterns("__pycache__", "mastodon.py")
        shutil.copytree(ROOT / directory, suite / directory, ignore=ignored)
    for file in ("config.py", "inventory.py"):
        shutil.copy(ROOT / file, suite)
    (suite / "task.py").write_text(TASK)
    found = Clone(suite)
    found.write("inventory.py", 'mastodon = ["@fake/server"]\n')
    return found


LOGIN = VALUES + 'smtp_login = "mastodon"\n'


def test_two_instances_have_their_own_values_and_secrets(clone: Clone) -> None:
    for name in ("alice", "bob"):
        clone.write(f"instances/{name}/inventory.py", f'mastodon = ["@fake/{name}"]\n')
        clone.write(f"instances/{name}/group_data/all.py", f'{LOGIN}local_domain = "{name}.example.org"\n')
        clone.write(f"instances/{name}/secrets.env", f"SMTP_PASSWORD='of {name}'\n")
    clone.write("secrets.env", "SMTP_PASSWORD='of nobody'\n")
    for name in ("alice", "bob"):
        assert f"@fake/{name}: {name}.example.org of {name}" in clone.run(f"instances/{name}/inventory.py")


def test_an_instance_without_secrets_does_not_get_those_of_another_server(clone: Clone) -> None:
    clone.write("instances/alice/inventory.py", 'mastodon = ["@fake/alice"]\n')
    clone.write("instances/alice/group_data/all.py", LOGIN)
    clone.write("secrets.env", "SMTP_PASSWORD='of nobody'\n")
    output = clone.run("instances/alice/inventory.py", code=1)
    assert "of nobody" not in output and "SMTP_PASSWORD" in output


def test_two_servers_of_one_inventory_have_their_own_secrets(clone: Clone) -> None:
    clone.write(
        "inventory.py",
        'mastodon = [("@fake/a", {"secrets_file": "a.env"}), ("@fake/b", {"secrets_file": "b.env"}), "@fake/c"]\n',
    )
    clone.write("group_data/mastodon.py", LOGIN)
    for name in ("a", "b", "secrets"):
        clone.write(f"{name}.env", f"SMTP_PASSWORD='in {name}.env'\n")
    output = clone.run("inventory.py")
    for name, file in (("a", "a.env"), ("b", "b.env"), ("c", "secrets.env")):
        assert f"@fake/{name}: social.example.org in {file}" in output


def test_hosts_without_an_inventory_file_have_their_files_beside_deploy_py(clone: Clone) -> None:
    clone.write("secrets.env", "SMTP_PASSWORD='beside deploy.py'\n")
    data = [argument for name, value in REQUIRED.items() for argument in ("--data", f"{name}={value}")]
    output = clone.run("@fake/a,@fake/b", *data, "--data", "smtp_login=mastodon")
    for name in ("a", "b"):
        assert f"@fake/{name}: social.example.org beside deploy.py" in output


def test_values_of_the_old_layout_are_not_lost_but_told_to_move(clone: Clone) -> None:
    old = 'local_domain = "old.example.org"\nmastodon_version = "v4.7.5"\n_sudo = False\n'
    secret = 'smtp_password = "sesame"\nmastodon_environment = {"DEEPL_PLAN": "sesame"}\nimport os\n'
    clone.append("group_data/all.py", old + secret)
    output = clone.run("inventory.py", code=1)
    assert "move these lines to group_data/mastodon.py, then: git checkout group_data/all.py" in output
    for line in (
        "local_domain = 'old.example.org'",
        "mastodon_version = 'v4.7.5'",
        "_sudo = False",
        "smtp_password = ...",
    ):
        assert f"             {line}\n" in output
    assert "smtp_port = 587" not in output
    assert "sesame" not in output


# --- The rule -----------------------------------------------------------------------------------


@pytest.fixture(name="suite")
def _suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite with an instance, whose inventory is that of this run."""
    (tmp_path / "instances" / "a").mkdir(parents=True)
    (tmp_path / "instances" / "a" / "inventory.py").touch()
    monkeypatch.setattr(operator_files, "SUITE_DIRECTORY", tmp_path)
    monkeypatch.setattr(operator_files, "_inventory_directory", None)
    for name in OPERATOR_SECRETS:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_file_is_looked_for_beside_the_inventory_first(suite: Path) -> None:
    directory = suite / "instances" / "a"
    remember_inventory(str(directory / "inventory.py"))
    assert inventory_directory() == directory
    assert operator_path("roots.pem") == directory / "roots.pem"
    (suite / "roots.pem").touch()
    assert operator_path("roots.pem") == suite / "roots.pem"
    (directory / "roots.pem").touch()
    assert operator_path("roots.pem") == directory / "roots.pem"
    assert operator_path("/etc/roots.pem") == Path("/etc/roots.pem")


@pytest.mark.parametrize("argument", ["host1,host2", "server.example.org", "@local", "package.module:hosts", "/"])
def test_without_an_inventory_file_it_is_the_directory_of_deploy_py(suite: Path, argument: str) -> None:
    remember_inventory(argument)
    assert inventory_directory() == suite
    assert values_file() == "group_data/mastodon.py"


def instance_with_inventory(suite: Path) -> Path:
    directory = suite / "instances" / "a"
    (directory / "group_data").mkdir()
    remember_inventory(str(directory / "inventory.py"))
    return directory


def test_what_must_be_set_is_asked_for_in_the_file_of_that_instance(suite: Path) -> None:
    directory = instance_with_inventory(suite)
    _, problems = examine({}, ["mastodon"])
    assert len(problems) == len(REQUIRED)
    assert all(problem.instead.endswith("in instances/a/group_data/all.py") for problem in problems)
    (directory / "group_data" / "mastodon.py").touch()
    assert values_file() == "instances/a/group_data/mastodon.py"


def test_values_of_one_server_do_not_reach_another_instance(suite: Path) -> None:
    (suite / "group_data").mkdir()
    (suite / "group_data" / "mastodon.py").write_text(VALUES)
    assert examine(REQUIRED, ["mastodon"])[1] == []
    instance_with_inventory(suite)
    _, (problem,) = examine(REQUIRED, ["mastodon", "inventory"])
    assert problem.subject == "group_data/mastodon.py"
    assert "pyinfra reads it for every inventory" in problem.wrong
    assert "instances/<name>/" in problem.instead
    # Another group's values reach nobody here.
    assert examine(REQUIRED, ["inventory"])[1] == []


def test_a_server_that_is_not_in_the_group_of_the_values_is_told_so(suite: Path) -> None:
    (suite / "group_data").mkdir()
    (suite / "group_data" / "mastodon.py").write_text(VALUES)
    _, problems = examine({}, [])
    assert "this server is not in the group mastodon" in problems[-1].wrong
    assert len(problems) == len(REQUIRED) + 1


def test_without_the_secrets_file_that_was_meant_no_other_one_is_judged(suite: Path) -> None:
    (suite / "secrets.env").write_text("NONSENSE\n")
    _, (problem,) = examine(REQUIRED | {"secrets_file": "nowhere.env", "smtp_login": "mastodon"})
    assert problem.subject == "secrets_file"
    assert f"this machine has no file {suite / 'nowhere.env'}" in problem.wrong


def test_the_suite_is_where_deploy_py_is() -> None:
    assert (operator_files.SUITE_DIRECTORY / "deploy.py").is_file()
