"""The scripts on Docker Engine, with stand-ins for what they call."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.harness import calls_in, run_script, stand_in


def daemon(directory: Path, *, containers: str, live_restore: str) -> subprocess.CompletedProcess[str]:
    stand_in(directory, "dockerd", "")
    stand_in(directory, "systemctl", "")
    path = stand_in(directory, "docker", f'case $1 in ps) echo "{containers}" ;; info) echo {live_restore} ;; esac\n')
    return run_script("docker/restart_daemon", path=path)


def test_docker_is_not_restarted_under_containers_that_would_stop(tmp_path: Path) -> None:
    answer = daemon(tmp_path, containers="0123456789ab", live_restore="false")
    assert answer.returncode != 0
    assert "systemctl restart docker" in answer.stderr
    assert "systemctl restart" not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize(("containers", "live_restore"), [("", "false"), ("0123456789ab", "true")])
def test_docker_is_restarted_where_no_container_stops(tmp_path: Path, containers: str, live_restore: str) -> None:
    answer = daemon(tmp_path, containers=containers, live_restore=live_restore)
    assert answer.returncode == 0, answer.stderr
    assert "systemctl restart docker.service" in (tmp_path / "calls").read_text()
