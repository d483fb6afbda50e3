"""What is done about every state that a project can be in: exactly which steps, and in which words."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mstdn.compose.facts import Applied
from mstdn.compose.project import Project, Way
from mstdn.compose.rules import Steps, differences, making_of, of_project, steps, stopped, wanted_revision, way_of
from mstdn.docker.facts import Container, Published
from mstdn.files.tree import ConfigFile

NGINX = ConfigFile("/srv/mastodon/nginx.conf", "events")
PROJECT = Project(
    name="mstdn",
    title="Mastodon",
    directory="/srv/mastodon",
    services=("db", "web"),
    directories=(),
    files=(ConfigFile("/srv/mastodon/compose.yaml", "services"), NGINX),
    reloaded=(NGINX,),
    reload="app/reload",
)
MAKING = json.dumps({"limits": [0], "networks": ["back-mstdn"]})
DB, WEB = (
    Container(
        id=f"id-of-{service}",
        name=f"mstdn-{service}-1",
        image=f"sha256:{service}",
        reference=f"{service}:1",
        status="running",
        health="healthy",
        project="mstdn",
        service=service,
        directory="/srv/mastodon",
        networks={"back-mstdn": "b1", f"mstdn_{service}": "n1"},
        making=MAKING,
    )
    for service in PROJECT.services
)
IMAGES = {"db:1": "sha256:db", "web:1": "sha256:web"}
NETWORKS = {"back-mstdn": "b1", "front": "f1"}
APPLIED = Applied(PROJECT.revision, PROJECT.reload_revision, {"db": MAKING, "web": MAKING})
STRANGER = dataclasses.replace(WEB, id="id-of-worker", service="worker", name="mstdn-worker-1")


def web(**changes: Any) -> tuple[Container, ...]:
    """Both containers, the one of web with these changes."""
    return DB, dataclasses.replace(WEB, **changes)


def judged(
    containers: tuple[Container, ...] = (DB, WEB),
    applied: Applied = APPLIED,
    images: dict[str, str] = IMAGES,
    networks: dict[str, str] = NETWORKS,
    refusing: dict[str, str] | None = None,
) -> Steps:
    return steps(PROJECT, applied, containers, images, networks, refusing)


def test_a_project_that_runs_as_its_files_say_is_left_alone() -> None:
    assert judged() == Steps()
    assert not judged().changes_containers


CONTAINERS = {
    # what is the matter: the containers, what exactly is done
    "no health check": (web(health="none"), Steps()),
    "paused": (web(status="paused"), Steps(resume=["id-of-web"], reasons=["web is paused"])),
    "paused and unhealthy": (
        web(status="paused", health="unhealthy"),
        Steps(resume=["id-of-web"], reasons=["web is paused"]),
    ),
    **{
        status: (web(status=status, health="none"), Steps(up=True, reasons=[f"web is {status}"]))
        for status in ("created", "exited", "removing")
    },
    "unhealthy": (web(health="unhealthy"), Steps(restart=["id-of-web"], reasons=["web is unhealthy"])),
    "starting": (web(health="starting"), Steps(waiting=True)),
    "holds what is gone": (
        web(gone=("/var/run/docker.sock", "/etc/x")),
        Steps(restart=["id-of-web"], reasons=["web holds /var/run/docker.sock, /etc/x, which is no longer there"]),
    ),
    "holds what is gone, and is starting": (
        web(gone=("/etc/x",), health="starting"),
        Steps(restart=["id-of-web"], reasons=["web holds /etc/x, which is no longer there"]),
    ),
    "missing": ((DB,), Steps(up=True, reasons=["web does not exist"])),
    "all missing": ((), Steps(up=True, reasons=["db does not exist", "web does not exist"])),
    "twice": (
        (DB, WEB, dataclasses.replace(WEB, id="other")),
        Steps(up=True, reasons=["web exists 2 times"]),
    ),
    "not wanted": ((DB, WEB, STRANGER), Steps(up=True, reasons=["worker is no longer part of it"])),
    "another image": (
        web(image="sha256:old"),
        Steps(renew=["web"], reasons=["web runs another image than web:1 is now"]),
    ),
    "dead": (web(status="dead"), Steps(renew=["web"], reasons=["web is dead"])),
    "ends whenever it is started": (
        web(status="restarting", health="unhealthy"),
        Steps(renew=["web"], reasons=["web is restarting"]),
    ),
    "another image, and exited": (
        web(image="sha256:old", status="exited"),
        Steps(renew=["web"], reasons=["web runs another image than web:1 is now"]),
    ),
    "limits changed by hand": (
        web(making=MAKING.replace("[0]", "[1]")),
        Steps(renew=["web"], reasons=["web was changed by hand: limits"]),
    ),
    "detached by hand": (
        web(making=MAKING.replace('"back-mstdn"', ""), networks={}),
        Steps(renew=["web"], reasons=["web was changed by hand: networks"]),
    ),
    "on a network that was made anew": (
        web(networks={"back-mstdn": "b0", "front": "f0"}),
        Steps(renew=["web"], reasons=["web is on a network back-mstdn, front that no longer exists"]),
    ),
    "one of compose run": (
        (
            DB,
            WEB,
            dataclasses.replace(WEB, id="x", once=True, status="exited"),
            dataclasses.replace(STRANGER, once=True),
        ),
        Steps(),
    ),
    "one of another project": ((DB, WEB, dataclasses.replace(WEB, id="x", project="x", status="exited")), Steps()),
    "two at once": (
        (dataclasses.replace(DB, status="paused"), dataclasses.replace(WEB, health="unhealthy")),
        Steps(resume=["id-of-db"], restart=["id-of-web"], reasons=["db is paused", "web is unhealthy"]),
    ),
}


@pytest.mark.parametrize(("containers", "todo"), CONTAINERS.values(), ids=CONTAINERS.keys())
def test_each_state_of_a_container_has_its_steps_and_its_words(containers: tuple[Container, ...], todo: Steps) -> None:
    # What is noted follows from the containers when they are left alone.
    applied = dataclasses.replace(APPLIED, making=APPLIED.making)
    found = judged(containers, applied)
    assert dataclasses.replace(found, note=False) == todo
    assert found.note is False


def test_a_service_that_refuses_the_password_of_today_is_restarted() -> None:
    words = {"db": "WRONGPASS"}
    wanted = Steps(restart=["id-of-db"], reasons=["db does not let Mastodon in: WRONGPASS"])
    assert judged(refusing=words) == wanted
    # It holds the old file; once is enough.
    gone = dataclasses.replace(DB, gone=("/run/secrets/x",))
    assert judged((gone, WEB), refusing=words).restart == ["id-of-db"]


LISTENING = dataclasses.replace(PROJECT, listeners={"web": "db"})
WITHOUT_NETWORKS = MAKING.replace('"back-mstdn"', "")


@pytest.mark.parametrize(
    ("heard", "restarted"),
    [
        pytest.param({"making": WITHOUT_NETWORKS, "networks": {}}, True, id="is off its network"),
        pytest.param({"networks": {"back-mstdn": "b0"}}, True, id="is on a network that was made anew"),
        pytest.param({"making": MAKING.replace("[0]", "[1]")}, False, id="is made anew for another reason"),
        pytest.param({"health": "unhealthy"}, False, id="is restarted"),
    ],
)
def test_whoever_listens_to_one_that_lost_its_network_is_restarted(heard: dict[str, Any], restarted: bool) -> None:
    todo = steps(LISTENING, APPLIED, (dataclasses.replace(DB, **heard), WEB), IMAGES, NETWORKS)
    assert ("id-of-web" in todo.restart) is restarted
    assert ("web lost its connection to db" in todo.reasons) is restarted


@pytest.mark.parametrize(
    ("listener", "restarted"),
    [({"image": "sha256:old"}, []), ({"status": "exited"}, []), ({"health": "unhealthy"}, ["id-of-web"])],
)
def test_a_listener_that_is_touched_anyway_is_not_touched_twice(listener: dict[str, Any], restarted: list[str]) -> None:
    containers = (
        dataclasses.replace(DB, making=WITHOUT_NETWORKS, networks={}),
        dataclasses.replace(WEB, **listener),
    )
    assert steps(LISTENING, APPLIED, containers, IMAGES, NETWORKS).restart == restarted


def test_an_image_that_is_gone_from_the_server_does_not_touch_its_container() -> None:
    assert judged(images={"db:1": "sha256:db"}) == Steps()


def test_a_tag_that_moved_on_the_server_concerns_its_containers_only() -> None:
    found = judged(images=IMAGES | {"web:1": "sha256:new"})
    assert found == Steps(renew=["web"], reasons=["web runs another image than web:1 is now"])


def test_a_network_that_is_gone_is_nothing_that_a_container_could_be_put_on() -> None:
    assert judged(networks={}) == Steps()


@pytest.mark.parametrize(
    ("revision", "words"), [("", "it is not as its files say"), ("older", "its configuration changed")]
)
def test_files_that_were_not_applied_bring_the_project_up(revision: str, words: str) -> None:
    found = judged(applied=dataclasses.replace(APPLIED, revision=revision))
    assert found == Steps(up=True, reasons=[words])


@pytest.mark.parametrize("loaded", ["", "older"])
def test_files_that_running_containers_can_read_touch_no_container(loaded: str) -> None:
    found = judged(applied=dataclasses.replace(APPLIED, loaded=loaded))
    assert found == Steps(reload=True)
    assert not found.changes_containers


# --- The operator's own override ----------------------------------------------------------------

OVERRIDDEN = dataclasses.replace(APPLIED, revision=f"{PROJECT.revision} 0f", override="0f")


def test_an_override_that_is_new_edited_or_gone_brings_the_project_up() -> None:
    for applied in (
        dataclasses.replace(APPLIED, override="0f"),
        dataclasses.replace(OVERRIDDEN, override="10"),
        dataclasses.replace(OVERRIDDEN, override=""),
    ):
        assert judged(applied=applied) == Steps(up=True, reasons=["its configuration changed"])
    assert judged(applied=OVERRIDDEN) == Steps()


def test_services_of_an_override_are_the_operators() -> None:
    ill = dataclasses.replace(STRANGER, health="unhealthy", image="sha256:old", gone=("/x",))
    assert judged((DB, WEB, ill), OVERRIDDEN) == Steps()


def test_the_wanted_revision_names_project_and_override() -> None:
    assert wanted_revision(PROJECT, APPLIED) == PROJECT.revision
    assert wanted_revision(PROJECT, OVERRIDDEN) == f"{PROJECT.revision} 0f"


# --- What containers were made with -------------------------------------------------------------


@pytest.mark.parametrize("making", [{}, {"db": MAKING}, {"db": MAKING, "web": MAKING, "worker": MAKING}])
def test_what_was_not_noted_is_noted_and_nothing_else_is_done(making: dict[str, str]) -> None:
    words = "what its containers were made with is not noted"
    assert judged(applied=dataclasses.replace(APPLIED, making=making)) == Steps(note=True, reasons=[words])


def test_what_is_changed_anyway_is_noted_afterwards() -> None:
    found = judged(web(status="exited"), dataclasses.replace(APPLIED, making={}))
    assert found == Steps(up=True, reasons=["web is exited"])


def test_only_services_of_the_project_are_noted() -> None:
    assert making_of(PROJECT, [DB, WEB, STRANGER]) == {"db": MAKING, "web": MAKING}


def test_differences_are_told_by_name() -> None:
    assert differences('{"a":1,"b":2,"c":3}', '{"a":2,"b":2,"c":4}') == "a, c"


def test_what_another_version_of_the_suite_did_not_note_is_no_difference() -> None:
    assert differences('{"a":1,"b":2}', '{"a":1,"c":3}') == ""
    newer = json.dumps({"limits": [0], "networks": ["back-mstdn"], "more": 1})
    assert judged(web(making=newer)) == Steps(note=True, reasons=["what its containers were made with is not noted"])


# --- Files that containers mount ----------------------------------------------------------------

SECRET, BUNDLE = "/srv/mastodon/secrets/web.env", ConfigFile("/srv/mastodon/bundle.pem", "roots")
MOUNTING = dataclasses.replace(
    PROJECT, files=(*PROJECT.files, BUNDLE), mounted={SECRET: ("web",), BUNDLE.path: ("db", "web")}
)
MOUNTED = dataclasses.replace(APPLIED, revision=MOUNTING.revision, mounted={SECRET: "5e", BUNDLE.path: BUNDLE.sha256})


def mounting(applied: Applied, containers: tuple[Container, ...] = (DB, WEB)) -> Steps:
    return steps(MOUNTING, applied, containers, IMAGES, NETWORKS)


def test_what_mounts_the_files_that_it_was_started_with_is_left_alone() -> None:
    assert mounting(MOUNTED) == Steps()


def test_whoever_mounts_a_file_that_was_edited_is_restarted() -> None:
    found = mounting(dataclasses.replace(MOUNTED, edited=frozenset({SECRET})))
    assert found == Steps(restart=["id-of-web"], reasons=[f"web was started with another {SECRET}"])


def test_whoever_mounts_a_file_that_will_be_another_is_made_anew_with_the_rest() -> None:
    found = mounting(dataclasses.replace(MOUNTED, revision="older", mounted={SECRET: "5e", BUNDLE.path: "old"}))
    words = [f"{service} was started with another {BUNDLE.path}" for service in ("db", "web")]
    assert found == Steps(renew=["db", "web"], up=True, reasons=["its configuration changed", *words])


def test_a_container_that_is_touched_anyway_is_not_touched_twice() -> None:
    found = mounting(dataclasses.replace(MOUNTED, edited=frozenset({SECRET})), web(gone=("/x",)))
    assert found == Steps(restart=["id-of-web"], reasons=["web holds /x, which is no longer there"])


def test_mounted_files_that_were_never_noted_are_noted() -> None:
    found = mounting(dataclasses.replace(MOUNTED, mounted={}))
    assert found == Steps(note=True, reasons=["what its containers were made with is not noted"])


# --- Containers that make room for new ones -----------------------------------------------------

ROLLING = dataclasses.replace(
    PROJECT,
    services=("db", "web", "worker"),
    replaced={"web": Way.BESIDE, "worker": Way.AFTER},
    parts={"db": "d1", "web": "w1", "worker": "k1"},
    mounted={SECRET: ("web", "worker")},
)
WORKER = dataclasses.replace(
    STRANGER, image="sha256:worker", reference="worker:1", networks={"back-mstdn": "b1"}, making=MAKING
)
ROLLED = dataclasses.replace(
    APPLIED,
    revision=ROLLING.revision,
    making=dict.fromkeys(ROLLING.services, MAKING),
    parts=dict(ROLLING.parts),
    mounted={SECRET: "5e"},
)


def rolling(containers: tuple[Container, ...] = (DB, WEB, WORKER), applied: Applied = ROLLED) -> Steps:
    return steps(ROLLING, applied, containers, IMAGES | {"worker:1": "sha256:worker"}, NETWORKS)


def worker(**changes: Any) -> tuple[Container, ...]:
    return DB, WEB, dataclasses.replace(WORKER, **changes)


def test_what_is_right_makes_no_room() -> None:
    assert rolling() == Steps()


MAKES_ROOM = {
    "its image moved": (
        (*web(image="sha256:old"), WORKER),
        Steps(roll=["web"], retired=["id-of-web"], reasons=["web runs another image than web:1 is now"]),
    ),
    "changed by hand": (
        worker(making=MAKING.replace("[0]", "[1]")),
        Steps(roll=["worker"], retired=["id-of-worker"], reasons=["worker was changed by hand: limits"]),
    ),
    "it holds what is gone, and can be doubled": (
        (*web(gone=("/tmp",)), WORKER),
        Steps(roll=["web"], retired=["id-of-web"], reasons=["web holds /tmp, which is no longer there"]),
    ),
    "it holds what is gone, and cannot be doubled": (
        worker(gone=("/tmp",)),
        Steps(restart=["id-of-worker"], reasons=["worker holds /tmp, which is no longer there"]),
    ),
    "it publishes a port, which two could not, so that restarting is enough": (
        (*web(gone=("/tmp",), published=(Published("127.0.0.1", 3000, "tcp"),)), WORKER),
        Steps(restart=["id-of-web"], reasons=["web holds /tmp, which is no longer there"]),
    ),
    "it serves nobody, and restarting is enough": (
        (*web(health="unhealthy"), WORKER),
        Steps(restart=["id-of-web"], reasons=["web is unhealthy"]),
    ),
    "it does not run, so that there is nothing to wait for": (
        (*web(image="sha256:old", status="exited"), WORKER),
        Steps(renew=["web"], reasons=["web runs another image than web:1 is now"]),
    ),
    "there are two, of which one has to stay": (
        (DB, WEB, dataclasses.replace(WEB, id="other"), WORKER),
        Steps(roll=["web"], up=True, reasons=["web exists 2 times"]),
    ),
    "a run was cut off after the old one had stopped": (
        (DB, WEB, dataclasses.replace(WORKER, status="exited"), dataclasses.replace(WORKER, id="x", status="created")),
        Steps(roll=["worker"], up=True, reasons=["worker exists 2 times", "worker is exited", "worker is created"]),
    ),
}


@pytest.mark.parametrize(("containers", "todo"), MAKES_ROOM.values(), ids=MAKES_ROOM.keys())
def test_a_container_makes_room_when(containers: tuple[Container, ...], todo: Steps) -> None:
    assert rolling(containers) == todo


def test_only_a_handover_needs_no_ports_of_its_own() -> None:
    publishing = worker(published=(Published("198.51.100.7", 443, "tcp"),))
    handed_over = dataclasses.replace(ROLLING, replaced={"worker": Way.HANDOVER})
    assert way_of("worker", handed_over, publishing) is Way.HANDOVER
    assert way_of("worker", dataclasses.replace(ROLLING, replaced={"worker": Way.BESIDE}), publishing) is Way.AFTER


def test_what_a_handover_can_replace_is_not_restarted_while_it_serves() -> None:
    handed_over = dataclasses.replace(ROLLING, replaced={"worker": Way.HANDOVER})
    edited = dataclasses.replace(
        ROLLED, revision=handed_over.revision, edited=frozenset({SECRET}), mounted={SECRET: "5e"}
    )
    found = steps(handed_over, edited, worker(), IMAGES | {"worker:1": "sha256:worker"}, NETWORKS)
    assert (found.roll, found.retired, found.restart) == (["worker"], ["id-of-worker"], ["id-of-web"])


def test_a_changed_file_lets_compose_say_which_of_them_make_room() -> None:
    found = rolling(applied=dataclasses.replace(ROLLED, revision="older"))
    assert found == Steps(roll=["web", "worker"], up=True, reasons=["its configuration changed"])


def test_while_a_project_is_made_nobody_has_to_move() -> None:
    never = dataclasses.replace(ROLLED, revision="", making={}, parts={})
    found = rolling((DB, WEB), never)
    assert (found.roll, found.up) == ([], True)
    # That it was made, and by an older suite, which noted less.
    assert rolling(applied=never).roll == ["web", "worker"]
    # One that somebody removed.
    assert rolling((DB, WEB), dataclasses.replace(ROLLED, revision="")).roll == ["web"]


def test_one_that_is_ill_is_not_kept_when_files_change() -> None:
    found = rolling((*web(health="unhealthy"), WORKER), dataclasses.replace(ROLLED, revision="older"))
    assert (found.roll, found.retired, found.restart, found.renew) == (["web", "worker"], ["id-of-web"], [], [])


def test_whoever_mounts_a_file_that_was_edited_makes_room_where_it_can_be_doubled() -> None:
    found = rolling(applied=dataclasses.replace(ROLLED, edited=frozenset({SECRET})))
    assert (found.roll, found.retired, found.restart) == (["web"], ["id-of-web"], ["id-of-worker"])


@pytest.mark.parametrize(
    ("containers", "changes", "services"),
    [
        pytest.param((DB, WEB, WORKER), {}, [], id="nothing is done"),
        pytest.param(
            (DB, WEB, WORKER),
            {"revision": "older", "parts": {**ROLLING.parts, "db": "d0"}},
            ["db"],
            id="its part changed",
        ),
        pytest.param(
            (DB, WEB, WORKER), {"revision": "", "parts": {}}, ["db", "web", "worker"], id="nobody knows what changed"
        ),
        pytest.param((DB,), {"revision": "", "parts": {}}, ["db"], id="what is not there cannot stop"),
        pytest.param(
            (*web(status="exited"), WORKER),
            {"revision": "", "parts": {}},
            ["db", "worker"],
            id="what stands still, too",
        ),
        pytest.param((*web(health="unhealthy"), WORKER), {}, ["web"], id="it is restarted"),
        pytest.param(worker(image="sha256:old"), {}, ["worker"], id="it makes room"),
    ],
)
def test_a_plan_foretells_what_will_be_stopped(
    containers: tuple[Container, ...], changes: dict[str, Any], services: list[str]
) -> None:
    applied = dataclasses.replace(ROLLED, **changes)
    assert stopped(ROLLING, applied, containers, rolling(containers, applied)) == services


STATES = st.builds(
    Container,
    id=st.sampled_from("ab"),
    name=st.just("x"),
    image=st.sampled_from(["sha256:db", "sha256:web"]),
    reference=st.sampled_from(["db:1", "web:1"]),
    status=st.sampled_from(["running", "paused", "exited", "restarting"]),
    health=st.sampled_from(["none", "healthy", "unhealthy", "starting"]),
    project=st.sampled_from(["mstdn", "other"]),
    service=st.sampled_from(["db", "web", "worker"]),
    once=st.booleans(),
    networks=st.fixed_dictionaries({"back-mstdn": st.sampled_from(["b0", "b1"])}),
    gone=st.sampled_from([(), ("/x",)]),
    making=st.sampled_from([MAKING, MAKING.replace("[0]", "[1]")]),
)


@given(st.lists(STATES, max_size=4))
def test_containers_are_changed_exactly_when_there_is_a_reason_to_tell(containers: list[Container]) -> None:
    found = steps(PROJECT, APPLIED, containers, IMAGES, NETWORKS)
    assert found.changes_containers is bool(found.reasons)
    ours = {each.id for each in of_project(PROJECT, containers)}
    assert {*found.resume, *found.restart} <= ours
    assert set(found.renew) <= set(PROJECT.services)
