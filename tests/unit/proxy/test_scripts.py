"""The scripts on the proxy, with a stand-in for docker."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mstdn.docker.engine import CONTAINER
from mstdn.proxy.facts import CompanionLog
from tests.harness import answer_of, calls_in, run_script, stand_in

# --- The companion ------------------------------------------------------------------------------


def companion(directory: Path, *, processes: str = "sleep 3600", runs: bool = True) -> Path:
    """A docker whose companion runs these processes and has written something to both of its outputs."""
    stand_in(directory, "systemctl", "printf 'loaded\\nactive\\n'")
    there = "echo companion" if runs else ":"
    docker = f"""case "$1 $*" in
    ps\\ *acme-companion*) {there} ;;
    exec\\ *cmdline*) echo "{processes}" ;;
    logs\\ *) echo 'from standard output'; echo 'from standard error' >&2 ;;
    esac"""
    return stand_in(directory, "docker", docker)


@pytest.mark.parametrize(
    ("processes", "asks"), [("sleep 3600", True), ("/bin/sh /app/acme.sh --log /dev/null --issue", False)]
)
def test_the_companion_is_asked_to_try_again_unless_it_is_at_work(tmp_path: Path, processes: str, asks: bool) -> None:
    answer = run_script("proxy/ask_companion", before=CONTAINER, path=companion(tmp_path, processes=processes))
    assert answer.returncode == 0, answer.stderr
    assert ("docker exec companion /app/signal_le_service" in calls_in(tmp_path)) is asks


def test_without_a_companion_nobody_is_asked(tmp_path: Path) -> None:
    assert run_script("proxy/ask_companion", before=CONTAINER, path=companion(tmp_path, runs=False)).returncode == 0
    assert len(calls_in(tmp_path)) == 1


def test_the_companions_log_is_read_whole(tmp_path: Path) -> None:
    log = answer_of(CompanionLog.last_lines(), path=companion(tmp_path))
    assert sorted(log) == ["from standard error", "from standard output"]
    assert "docker exec" not in "".join(calls_in(tmp_path))


def test_without_a_companion_there_is_no_log(tmp_path: Path) -> None:
    assert answer_of(CompanionLog.last_lines(), path=companion(tmp_path, runs=False)) == []


# --- Docker's socket ----------------------------------------------------------------------------

MOUNTED = "900 800 0:25 /docker.sock{} /run/docker.sock ro,nosuid,nodev - tmpfs tmpfs rw,size=2463136k\n"


@pytest.mark.parametrize(
    ("runs", "mounted", "restarted"),
    [
        pytest.param(True, MOUNTED.format("//deleted"), True, id="holds the old one"),
        pytest.param(True, MOUNTED.format(""), False, id="holds the present one"),
        pytest.param(True, "", False, id="ended in the meantime"),
        pytest.param(False, MOUNTED.format("//deleted"), False, id="does not run"),
    ],
)
def test_only_who_holds_an_old_socket_is_restarted(tmp_path: Path, runs: bool, mounted: str, restarted: bool) -> None:
    docker = f"""case "$1 $*" in
    ps\\ *project=proxy*service=socket-proxy*) {"echo filter" if runs else ":"} ;;
    inspect\\ *) echo 4711 ;;
    esac"""
    if mounted:
        (tmp_path / "4711").mkdir()
        (tmp_path / "4711/mountinfo").write_text(mounted)
    answer = run_script(
        "proxy/take_socket",
        *("proxy", "socket-proxy"),
        before=CONTAINER,
        path=stand_in(tmp_path, "docker", docker),
        instead={"/proc/": f"{tmp_path}/"},
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert ("docker restart filter" in calls_in(tmp_path)) is restarted


# --- Reload -------------------------------------------------------------------------------------


def reload(directory: Path, *, failures: int) -> subprocess.CompletedProcess[str]:
    """The script, with an nginx that refuses its configuration so many times."""
    path = stand_in(
        directory,
        "docker",
        'case "$*" in *nginx\\ -t*) echo x >>tests; '
        f"[ $(wc -l <tests) -gt {failures} ] || {{ echo '[emerg] no such file' >&2; exit 1; }} ;; esac\n",
    )
    stand_in(directory, "sleep", "")
    return run_script("proxy/reload", directory, path=path)


def test_nginx_is_tested_again_while_docker_gen_still_writes(tmp_path: Path) -> None:
    answer = reload(tmp_path, failures=3)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert calls_in(tmp_path)[-1] == "docker compose kill --signal HUP nginx"


def test_files_that_nginx_refuses_for_good_are_not_loaded(tmp_path: Path) -> None:
    answer = reload(tmp_path, failures=1000)
    assert answer.returncode != 0 and "[emerg] no such file" in answer.stderr
    assert calls_in(tmp_path)[-1] != "docker compose kill --signal HUP nginx"


def test_docker_gen_looks_for_new_files_before_nginx_reads_them(tmp_path: Path) -> None:
    reload(tmp_path, failures=0)
    writing, check, reading = calls_in(tmp_path)
    assert (writing, reading) == (
        "docker compose kill --signal HUP docker-gen",
        "docker compose kill --signal HUP nginx",
    )
    assert "nginx -t" in check
