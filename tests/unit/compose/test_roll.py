"""How a container makes room for a new one, with a stand-in for docker that remembers its containers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.harness import calls_in, run_script, stand_in

# A container is a file with its name, what it was made from, status, health and restarts; a new one is called n9.
DOCKER = r"""
cd "$PLACE"
becomes() {
    read -r name made status health restarts <c/"$1"
    echo "$name $made $2 ${3:-$health} $restarts" >c/"$1"
}
case "$1 $2" in
"compose run") [ ! -e nobody ] || { echo 'no room'; exit 1; }
    echo "x-web-deputy wanted running $(cat deputy 2>/dev/null || echo healthy) 0" >c/x-web-deputy ;;
"compose up") [ ! -e broken ] || { echo 'no such image'; exit 1; }; echo 'x-web-9 wanted created none 0' >c/n9 ;;
"ps --all") ls -r c | sed "s/$/ web/"; echo x1 another-web ;;
"inspect --format")
    read -r name made status health restarts <c/"$4"
    case $3 in
    *compose.service*) echo "web $status $health 1 false $4" ;;
    *config-hash*) echo "$made" ;;
    *.Name*) echo "/$name" ;;
    *RestartCount*) if [ -s ended ] && [ "$name" = x-web-9 ]; then sed -i 1d ended; echo 'restarting unhealthy 1'
        else echo "$status $health $restarts"; fi ;;
    *PortBindings*) printf '80/tcp 0.0.0.0\n443/tcp ::\n\n' ;;
    esac ;;
"start "*) becomes "$2" running "$(cat health 2>/dev/null || echo healthy)" ;;
"stop "*) [ ! -e .roll.stopping ] || cat .roll.stopping >told; shift; for id; do becomes "$id" exited; done ;;
"rm --force") rm -f c/"$3" ;;
"rm "*) shift; for id; do rm c/"$id"; done ;;
"logs "*) echo 'last words' ;;
esac
"""
MOVE = """
move() { echo "move $1 $2" >>"$PLACE/calls"; }
move_back() { echo "move back" >>"$PLACE/calls"; }
"""


def roll(directory: Path, way: str, *retired: str, **containers: str) -> subprocess.CompletedProcess[str]:
    """Replace web. containers: what each was made from, its status and its health, by its ID."""
    (directory / "c").mkdir()
    for identity, words in containers.items():
        (directory / "c" / identity).write_text(f"x-web-{identity[1:]} {words} 0\n")
    path = stand_in(directory, "docker", DOCKER.replace("$PLACE", str(directory)))
    stand_in(directory, "sleep")
    move = MOVE.replace("$PLACE", str(directory))
    return run_script(
        "compose/roll",
        *("x", str(directory), "20", f"web={way}", "--", *retired),
        before="compose/health",
        path=path,
        # The functions that app/move would bring.
        instead={"ways='' retired=''\n": f"ways='' retired=''\n{move}"},
    )


def done(directory: Path) -> list[str]:
    """What was done to containers and visitors, without docker's own name and the questions."""
    calls = [call.removeprefix("docker ") for call in calls_in(directory)]
    return [call for call in calls if call.split()[0] in ("start", "stop", "restart", "rm", "move")]


def left(directory: Path) -> list[str]:
    return sorted(each.name for each in (directory / "c").iterdir())


UP = "docker compose up --no-start --no-recreate --no-build --scale web=2 web"


def test_a_new_one_starts_beside_the_old_one_which_stops_when_visitors_have_moved(tmp_path: Path) -> None:
    answer = roll(tmp_path, "beside", n1="older running healthy")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert UP in calls_in(tmp_path)
    moves = ["move web x-web-1", "start n9", "move web x-web-9"]
    assert done(tmp_path) == [*moves, "stop n1", "rm n1", "move back"]
    assert "web: the new one was healthy after" in answer.stdout
    assert left(tmp_path) == ["n9"] and not (tmp_path / ".roll.log").exists()


def test_one_that_is_as_the_files_say_is_not_touched(tmp_path: Path) -> None:
    answer = roll(tmp_path, "beside", n1="wanted running healthy")
    assert (answer.returncode, answer.stdout) == (0, "")
    assert done(tmp_path) == ["rm n9", "move back"] and left(tmp_path) == ["n1"]


def test_one_that_has_to_go_is_replaced_by_its_like(tmp_path: Path) -> None:
    assert roll(tmp_path, "beside", "n1", n1="wanted running healthy").returncode == 0
    assert left(tmp_path) == ["n9"]


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [
        pytest.param("older running healthy", "wanted running healthy", "n2", id="the one that is as the files say"),
        pytest.param("wanted running starting", "wanted running healthy", "n2", id="the healthy one"),
        pytest.param("wanted running healthy", "wanted running healthy", "n1", id="the older one"),
        pytest.param("older running healthy", "wanted running unhealthy", "n9", id="a new one instead of an ill one"),
        pytest.param("older running healthy", "older running healthy", "n9", id="none of them"),
        pytest.param("older running healthy", "wanted created none", "n9", id="not one that never started"),
    ],
)
@pytest.mark.parametrize("way", ["beside", "after"])
def test_of_two_the_right_one_stays(tmp_path: Path, first: str, second: str, stays: str, way: str) -> None:
    assert roll(tmp_path, way, n1=first, n2=second).returncode == 0
    assert left(tmp_path) == [stays]


def test_where_there_must_not_be_two_the_old_one_stops_first(tmp_path: Path) -> None:
    answer = roll(tmp_path, "after", n1="older running healthy")
    assert answer.returncode == 0
    assert done(tmp_path) == ["stop n1", "start n9", "rm n1", "move back"]
    # After a reboot they would both be there.
    assert calls_in(tmp_path).index("docker update --restart no n1") > calls_in(tmp_path).index("docker start n9")
    assert "web finishes what it works on" in answer.stdout
    # Whoever ends this while the engine stops the old one finds out what it was told.
    assert (tmp_path / "told").read_text() == "n1\n" and not (tmp_path / ".roll.stopping").exists()


def test_a_new_one_that_does_not_become_healthy_goes_and_the_old_one_serves_on(tmp_path: Path) -> None:
    (tmp_path / "health").write_text("unhealthy")
    answer = roll(tmp_path, "beside", n1="older running healthy")
    assert answer.returncode == 1
    assert done(tmp_path) == ["move web x-web-1", "start n9", "rm --force n9", "move back"]
    assert "web is running (unhealthy)" in answer.stderr and "last words" in answer.stderr
    assert "the one before still serves" in answer.stderr


@pytest.mark.parametrize("way", ["beside", "after"])
def test_a_new_one_whose_program_ended_once_is_waited_for(tmp_path: Path, way: str) -> None:
    # Its state is asked for before the loop, and in it.
    (tmp_path / "ended").write_text("once\nand seen twice\n")
    assert roll(tmp_path, way, c1="old running healthy").returncode == 0
    assert left(tmp_path) == ["n9"]


def test_where_it_had_stopped_the_old_one_works_on(tmp_path: Path) -> None:
    (tmp_path / "health").write_text("unhealthy")
    answer = roll(tmp_path, "after", n1="older running healthy")
    assert answer.returncode == 1 and "the one before works on" in answer.stderr
    assert done(tmp_path) == ["stop n1", "start n9", "stop n9", "start n1", "rm --force n9", "move back"]
    assert calls_in(tmp_path).index("docker update --restart always n1") < calls_in(tmp_path).index("docker start n1")
    assert left(tmp_path) == ["n1"]


def test_when_compose_makes_no_other_one_nothing_is_touched(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    answer = roll(tmp_path, "beside", n1="older running healthy")
    assert answer.returncode == 1 and "no such image" in answer.stderr
    assert done(tmp_path) == ["move back"] and left(tmp_path) == ["n1"]


# --- Where only one can have the ports ----------------------------------------------------------

DEPUTY = "x-web-deputy"
TAKES_OVER = (
    f"docker compose run --detach --no-deps --name {DEPUTY} --publish 127.0.0.1::80 --publish [::1]::443 web",
    f"docker update --restart no {DEPUTY}",
)


def test_another_one_serves_while_the_one_with_the_ports_is_made_anew(tmp_path: Path) -> None:
    answer = roll(tmp_path, "handover", n1="older running healthy")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert set(TAKES_OVER) < set(calls_in(tmp_path))
    assert done(tmp_path) == [
        f"rm --force {DEPUTY}",
        f"move web {DEPUTY}",
        *("stop n1", "start n9", "move back"),
        *(f"stop {DEPUTY}", f"rm {DEPUTY}", "rm n1", "move back"),
    ]
    assert "another one has taken over" in answer.stdout and left(tmp_path) == ["n9"]


def test_one_that_is_as_the_files_say_hands_nothing_over(tmp_path: Path) -> None:
    assert roll(tmp_path, "handover", n1="wanted running healthy").returncode == 0
    assert done(tmp_path) == ["rm n9", "move back"] and left(tmp_path) == ["n1"]


def test_where_nobody_serves_nobody_takes_over(tmp_path: Path) -> None:
    assert roll(tmp_path, "handover", n1="older exited none").returncode == 0
    assert not set(TAKES_OVER) & set(calls_in(tmp_path)) and left(tmp_path) == ["n9"]


@pytest.mark.parametrize(("file", "words"), [("nobody", "no room"), ("deputy", "web is running (unhealthy)")])
def test_as_long_as_nobody_can_take_over_the_old_one_serves_on(tmp_path: Path, file: str, words: str) -> None:
    (tmp_path / file).write_text("unhealthy")
    answer = roll(tmp_path, "handover", n1="older running healthy")
    assert answer.returncode == 1 and words in answer.stderr and "the one before still serves" in answer.stderr
    assert left(tmp_path) == ["n1"] and not any(call.startswith("stop") for call in done(tmp_path))


def test_where_the_new_one_does_not_start_the_old_one_gets_its_visitors_back(tmp_path: Path) -> None:
    (tmp_path / "health").write_text("unhealthy")
    answer = roll(tmp_path, "handover", n1="older running healthy")
    assert answer.returncode == 1 and "the one before works on" in answer.stderr
    assert done(tmp_path)[1:] == [
        f"move web {DEPUTY}",
        *("stop n1", "start n9", "stop n9", "start n1", "move back"),
        *(f"stop {DEPUTY}", f"rm {DEPUTY}", "rm --force n9", "move back"),
    ]
    assert left(tmp_path) == ["n1"]


# --- What a unit that was killed leaves ---------------------------------------------------------


def put_in_order(
    directory: Path, way: str, result: str, *, stopping: str = "", **containers: str
) -> subprocess.CompletedProcess[str]:
    """
    What systemd runs once the unit has ended with this result. stopping: those that the engine was told to stop.
    containers: as above.
    """
    (directory / ".roll.stopping").write_text(stopping)
    (directory / "c").mkdir()
    for identity, words in containers.items():
        (directory / "c" / identity).write_text(f"x-web-{identity[1:]} {words} 0\n")
    (directory / ".roll.log").touch()
    ps = """
    those() { cd "$PLACE" && grep -l "$1" c/* | sort -r | sed 's,c/,,'; exit; }
    case "$*" in
    "ps "*status=exited*) those ' exited ' ;;
    "ps "*health=healthy*) those ' running healthy ' ;;
    "ps "*health=starting*) those ' running starting ' ;;
    "ps "*) those ' running ' ;;
    esac"""
    path = stand_in(directory, "docker", f"{ps}{DOCKER}".replace("$PLACE", str(directory)))
    before = MOVE.replace("$PLACE", str(directory)) + f"\nSERVICE_RESULT={result} EXIT_CODE=killed EXIT_STATUS=TERM\n"
    told = ("x", str(directory), "20", f"web={way}", "--", "web=after")
    instead: dict[str, str | Path] = {"has_ended() {": f"{before}has_ended() {{"}
    return run_script("compose/put_in_order", *told, before="timers/ended", path=path, instead=instead)


def test_a_service_that_had_stopped_to_make_room_works_on(tmp_path: Path) -> None:
    answer = put_in_order(tmp_path, "after", "signal", n1="older exited healthy", n9="wanted created none")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert done(tmp_path) == ["start n1", "move back"] and not (tmp_path / ".roll.log").exists()
    assert "docker update --restart always n1" in calls_in(tmp_path)


@pytest.mark.parametrize(
    ("stopping", "steps"),
    [
        pytest.param("n1\n", ["restart n1", "move back"], id="the engine is at it"),
        pytest.param("", ["move back"], id="it was not told to"),
        pytest.param("n2\n", ["move back"], id="another one was, in a run before"),
    ],
)
def test_a_service_that_is_being_stopped_to_make_room_starts_again(
    tmp_path: Path, stopping: str, steps: list[str]
) -> None:
    # Its client was killed, and the engine goes on: in a moment there would be none.
    answer = put_in_order(tmp_path, "after", "signal", stopping=stopping, n1="older running healthy", n9="x created no")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert done(tmp_path) == steps and not (tmp_path / ".roll.stopping").exists()
    assert "To go on: pyinfra inventory.py deploy.py" in answer.stdout


@pytest.mark.parametrize(
    ("others", "steps"),
    [
        pytest.param({"n1": "older running healthy"}, ["rm --force n9", "move back"], id="the old one serves"),
        pytest.param({}, ["move back"], id="there is no other"),
    ],
)
def test_one_that_was_still_starting_beside_another_goes(
    tmp_path: Path, others: dict[str, str], steps: list[str]
) -> None:
    answer = put_in_order(tmp_path, "beside", "signal", n9="wanted running starting", **others)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert done(tmp_path) == steps


@pytest.mark.parametrize(
    ("way", "containers"),
    [
        pytest.param("after", {"n1": "older exited healthy", "n9": "wanted running starting"}, id="the new one is up"),
        pytest.param("after", {"n9": "wanted created none"}, id="there is none that ever ran"),
        pytest.param("beside", {"n1": "older exited healthy"}, id="somebody else has stopped it"),
        pytest.param("beside", {"n1": "a running healthy", "n9": "b running healthy"}, id="both answer"),
    ],
)
def test_nothing_else_is_started(tmp_path: Path, way: str, containers: dict[str, str]) -> None:
    assert put_in_order(tmp_path, way, "signal", **containers).returncode == 0
    assert done(tmp_path) == ["move back"]


def test_after_one_that_came_to_its_end_nothing_is_to_be_done(tmp_path: Path) -> None:
    assert put_in_order(tmp_path, "after", "success", n1="older exited healthy").returncode == 0
    assert done(tmp_path) == []


@pytest.mark.parametrize(
    ("containers", "steps"),
    [
        pytest.param({"n1": "older exited healthy"}, ["start n1", "move back"], id="none has the ports"),
        pytest.param({"n9": "wanted running healthy"}, ["move back"], id="one has them"),
    ],
)
def test_whoever_took_over_goes_when_one_has_the_ports(
    tmp_path: Path, containers: dict[str, str], steps: list[str]
) -> None:
    answer = put_in_order(tmp_path, "handover", "signal", **containers)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert done(tmp_path)[: len(steps) + 1] == [*steps, f"rm --force {DEPUTY}"]
