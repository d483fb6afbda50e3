"""The scripts on Docker Engine, with stand-ins for what they call."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from mstdn.docker.facts import Containers, DockerHost, Engine
from mstdn.fact import CouldNotLook
from mstdn.shell import SCRIPTS
from tests.harness import answer_of, calls_in, container_line, listing, run_script, stand_in


def daemon(
    directory: Path, *, containers: str, live_restore: str, runs: bool = True, valid: bool = True
) -> subprocess.CompletedProcess[str]:
    stand_in(directory, "dockerd", "" if valid else "echo 'unknown option' >&2; exit 1")
    stand_in(directory, "systemctl", "" if runs else '[ "$1" != is-active ] || exit 3')
    path = stand_in(directory, "docker", f'case $1 in ps) echo "{containers}" ;; info) echo {live_restore} ;; esac\n')
    configuration = directory / "daemon.json"
    configuration.write_text("{}")
    # Older than this second: the script waits until the daemon is certainly younger than the file.
    os.utime(configuration, (time.time() - 10,) * 2)
    instead: dict[str, str | Path] = {"/etc/docker/daemon.json": configuration, "tries=100": "tries=5"}
    return run_script("docker/restart_daemon", "-H", "fd://", path=path, instead=instead)


def test_docker_is_not_restarted_under_containers_that_would_stop(tmp_path: Path) -> None:
    answer = daemon(tmp_path, containers="0123456789ab", live_restore="false")
    assert answer.returncode != 0
    assert "systemctl restart docker" in answer.stderr
    assert "systemctl restart" not in "\n".join(calls_in(tmp_path))


@pytest.mark.parametrize(("containers", "live_restore"), [("", "false"), ("0123456789ab", "true")])
def test_docker_is_restarted_where_no_container_stops(tmp_path: Path, containers: str, live_restore: str) -> None:
    answer = daemon(tmp_path, containers=containers, live_restore=live_restore)
    assert answer.returncode == 0, answer.stderr
    assert "systemctl restart docker.service" in "\n".join(calls_in(tmp_path))


def test_a_daemon_that_takes_its_time_to_read_its_configuration_is_waited_for(tmp_path: Path) -> None:
    read = f"$([ $(grep -c info {tmp_path}/calls) -gt 3 ] && echo true || echo false)"
    answer = daemon(tmp_path, containers="0123456789ab", live_restore=read)
    assert answer.returncode == 0, answer.stderr
    assert "systemctl restart docker.service" in "\n".join(calls_in(tmp_path))


def start_containerd(directory: Path, *, away: int, runs: bool = True) -> subprocess.CompletedProcess[str]:
    """The script, with a daemon that finds containerd after so many questions; the image has no program "true"."""
    stand_in(directory, "sleep")
    stand_in(directory, "systemctl", "" if runs else '[ "$1" != is-active ] || exit 3')
    lists = '[ "$1" = exec ] || { echo 0123456789ab; exit; }'
    lost = f"[ $(grep -c exec {directory}/calls) -gt {away} ] || exit 126"
    return run_script("docker/start_containerd", path=stand_in(directory, "docker", f"{lists}\n{lost}\nexit 127"))


@pytest.mark.parametrize("away", [0, 3])
def test_a_daemon_that_has_lost_containerd_is_waited_for_until_it_has_found_it(tmp_path: Path, away: int) -> None:
    answer = start_containerd(tmp_path, away=away)
    assert answer.returncode == 0, answer.stderr
    assert calls_in(tmp_path)[:2] == ["systemctl reset-failed containerd.service", "systemctl start containerd.service"]
    assert calls_in(tmp_path).count("sleep 0.5") == away


def test_a_daemon_that_never_finds_containerd_is_told(tmp_path: Path) -> None:
    answer = start_containerd(tmp_path, away=1000)
    assert answer.returncode == 1 and "Docker does not find it" in answer.stderr


def test_a_daemon_that_does_not_run_is_not_asked_for_containers(tmp_path: Path) -> None:
    assert start_containerd(tmp_path, away=0, runs=False).returncode == 0
    assert not [call for call in calls_in(tmp_path) if call.startswith("docker")]


def test_a_running_daemon_takes_live_restore_before_it_restarts(tmp_path: Path) -> None:
    daemon(tmp_path, containers="0123456789ab", live_restore="true")
    assert [call for call in calls_in(tmp_path) if call.startswith("systemctl")] == [
        "systemctl enable --quiet docker.service",
        "systemctl is-active --quiet docker.service",
        "systemctl reload docker.service",
        "systemctl reset-failed docker.service",
        "systemctl restart docker.service",
        # So that the run finds the proxy as it is afterwards.
        "systemctl start mstdn-socket.service",
    ]


def test_a_daemon_that_is_stopped_is_started_and_enabled(tmp_path: Path) -> None:
    assert daemon(tmp_path, containers="", live_restore="false", runs=False).returncode == 0
    assert calls_in(tmp_path)[1:] == [
        "systemctl enable --quiet docker.service",
        "systemctl is-active --quiet docker.service",
        "systemctl reset-failed docker.service",
        "systemctl restart docker.service",
        "systemctl start mstdn-socket.service",
    ]


def test_a_daemon_json_that_the_engine_cannot_start_with_changes_nothing(tmp_path: Path) -> None:
    answer = daemon(tmp_path, containers="", live_restore="true", valid=False)
    assert answer.returncode != 0 and "unknown option" in answer.stderr
    # With the options of the unit, which may be what daemon.json contradicts.
    (call,) = calls_in(tmp_path)
    assert call.startswith("dockerd -H fd:// --validate --config-file ")


# --- The group ----------------------------------------------------------------------------------


def set_group(directory: Path, users: str) -> subprocess.CompletedProcess[str]:
    """The script, on a server that has the users alice and bob."""
    stand_in(directory, "gpasswd")
    path = stand_in(directory, "id", "case $2 in alice | bob) ;; *) exit 1 ;; esac")
    return run_script("docker/set_group", users, path=path)


@pytest.mark.parametrize("users", ["alice,bob", "alice", ""])
def test_the_members_of_the_group_are_set_at_once(tmp_path: Path, users: str) -> None:
    assert set_group(tmp_path, users).returncode == 0
    assert calls_in(tmp_path)[-1] == f"gpasswd --members {users} docker"


def test_a_user_that_the_server_does_not_have_is_named_and_nobody_joins(tmp_path: Path) -> None:
    answer = set_group(tmp_path, "alice,mallory")
    assert answer.returncode != 0
    assert "docker_users names mallory" in answer.stderr
    assert "gpasswd" not in "\n".join(calls_in(tmp_path))


# --- The service ----------------------------------------------------------------------------------

UNIT = "Id=docker.service\\nActiveState={}\\nUnitFileState={}\\nActiveEnterTimestamp=Thu 2026-11-26 03:00:00 UTC\\n"
OTHERS = (
    "\\nId=docker.socket\\nActiveState=active\\nUnitFileState={}\\n\\nId=containerd.service\\nUnitFileState=enabled\\n"
)


def service(directory: Path, *answers: str) -> Engine:
    """What is known of the service where systemd answers so, each time that it is asked."""
    each = "".join(f"{number}) printf '{answer}' ;; " for number, answer in enumerate(answers))
    text = f"number=$(grep -c . \"{directory}/calls\")\ncase $((number - 1)) in {each}*) printf '{answers[-1]}' ;; esac"
    path = stand_in(directory, "systemctl", text)
    return answer_of(DockerHost.of("/nonexistent", ["docker-ce"]), path=path, instead={"sleep 0.5": ":"})


def test_a_service_that_runs_is_seen_with_its_start(tmp_path: Path) -> None:
    found = service(tmp_path, UNIT.format("active", "enabled") + OTHERS.format("enabled"))
    assert (found.active, found.enabled, found.started, found.masked) == (True, True, 1795662000, ())


@pytest.mark.parametrize("state", ["activating", "reloading"])
def test_one_that_is_on_its_way_is_waited_for(tmp_path: Path, state: str) -> None:
    starting, running = (UNIT.format(each, "enabled") for each in (state, "active"))
    assert service(tmp_path, starting, starting, running).active
    assert len(calls_in(tmp_path)) == 3


def test_one_that_never_gets_there_does_not_run(tmp_path: Path) -> None:
    assert not service(tmp_path, UNIT.format("activating", "enabled")).active


def test_units_that_may_not_be_started_are_named(tmp_path: Path) -> None:
    found = service(tmp_path, UNIT.format("inactive", "masked") + OTHERS.format("masked-runtime"))
    assert found.masked == ("docker.service", "docker.socket")
    assert (found.active, found.enabled) == (False, False)


@pytest.mark.parametrize(
    ("state", "runs"),
    [
        ("LoadState=loaded\\nActiveState=active", True),
        ("LoadState=loaded\\nActiveState=inactive", False),
        ("LoadState=loaded\\nActiveState=failed", False),
        # Somebody's own daemon may start one itself.
        ("LoadState=not-found\\nActiveState=inactive", True),
    ],
)
def test_a_containerd_that_has_ended_is_seen_though_the_daemon_runs(tmp_path: Path, state: str, runs: bool) -> None:
    found = service(tmp_path, UNIT.format("active", "enabled") + f"\\nId=containerd.service\\n{state}\\n")
    assert (found.active, found.containerd) == (True, runs)


def test_a_system_without_a_code_name_is_told_as_such(tmp_path: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text('ID=fedora\nVERSION_ID=41\nVERSION_CODENAME=""\n')
    question = DockerHost.of("/nonexistent", ["docker-ce"])
    answer = answer_of(question, path=stand_in(tmp_path, "systemctl"), instead={"/etc/os-release": release})
    assert (answer.distribution, answer.codename) == ("fedora", "unknown")


# --- Questions to the engine --------------------------------------------------------------------


def ask_engine(directory: Path, *, unit: str, docker: str = "") -> tuple[object, ...]:
    """What is known of containers where systemd says this of docker.service and docker does that."""
    stand_in(directory, "systemctl", f"printf '{unit}'")
    return answer_of(Containers.all(), path=stand_in(directory, "docker", docker))


@pytest.mark.parametrize("unit", ["loaded\\ninactive\\n", "inactive\\nloaded\\n", "loaded\\nfailed\\n", ""])
def test_an_engine_that_is_stopped_is_not_asked(tmp_path: Path, unit: str) -> None:
    # Its socket would start it.
    with pytest.raises(CouldNotLook, match=r"^Docker does not run$"):
        ask_engine(tmp_path, unit=unit)
    assert [call.split()[0] for call in calls_in(tmp_path)] == ["systemctl"]


def test_containers_whose_engine_was_removed_are_not_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "containers").mkdir()
    programs = stand_in(tmp_path, "systemctl")
    without = {"/var/lib/docker/containers": f"{tmp_path}/containers", "command -v docker": "command -v no-docker-here"}
    assert answer_of(Containers.all(), path=programs, instead=without) == ()
    (tmp_path / "containers/1a2b3c").mkdir()
    with pytest.raises(CouldNotLook, match=r"^Docker is not installed, and its containers are still there$"):
        answer_of(Containers.all(), path=programs, instead=without)


def test_an_engine_that_is_starting_is_not_one_that_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match=r"^Docker has not started yet$"):
        ask_engine(tmp_path, unit="loaded\\nactivating\\n")
    with pytest.raises(CouldNotLook, match=r"^Docker does not run$"):
        ask_engine(tmp_path, unit="loaded\\ndeactivating\\n")


def test_an_engine_that_does_not_answer_is_told_from_one_without_containers(tmp_path: Path) -> None:
    with pytest.raises(CouldNotLook, match=r"^Docker does not answer$"):
        ask_engine(tmp_path, unit="active\\nloaded\\n", docker="exit 1")
    assert ask_engine(tmp_path, unit="active\\nloaded\\n") == ()


def found(directory: Path, *, unit: str, docker: str, later: str = "") -> list[str]:
    """What found.sh finds. later: what systemd answers from the third time on."""
    now = f"printf '{unit}\\n\\nId=docker.socket\\nActiveState=active\\n'"
    often = f'[ "$(grep -c systemctl "{directory}/calls")" -ge 3 ]'
    text = f"{often} && printf '{later}' || {now}" if later else now
    stand_in(directory, "systemctl", text)
    script = "".join(
        (SCRIPTS / name).read_text() for name in ("units.sh", "docker/describe.sh", "docker/found.sh")
    ).replace("sleep 0.5", ":")
    path = stand_in(directory, "docker", docker)
    answer = subprocess.run(
        ["sh", "-c", f'{script}\necho "$engine"; [ -z "${{containers+found}}" ] || echo "$containers"'],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PATH": f"{path}:{os.environ['PATH']}"},
    )
    assert answer.stderr == ""
    return answer.stdout.splitlines()


def state(active: str) -> str:
    return f"MainPID=4711\\nId=docker.service\\nLoadState=loaded\\nActiveState={active}\\nUnitFileState=enabled"


ACTIVE = state("active")


def test_what_all_questions_need_is_found_once(tmp_path: Path) -> None:
    assert found(tmp_path, unit=ACTIVE, docker=listing(a="mstdn/web")) == [
        "4711 loaded active ",
        "a|running|mstdn|web|False",
    ]
    assert found(tmp_path, unit=state("inactive"), docker="echo a") == ["4711 loaded inactive "]


def test_an_engine_that_is_starting_is_waited_for_before_anything_is_asked(tmp_path: Path) -> None:
    engine = listing(a="mstdn/web")
    assert found(tmp_path, unit=state("activating"), later=ACTIVE, docker=engine) == [
        "4711 loaded active ",
        "a|running|mstdn|web|False",
    ]
    assert found(tmp_path, unit=state("activating"), docker=engine) == ["4711 loaded activating "]


def test_an_engine_that_is_silent_is_waited_for_once(tmp_path: Path) -> None:
    assert found(tmp_path, unit=ACTIVE, docker="exit 1") == ["silent"]
    engine = (SCRIPTS / "docker" / "engine.sh").read_text()
    answer = subprocess.run(
        ["sh", "-c", f"engine=silent\n{engine}\necho more"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"},
    )
    assert answer.stdout == "unknown Docker does not answer\n"


def test_an_engine_that_systemd_does_not_know_and_that_has_no_socket_is_none(tmp_path: Path) -> None:
    stand_in(tmp_path, "systemctl", "printf 'inactive\\nnot-found\\n'")
    path = stand_in(tmp_path, "docker", "exit 1")
    absent = {"/run/docker.sock": tmp_path / "docker.sock"}
    assert answer_of(Containers.all(), path=path, instead=absent) == ()


def test_every_container_is_read_with_one_question_for_all(tmp_path: Path) -> None:
    lines = [f"id 0 then . {container_line(each).partition(' ')[2]}" for each in ("web", "proxy/nginx")]
    (tmp_path / "containers").write_text("".join(lines))
    docker = f"""case "$1" in
    ps) {listing(a="mstdn/web", b="proxy/nginx")} ;;
    inspect) cat {tmp_path}/containers ;;
    esac"""
    stand_in(tmp_path, "systemctl", "printf 'loaded\\nactive\\n'")
    found = answer_of(Containers.all(), path=stand_in(tmp_path, "docker", docker))
    assert [each.name for each in found] == ["mstdn-web-1", "proxy-nginx-1"]
    assert all(call.endswith(" a b") for call in calls_in(tmp_path) if " inspect " in call)


@pytest.mark.parametrize("times", [1, 9], ids=["once", "again and again"])
def test_a_container_that_goes_while_all_are_described_is_left_out(tmp_path: Path, times: int) -> None:
    """Docker describes none where it cannot describe one of them."""
    (tmp_path / "left").write_text("." * times)
    removed = f'[ -s {tmp_path}/left ] && left=$(cat {tmp_path}/left) && printf %s "${{left#.}}" >{tmp_path}/left'
    line = f"id 0 then . {container_line('web').partition(' ')[2]}"
    docker = f"""case "$1" in
    ps) {listing(a="mstdn/web", b="proxy/nginx")} ;;
    inspect) {removed} && exit 1; echo '{line.strip()}' ;;
    esac"""
    stand_in(tmp_path, "systemctl", "printf 'loaded\\nactive\\n'")
    path = stand_in(tmp_path, "docker", docker)
    if times == 1:
        assert [each.name for each in answer_of(Containers.all(), path=path)] == ["mstdn-web-1"]
    else:
        with pytest.raises(CouldNotLook, match=r"^Docker does not answer$"):
            answer_of(Containers.all(), path=path)


def test_a_mount_whose_source_was_removed_is_told_with_its_container(tmp_path: Path) -> None:
    for process, root in ((11, "/srv/a"), (12, "/srv/b//deleted")):
        (tmp_path / "processes" / str(process)).mkdir(parents=True)
        (tmp_path / "processes" / str(process) / "mountinfo").write_text(f"1 2 8:1 {root} /inside rw\n")
    lines = "\n".join(
        f"{container['id']} {process} then . {json.dumps(container)}"
        for process, each in ((11, "web"), (12, "db"), (0, "sidekiq"))
        for container in [json.loads(container_line(each).partition(" ")[2])]
    )
    (tmp_path / "containers").write_text(f"{lines}\n")
    docker = f"case $1 in ps) {listing(a='mstdn/web')} ;; inspect) cat {tmp_path}/containers ;; esac"
    stand_in(tmp_path, "systemctl", "printf 'loaded\\nactive\\n'")
    path = stand_in(tmp_path, "docker", docker)
    found = answer_of(Containers.all(), path=path, instead={"/proc/": f"{tmp_path}/processes/"})
    assert [each.gone for each in found] == [(), ("/inside",), ()]


# --- A configuration that is judged before it is written -----------------------------------------


def test_a_configuration_is_judged_with_the_options_of_the_unit_and_written_nowhere(tmp_path: Path) -> None:
    judge = 'for file; do :; done; stat -c %a "$file"; cat "$file"; exit 1'
    answer = run_script("docker/validate", "-H", "fd://", stdin='{"x": 1}\n', path=stand_in(tmp_path, "dockerd", judge))
    assert answer.returncode == 1
    mode, text, told = answer.stderr.splitlines()
    # A proxy's password may be in it.
    assert (mode, text) == ("600", '{"x": 1}')
    assert told.endswith("The file stays as it was.")
    (call,) = calls_in(tmp_path)
    assert call.startswith("dockerd -H fd:// --validate --config-file ")
    assert not Path(call.split()[-1]).exists()


def test_a_configuration_that_the_daemon_takes_is_no_word_worth(tmp_path: Path) -> None:
    answer = run_script("docker/validate", stdin="{}", path=stand_in(tmp_path, "dockerd", "echo configuration OK"))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
