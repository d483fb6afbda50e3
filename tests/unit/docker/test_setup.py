"""What docker/setup.sh sees of an engine that is here, with stand-ins for what it asks."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from mstdn.docker.facts import EngineSetup, Setup
from tests.harness import answer_of, calls_in, stand_in

EXEC = (
    "ExecStart={ path=/usr/bin/dockerd ; argv[]=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
    " $DOCKER_OPTS ; ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; code=(null) ; status=0/0 }"
)

USUAL = ("-H", "fd://", "--containerd=/run/containerd/containerd.sock")


def seen(
    directory: Path,
    configuration: str | None = None,
    *,
    properties: str = EXEC,
    age_seconds: int = 60,
    started: str = "",
    verdict: str = "",
    command_line: Sequence[str] = ("/usr/bin/dockerd", *USUAL),
) -> Setup:
    """
    What is seen where daemon.json is this, systemd says this of the unit, and the daemon judges so.

    command_line: that of a daemon that runs, which one does if the properties say "ActiveState=active".
    """
    file = directory / "daemon.json"
    if configuration is not None:
        file.write_text(configuration)
        os.utime(file, (time.time() - age_seconds,) * 2)
    (directory / "properties").write_text(
        f"{properties}\nId=docker.service\nMainPID=4711\nActiveEnterTimestamp={started}\n"
    )
    (directory / "proc/4711").mkdir(parents=True, exist_ok=True)
    (directory / "proc/4711/cmdline").write_text("".join(f"{word}\0" for word in command_line))
    stand_in(directory, "systemctl", f'cat "{directory}/properties"')
    stand_in(directory, "dockerd", f"[ -z '{verdict}' ] || {{ echo '{verdict}' >&2; exit 1; }}")
    return answer_of(
        EngineSetup.of(str(directory / "note"), ["root", "nobody-of-this-name"]),
        path=stand_in(directory, "docker"),
        instead={
            "/etc/docker/daemon.json": file,
            "/root/.docker": directory / "plugins",
            "/proc/": f"{directory}/proc/",
        },
    )


def test_a_server_without_an_engine_says_little(tmp_path: Path) -> None:
    setup = seen(tmp_path, properties="")
    assert (setup.configuration, setup.noted, setup.link, setup.flags, setup.swarm) == (None, None, "", (), False)
    assert setup.strangers == {"nobody-of-this-name"}
    assert "/var/lib/docker" in [disk.path for disk in setup.disks]


def test_what_an_engine_that_is_gone_has_left_for_the_next_one_is_seen(tmp_path: Path) -> None:
    units = tmp_path / "units/docker.service.d"
    units.mkdir(parents=True)
    (units / "own.conf").write_text("[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --graph=/old\n")
    # How to reach the Internet is no matter of how it starts.
    (units / "proxy.conf").write_text("[Service]\nEnvironment=HTTPS_PROXY=http://192.0.2.1:3128\n")
    question, instead = (
        EngineSetup.of(str(tmp_path / "note"), []),
        {"/etc/systemd/system": units.parent, "/etc/docker/daemon.json": tmp_path / "daemon.json"},
    )
    path = stand_in(tmp_path, "systemctl")
    setup = answer_of(question, path=path, instead={**instead, "command -v dockerd": "false"})
    assert (setup.absent, setup.leftovers) == (True, (f"{units}/own.conf",))
    setup = answer_of(question, path=path, instead={**instead, "command -v dockerd": "true"})
    assert (setup.absent, setup.leftovers) == (False, ())


def test_the_program_of_the_engine_is_seen(tmp_path: Path) -> None:
    assert seen(tmp_path).program == f"{tmp_path}/bin/dockerd"


def test_daemon_json_the_note_and_the_place_of_images_are_seen(tmp_path: Path) -> None:
    (tmp_path / "note").write_text('{"ip": "127.0.0.1"}')
    text = '{\n  "data-root" :\n "/nowhere/docker", "ip": "127.0.0.1"}\n'
    setup = seen(tmp_path, text)
    assert (setup.configuration, setup.noted) == (text, '{"ip": "127.0.0.1"}')
    assert setup.disks[0].path == "/nowhere/docker"


@pytest.mark.parametrize(
    ("properties", "further"),
    [
        (EXEC, ()),
        (EXEC + "\nEnvironment=DOCKER_OPTS=--debug", ("--debug",)),
        (EXEC + "\nEnvironmentFiles={file} (ignore_errors=yes)", ("--ip=192.0.2.1", "--debug")),
        (EXEC.replace("$DOCKER_OPTS", "${DOCKER_OPTS}") + "\nEnvironment=DOCKER_OPTS=-D", ("-D",)),
        (
            EXEC + '\nEnvironment=A=b "DOCKER_OPTS=--log-driver=journald --ip=192.0.2.1"',
            ("--log-driver=journald", "--ip=192.0.2.1"),
        ),
        (EXEC.replace("$DOCKER_OPTS", '"--label=a b" --label=*'), ("--label=a b", "--label=*")),
        (EXEC + "\nEnvironment=DOCKER_OPTS=--debug\nEnvironmentFiles={empty} (ignore_errors=yes)", ()),
        (EXEC + '\nEnvironment=DOCKER_OPTS="--log-driver=journald --debug"', ("--log-driver=journald", "--debug")),
    ],
)
def test_options_of_the_unit_are_seen_also_where_a_file_holds_them(
    tmp_path: Path, properties: str, further: tuple[str, ...]
) -> None:
    (tmp_path / "default").write_text('# the options\nDOCKER_OPTS="--ip=192.0.2.1 --debug"\n')
    (tmp_path / "empty").write_text('DOCKER_OPTS=""\n')
    places = properties.replace("{file}", f"{tmp_path}/default").replace("{empty}", f"{tmp_path}/empty")
    assert seen(tmp_path, properties=places).flags == (*USUAL, *further)


@pytest.mark.parametrize(
    "environment",
    ["A=b [unprintable]", r'"DOCKER_OPTS=--log-opt tag=\"a b\""', "$'DOCKER_OPTS=--debug\\t--ip=192.0.2.1'"],
)
def test_a_variable_that_cannot_be_read_is_named_and_nothing_is_judged_without_it(
    tmp_path: Path, environment: str
) -> None:
    setup = seen(tmp_path, "{}", properties=f"{EXEC}\nEnvironment={environment}", verdict="nonsense")
    assert (setup.flags, setup.unreadable, setup.invalid) == (USUAL, "DOCKER_OPTS", "")
    assert not [call for call in calls_in(tmp_path) if call.startswith("dockerd")]


@pytest.mark.parametrize(
    ("variable", "context", "elsewhere"),
    [
        ("", None, ""),
        ("unix:///var/run/docker.sock", "other", ""),
        ("tcp://192.0.2.1:2375", None, "DOCKER_HOST tcp://192.0.2.1:2375"),
        ("", "default", ""),
        ("", "other", "context other"),
        ("", "", ""),
    ],
)
def test_commands_of_root_that_go_elsewhere_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, context: str | None, elsewhere: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", variable)
    if context is not None:
        (tmp_path / "plugins").mkdir()
        (tmp_path / "plugins/config.json").write_text(
            json.dumps({"auths": {}, "currentContext": context} if context else {"auths": {}}, indent="\t")
        )
    assert seen(tmp_path).elsewhere == elsewhere


def now() -> str:
    return time.strftime("%a %Y-%m-%d %H:%M:%S UTC", time.gmtime())


def test_a_daemon_that_runs_shows_its_options_itself(tmp_path: Path) -> None:
    running = ("/usr/bin/dockerd", *USUAL, "--log-opt", "tag={{.Name}} x", "--data-root=/nowhere/docker")
    properties = f"{ACTIVE}\nEnvironment=[unprintable]"
    setup = seen(tmp_path, "{}", properties=properties, age_seconds=-60, started=now(), command_line=running)
    assert (setup.flags, setup.unreadable) == (running[1:], "")
    assert setup.disks[0].path == "/nowhere/docker"
    (call,) = [call for call in calls_in(tmp_path) if call.startswith("dockerd")]
    assert "--log-opt tag={{.Name}} x --data-root=/nowhere/docker --validate" in call


def test_a_daemon_older_than_its_unit_shows_nothing_of_its_next_start(tmp_path: Path) -> None:
    (tmp_path / "own.conf").touch()
    os.utime(tmp_path / "own.conf", (time.time() + 60,) * 2)
    properties = f"{ACTIVE}\nEnvironment=DOCKER_OPTS=--debug\nDropInPaths={tmp_path}/own.conf"
    assert seen(tmp_path, properties=properties, started=now()).flags == (*USUAL, "--debug")


def test_a_wrapper_around_the_daemon_shows_nothing(tmp_path: Path) -> None:
    setup = seen(tmp_path, properties=ACTIVE, started=now(), command_line=("/bin/sh", "/usr/local/bin/wrapper"))
    assert setup.flags == USUAL


def test_a_kernel_that_passes_nothing_on_is_seen(tmp_path: Path) -> None:
    (tmp_path / "proc/sys/net/ipv4").mkdir(parents=True)
    for text, passes in (("0", False), ("1", True)):
        (tmp_path / "proc/sys/net/ipv4/ip_forward").write_text(f"{text}\n")
        assert seen(tmp_path).forwarding is passes


def test_a_link_is_told_with_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "managed.json").write_text("{}")
    (tmp_path / "daemon.json").symlink_to(tmp_path / "managed.json")
    assert seen(tmp_path).link == str(tmp_path / "managed.json")


def test_swarm_mode_is_seen_without_asking_the_engine(tmp_path: Path) -> None:
    (tmp_path / "root/swarm").mkdir(parents=True)
    text = f'{{"data-root": "{tmp_path}/root"}}'
    assert not seen(tmp_path, text).swarm
    (tmp_path / "root/swarm/docker-state.json").write_text("{}")
    assert seen(tmp_path, text).swarm
    assert not [call for call in calls_in(tmp_path) if call.startswith("docker ")]


def test_a_compose_of_ones_own_is_seen_with_its_version(tmp_path: Path) -> None:
    plugin = tmp_path / "plugins/cli-plugins/docker-compose"
    plugin.parent.mkdir(parents=True)
    plugin.write_text('#!/bin/sh\necho \'{"Vendor": "Docker Inc.","Version": "v2.2.3"}\'\n')
    plugin.chmod(0o755)
    assert seen(tmp_path).composes == {str(plugin): "2.2.3"}


ACTIVE = EXEC + "\nActiveState=active"


@pytest.mark.parametrize(
    ("properties", "age_seconds", "started", "judged"),
    [
        pytest.param(ACTIVE, 60, "now", False, id="the daemon has started with it"),
        pytest.param(ACTIVE, -60, "now", True, id="it was changed since"),
        pytest.param(EXEC + "\nActiveState=failed", 60, "now", True, id="the daemon does not run"),
        pytest.param(ACTIVE + "\nDropInPaths={drop-in}", 60, "now", True, id="the unit was changed since"),
    ],
)
def test_the_daemon_judges_a_configuration_that_it_did_not_start_with(
    tmp_path: Path, properties: str, age_seconds: int, started: str, *, judged: bool
) -> None:
    (tmp_path / "own.conf").touch()
    os.utime(tmp_path / "own.conf", (time.time() + 60,) * 2)
    moment = now() if started else ""
    setup = seen(
        tmp_path,
        "{}",
        properties=properties.replace("{drop-in}", str(tmp_path / "own.conf")),
        age_seconds=age_seconds,
        started=moment,
        verdict="unable to configure: nonsense",
    )
    assert setup.invalid == ("unable to configure: nonsense" if judged else "")
    calls = [call for call in calls_in(tmp_path) if call.startswith("dockerd")]
    expected = (
        f"dockerd -H fd:// --containerd=/run/containerd/containerd.sock --validate --config-file {tmp_path}/daemon.json"
    )
    assert calls == ([expected] if judged else [])


def test_other_users_are_not_judged_because_the_daemon_would_make_one(tmp_path: Path) -> None:
    text = '{"userns-remap": "default"}'
    setup = seen(tmp_path, text, properties=ACTIVE, age_seconds=-60, verdict="it made the user dockremap")
    assert (setup.configuration, setup.invalid) == (text, "")
    assert not [call for call in calls_in(tmp_path) if call.startswith("dockerd")]
