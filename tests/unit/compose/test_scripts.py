"""The scripts on Compose projects, with a stand-in for docker."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from hashlib import sha256
from pathlib import Path

import pytest

from mstdn.compose.facts import Applied, AppliedProject, Settled
from tests.harness import answer_of, calls_in, run_script, stand_in

# --- What was applied ---------------------------------------------------------------------------


def applied_in(directory: Path) -> Applied:
    """What the script says of a project with one file that containers are made from, and one that they read anew."""
    made_from, reloaded = [str(directory / "compose.yaml")], [str(directory / "nginx.conf")]
    return answer_of(AppliedProject.of(str(directory), made_from, reloaded))


@pytest.fixture(name="applied")
def _applied(tmp_path: Path) -> Path:
    """The directory of a project that was applied after its files were written."""
    (tmp_path / "state").mkdir()
    files = {"compose.yaml": "", "nginx.conf": "", "state/applied": "one two\n", "state/loaded": "three\n"}
    for age, (name, text) in zip((300, 300, 200, 200), files.items(), strict=True):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    (tmp_path / "state" / "making").write_text('{"web": "{}"}\n')
    return tmp_path


def test_what_was_applied_counts_as_long_as_no_file_changed(applied: Path) -> None:
    assert applied_in(applied) == Applied("one two", "three", {"web": "{}"})


@pytest.mark.parametrize("lost", [False, True], ids=["edited", "lost"])
@pytest.mark.parametrize(
    ("changed", "revision", "loaded"),
    [
        pytest.param("compose.yaml", "", "three", id="what containers are made from"),
        pytest.param("nginx.conf", "one two", "", id="what they can load anew"),
    ],
)
def test_a_stamp_counts_until_one_of_its_files_changes(
    applied: Path, changed: str, revision: str, loaded: str, lost: bool
) -> None:
    if lost:
        (applied / changed).unlink()
    else:
        os.utime(applied / changed)
    found = applied_in(applied)
    assert (found.revision, found.loaded) == (revision, loaded)


@pytest.mark.parametrize("name", ["compose.override.yaml", "compose.override.yml"])
def test_the_operators_override_is_known_by_its_checksum(applied: Path, name: str) -> None:
    (applied / name).write_text("services: {}\n")
    assert applied_in(applied).override == sha256(b"services: {}\n").hexdigest()


def test_a_server_without_the_project_has_applied_nothing(tmp_path: Path) -> None:
    assert applied_in(tmp_path / "absent") == Applied()


# --- Up -----------------------------------------------------------------------------------------


def bring_up(
    directory: Path,
    *,
    exit_code: int,
    states: list[str],
    recovers: bool = False,
    killed: bool = False,
    override_fails: bool = False,
) -> subprocess.CompletedProcess[str]:
    """
    The script, with a Compose that ends with `exit_code` and leaves containers in these states.

    recovers: at the third look at a container all are healthy, and then Compose ends with 0.
    """
    for number, state in enumerate(states):
        (directory / f"state-{number}").write_text(state)
    # One of another service is not looked at.
    listed = [f"{number} db" for number in range(len(states))]
    (directory / "all").write_text("".join(f"{line}\n" for line in [*listed, "x another-db"]))
    stand_in(directory, "sleep")
    # Each look at the clock is a second later.
    stand_in(directory, "date", f'echo x >>"{directory}/clock"; wc -l <"{directory}/clock"')
    path = stand_in(
        directory,
        "docker",
        f"""cd "{directory}"
        state() {{ [ ! -e well ] || sed -i 's/ .*/ running healthy/' "state-$1"; cat "state-$1"; }}
        case "$1 $2" in
        "compose up") echo 'what Compose says'
            case $* in *--wait*) [ ! -e well ] || exit 0; exit {exit_code} ;; *) exit {int(override_fails)} ;; esac ;;
        "compose --file") printf '%s\n' web db ;;
        "compose config") case $3 in --services) printf '%s\n' db search web ;; esac ;;
        "ps --all") cat all ;;
        "inspect --format") case $3 in
            *compose.service*) shift 3; for id; do echo "$(state "$id") 0 {str(killed).lower()} $id"; done ;;
            *RestartCount*) echo x >>looks; [ {int(recovers)} = 0 ] || [ "$(wc -l <looks)" -lt 3 ] || : >well
                echo "$(state "$4" | cut -d ' ' -f 2-) 0" ;;
            esac ;;
        logs\\ *) echo 'last words of the container' ;;
        esac\n""",
    )
    return run_script("compose/up", "mstdn", directory, "20", "db", "web", before="compose/health", path=path)


def test_a_project_whose_containers_are_all_healthy_is_up(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=0, states=["db running healthy", "web running healthy"])
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.parametrize("state", ["running starting", "running unhealthy", "restarting healthy", "exited healthy"])
@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_container_that_is_not_healthy_is_shown_whatever_compose_says(
    tmp_path: Path, exit_code: int, state: str
) -> None:
    answer = bring_up(tmp_path, exit_code=exit_code, states=["db running healthy", f"web {state}"])
    assert answer.returncode == 1
    status, health = state.split()
    assert f"web is {status} ({health})" in answer.stderr and "last words of the container" in answer.stderr
    assert "db is" not in answer.stderr


def test_what_compose_says_is_shown_when_it_makes_no_container(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=14, states=[])
    assert answer.returncode != 0 and "what Compose says" in answer.stderr


def test_a_failure_of_compose_is_one_even_if_all_containers_are_healthy(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=14, states=["db running healthy"])
    assert answer.returncode == 14 and "what Compose says" in answer.stderr


@pytest.mark.parametrize("state", ["restarting unhealthy", "running starting"])
def test_a_container_whose_program_ended_once_is_waited_for_though_compose_gave_up(tmp_path: Path, state: str) -> None:
    answer = bring_up(tmp_path, exit_code=1, states=[f"nginx {state}", "companion created none"], recovers=True)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert len([call for call in calls_in(tmp_path) if "--wait" in call]) == 2


def test_only_the_wanted_services_are_started_and_waited_for(tmp_path: Path) -> None:
    bring_up(tmp_path, exit_code=0, states=["db running healthy", "web running healthy"])
    calls = [call for call in calls_in(tmp_path) if call.startswith("docker ")]
    assert calls[:2] == [
        "docker compose config --quiet",
        "docker compose up --detach --no-build --remove-orphans --wait --wait-timeout 20 db web",
    ]
    (asked,) = (call for call in calls if " ps --all " in call)
    assert "label=com.docker.compose.project=mstdn " in asked and "label=com.docker.compose.oneoff=False " in asked
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".up")] == []


def test_services_of_the_operators_own_are_started_too_and_a_fault_of_theirs_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "compose.override.yaml").write_text("services: {}\n")
    answer = bring_up(tmp_path, exit_code=0, states=["db running healthy"], override_fails=True)
    assert answer.returncode == 0
    assert f"A service of {tmp_path}/compose.override.yaml could not be started: what Compose says" in answer.stderr
    # Not Mastodon with them, which may have to stay down.
    assert [call for call in calls_in(tmp_path) if " up " in call][1:] == [
        "docker compose up --detach --no-build --no-deps search"
    ]


def test_a_container_that_needed_too_much_memory_is_told(tmp_path: Path) -> None:
    answer = bring_up(tmp_path, exit_code=1, states=["web exited healthy"], killed=True)
    assert "killed because it needed more memory than it may have" in answer.stderr


def test_which_of_some_containers_is_ill_is_told(tmp_path: Path) -> None:
    body = "case $1 in inspect) echo 'web running healthy 0 false 0a'; echo 'db exited healthy 3 false 0b' ;; esac"
    call = {"    return 1\n}\n": "    return 1\n}\nunwell 0a 0b\n"}
    answer = run_script("compose/health", path=stand_in(tmp_path, "docker", body), instead=call)
    assert answer.returncode == 1
    assert "db is exited (healthy), exit code 3" in answer.stderr and "web is" not in answer.stderr


# --- Single containers --------------------------------------------------------------------------


def test_exactly_the_containers_that_are_named_are_restarted(tmp_path: Path) -> None:
    answer = run_script("compose/restart", "0a", "0b", path=stand_in(tmp_path, "docker", "echo 0a"))
    assert (answer.returncode, answer.stdout) == (0, "")
    assert calls_in(tmp_path) == ["docker kill --signal CONT 0a 0b", "docker restart 0a 0b"]


HEALTH = "docker inspect --format {{if .State.Health}}{{.State.Health.Status}}{{end}}"


def test_exactly_the_containers_that_are_named_go_on(tmp_path: Path) -> None:
    answer = run_script("compose/resume", "0a", "0b", path=stand_in(tmp_path, "docker", "echo healthy"))
    assert (answer.returncode, answer.stdout) == (0, "")
    assert calls_in(tmp_path) == ["docker unpause 0a 0b", f"{HEALTH} 0a", f"{HEALTH} 0b"]


def test_the_health_check_after_a_pause_is_waited_for(tmp_path: Path) -> None:
    body = '[ "$1" != inspect ] || { echo x >>looks; [ $(wc -l <looks) -gt 2 ] && echo healthy || echo unhealthy; }'
    stand_in(tmp_path, "sleep", "")
    answer = run_script("compose/resume", "0a", path=stand_in(tmp_path, "docker", f"cd {tmp_path}; {body}"))
    assert answer.returncode == 0
    assert [call for call in calls_in(tmp_path) if call.startswith("docker")] == [
        "docker unpause 0a",
        *[f"{HEALTH} 0a"] * 3,
    ]


def test_what_is_not_well_after_a_pause_is_restarted(tmp_path: Path) -> None:
    path = stand_in(tmp_path, "docker", '[ "$1" != inspect ] || echo unhealthy')
    # A clock on which each look takes a minute.
    stand_in(tmp_path, "date", f"cd {tmp_path}; echo x >>minutes; echo $(($(wc -l <minutes) * 60))")
    stand_in(tmp_path, "sleep", "")
    assert run_script("compose/resume", "0a", path=path).returncode == 0
    assert calls_in(tmp_path)[-1] == "docker restart 0a"


def test_the_files_that_containers_mount_are_noted_and_later_edits_seen(applied: Path) -> None:
    mine, gone = applied / "redis.conf", applied / "streaming.env"
    for file in (mine, gone):
        file.write_text("one\n")
    assert run_script("compose/note_mounts", applied, mine, gone, applied / "absent").returncode == 0
    assert stat.S_IMODE((applied / "state" / "mounted").stat().st_mode) == 0o600
    found = applied_in(applied)
    assert set(found.mounted) == {str(mine), str(gone)} and not found.edited
    mine.write_text("two\n")
    gone.unlink()
    assert applied_in(applied).edited == {str(mine), str(gone)}


@pytest.mark.parametrize("name", ["compose/restart", "compose/resume"])
def test_a_container_that_cannot_be_touched_is_a_failure(tmp_path: Path, name: str) -> None:
    answer = run_script(name, "0a", path=stand_in(tmp_path, "docker", "echo no such container >&2; exit 1"))
    assert answer.returncode != 0 and "no such container" in answer.stderr


def test_exactly_the_services_that_are_named_are_made_anew(tmp_path: Path) -> None:
    answer = run_script("compose/renew", tmp_path, "web", "db", path=stand_in(tmp_path, "docker", "pwd >&2"))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert calls_in(tmp_path) == [
        "docker compose rm --stop --force web db",
        "docker compose up --detach --no-build --no-recreate web db",
    ]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "calls"]


def test_services_that_cannot_be_made_anew_are_a_failure_with_what_compose_says(tmp_path: Path) -> None:
    answer = run_script("compose/renew", tmp_path, "web", path=stand_in(tmp_path, "docker", "echo no image; exit 1"))
    assert answer.returncode == 1 and answer.stderr == "no image\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "calls"]


# --- Waiting ------------------------------------------------------------------------------------


def settle(directory: Path, *, looks: int, timeout_seconds: int) -> bool:
    """Wait for containers that are starting at so many looks."""
    stand_in(directory, "sleep")
    stand_in(directory, "systemctl", "printf 'loaded\\nactive\\n'")
    docker = f'echo x >>"{directory}/looks"; [ $(wc -l <"{directory}/looks") -gt {looks} ] || echo 0a'
    return answer_of(Settled.of("mstdn", timeout_seconds), path=stand_in(directory, "docker", docker))


def test_containers_that_are_starting_are_waited_for(tmp_path: Path) -> None:
    assert settle(tmp_path, looks=3, timeout_seconds=60)
    calls = calls_in(tmp_path)
    assert len([call for call in calls if call == "sleep 1"]) == 3
    assert calls[-1].endswith("--filter label=com.docker.compose.project=mstdn --filter health=starting")


def test_containers_that_never_come_up_are_not_waited_for_for_ever(tmp_path: Path) -> None:
    assert settle(tmp_path, looks=1_000_000, timeout_seconds=1)
