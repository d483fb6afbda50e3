"""The scripts of monitoring, with a stand-in for docker. What PostgreSQL does is seen in the lab."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from mstdn.monitoring.facts import MonitoringRole, Role
from tests.harness import answer_of, calls_in, listing, run_script, stand_in

PASSWORD = "0f" * 32
OTHERS = "SECRET_KEY_BASE=abc\nDB_PASS=def\n"


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    """An instance with monitoring, and a docker that keeps what it is told."""
    root = tmp_path / "root"
    (root / "secrets").mkdir(parents=True)
    (root / "monitoring/state").mkdir(parents=True)
    (root / "monitoring/compose.yaml").touch()
    (root / "secrets/monitoring-password").write_text(f"{PASSWORD}\n")
    (root / "secrets/instance.env").write_text(f"{OTHERS}MONITORING_PASSWORD={PASSWORD}\n# complete\n")
    (root / "secrets/instance.env").chmod(0o600)
    return root


def run(root: Path, name: str, docker: str = "") -> subprocess.CompletedProcess[str]:
    directory = root.parent
    return run_script(name, root, path=stand_in(directory, "docker", docker or f'cat >"{directory}/told"'))


def test_the_role_gets_its_password_on_standard_input_and_may_only_look(root: Path) -> None:
    answer = run_script("monitoring/let_in", root, path=stand_in(root.parent, "docker", f'cat >"{root.parent}/told"'))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    told = (root.parent / "told").read_text()
    assert f"PASSWORD '{PASSWORD}'" in told and "GRANT pg_monitor TO mstdn_monitoring;" in told
    assert "NOSUPERUSER" in told and "default_transaction_read_only = on" in told and "\\gexec" in told
    (call,) = calls_in(root.parent)
    assert call.startswith("docker compose exec -T db ") and PASSWORD not in call


def test_without_a_password_no_role_is_made(root: Path) -> None:
    (root / "secrets/monitoring-password").unlink()
    assert run(root, "monitoring/let_in").returncode != 0
    assert calls_in(root.parent) == []


def test_role_directory_and_password_go_and_no_other_secret_does(root: Path) -> None:
    answer = run_script("monitoring/remove", root, path=stand_in(root.parent, "docker", f'cat >"{root.parent}/told"'))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert "DROP ROLE IF EXISTS mstdn_monitoring;" in (root.parent / "told").read_text()
    file = root / "secrets/instance.env"
    assert file.read_text() == f"{OTHERS}# complete\n" and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in root.rglob("*")) == ["instance.env", "secrets"]
    assert run(root, "monitoring/remove").returncode == 0
    assert file.read_text() == f"{OTHERS}# complete\n"


def test_while_the_database_does_not_answer_the_password_stays(root: Path) -> None:
    answer = run(root, "monitoring/remove", "echo 'no such service' >&2; exit 1")
    assert answer.returncode != 0 and "no such service" in answer.stderr
    assert "MONITORING_PASSWORD" in (root / "secrets/instance.env").read_text()
    assert (root / "secrets/monitoring-password").exists()


def role(root: Path, said: str) -> Role:
    text = f'case "$1" in ps) {listing(a="mstdn/db")} ;; exec) head -n 1 >"{root.parent}/first"; {said} ;; esac'
    question = MonitoringRole.of("mstdn", str(root / "secrets"))
    active = stand_in(root.parent, "systemctl", "echo loaded; echo active")
    assert active == stand_in(root.parent, "docker", text)
    return answer_of(question, path=active)


def test_who_looks_logs_in_as_the_exporter_does(root: Path) -> None:
    assert role(root, "printf 'role\\nmember pg_monitor\\nright tables\\n'") == Role(
        True, "", ("pg_monitor",), ("tables",)
    )
    assert (root.parent / "first").read_text() == f"{PASSWORD}\n"
    assert [call for call in calls_in(root.parent) if PASSWORD in call] == []


def test_why_the_exporter_is_not_let_in_is_told_in_postgresqls_words(root: Path) -> None:
    words = 'connection to server at "127.0.0.1", port 5432 failed: FATAL:  password authentication failed'
    assert role(root, f"echo 'psql: error: {words}' >&2; exit 2") == Role(refused="password authentication failed")


def test_before_there_is_a_password_nobody_is_asked(root: Path) -> None:
    (root / "secrets/monitoring-password").unlink()
    assert role(root, "echo role") == Role()
    assert calls_in(root.parent) == [call for call in calls_in(root.parent) if " exec " not in call]
