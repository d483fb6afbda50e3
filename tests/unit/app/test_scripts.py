"""The script that makes the inner nginx read its configuration, with a stand-in for docker."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.harness import calls_in, run_script, stand_in


def reload(directory: Path, *, accepts: bool) -> subprocess.CompletedProcess[str]:
    docker = "" if accepts else 'case "$*" in *"nginx -t"*) echo "[emerg] unknown directive" >&2; exit 1 ;; esac'
    return run_script("app/reload", directory, path=stand_in(directory, "docker", docker))


def test_a_configuration_is_tested_and_then_read(tmp_path: Path) -> None:
    answer = reload(tmp_path, accepts=True)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert calls_in(tmp_path) == [
        "docker compose exec -T nginx nginx -t -q -c /etc/nginx/mstdn/nginx.conf",
        "docker compose kill --signal HUP nginx",
    ]


def test_a_configuration_that_nginx_refuses_is_not_read(tmp_path: Path) -> None:
    answer = reload(tmp_path, accepts=False)
    assert answer.returncode != 0 and "[emerg] unknown directive" in answer.stderr
    assert len(calls_in(tmp_path)) == 1
