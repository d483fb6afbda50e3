"""The engine asked over its socket by curl, as the watcher does, by an engine that answers as Docker does."""

from __future__ import annotations

import json
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mstdn.networks.facts import FirewallWays
from mstdn.status.facts import PartStates, Queue
from tests.harness import read, run_script, stand_in

LABELS = "com.docker.compose."


def container(number: int, called: str, status: str, state: str = "running", **more: Any) -> dict[str, Any]:
    """As GET /containers/json has it (moby, api/types/container.Summary)."""
    project, _, service = called.partition("/")
    labels = {"note": 'say "State":"exited"', f"{LABELS}project": project, f"{LABELS}service": service}
    return {
        "Id": f"{number:064x}",
        "Names": [f"/{project}-{service}-1"],
        "Image": "i",
        "ImageID": "sha256:00",
        "Command": 'sh -c "x"',
        "Created": 1,
        "Ports": [],
        "Labels": labels | {f"{LABELS}oneoff": "False", f"{LABELS}config-hash": "0f"},
        "State": state,
        "Status": status,
        "HostConfig": {"NetworkMode": "front"},
        "NetworkSettings": {"Networks": {"front": {"NetworkID": "ab", "EndpointID": "cd"}}},
        "Mounts": [],
        **more,
    }


CONTAINERS = [
    container(10, "mstdn/web", "Up 2 hours (healthy)"),
    container(11, "mstdn/db", "Up 2 hours", Health={"Status": "healthy", "FailingStreak": 0}),
    container(12, "mstdn/redis", "Up 3 seconds (health: starting)"),
    container(13, "mstdn/sidekiq", "Up 5 minutes (unhealthy)"),
    container(14, "proxy/acme-companion", "Up 2 hours"),
    container(15, "mstdn/streaming", "Restarting (1) 3 seconds ago", "restarting"),
]
NETWORK = {
    "Name": "front",
    "Id": "84540da1dce8" + "0" * 52,
    "IPAM": {"Driver": "default", "Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]},
    "Containers": {"ab": {"Name": "proxy-nginx-1", "IPv4Address": "172.18.0.3/16"}},
    "Options": {},
}


def compact(found: Any) -> bytes:
    """JSON as Go writes it."""
    return json.dumps(found, separators=(",", ":")).encode()


class Engine(BaseHTTPRequestHandler):
    """Runs on this machine what it is told to run in a container."""

    programs: ClassVar[str] = ""
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        found = {"/containers/json": CONTAINERS, "/networks/front": NETWORK}.get(self.path.partition("?")[0])
        self._say(404 if found is None else 200, compact(found))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/exec"):
            Engine.asked.append(body | {"container": self.path.split("/")[2]})
            self._say(201, compact({"Id": "ab" * 32}))
        elif self.path == f"/exec/{'ab' * 32}/start":
            environment = dict(each.split("=", 1) for each in Engine.asked[-1]["Env"])
            path = f"{Engine.programs}:/usr/bin:/bin"
            run = subprocess.run(
                Engine.asked[-1]["Cmd"], env={"PATH": path} | environment, capture_output=True, check=False
            )
            # As a terminal ends its lines.
            self._say(200, run.stdout.replace(b"\n", b"\r\n"))

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *words: Any) -> None:
        pass

    def address_string(self) -> str:
        return "unix"


@contextmanager
def engine(directory: Path) -> Iterator[dict[str, str | Path]]:
    """What a script finds instead of the engine's socket."""
    socket = directory / "docker.sock"
    Engine.asked, Engine.programs = [], str(directory / "inside" / "bin")
    stand_in(directory, "systemctl", "echo active")

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with Server(str(socket), Engine) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield {"/run/docker.sock": socket}
        server.shutdown()


def test_containers_are_listed_with_state_and_health_whichever_way_the_engine_tells_it(tmp_path: Path) -> None:
    with engine(tmp_path) as instead:
        answer = run_script("alerts/containers", before="docker/light", path=tmp_path / "bin", instead=instead)
    assert answer.stdout.splitlines() == [
        "container mstdn web False running healthy",
        "container mstdn db False running healthy",
        "container mstdn redis False running starting",
        "container mstdn sidekiq False running unhealthy",
        "container proxy acme-companion False running none",
        "container mstdn streaming False restarting none",
    ]


REDIS = """case "$2 $3" in
'PING ') echo PONG ;;
'SMEMBERS queues') echo default ;;
'LINDEX queue:default') echo '{"class":"X","args":["\\\\"],"enqueued_at":1800000000123}' ;;
'LLEN queue:default') echo 3 ;;
'ZCARD retry') echo 5 ;;
'ZCARD dead') echo 1 ;;
'SCARD processes') echo 1 ;;
'INFO persistence') printf 'rdb_last_bgsave_status:ok\\r\\naof_last_write_status:ok\\r\\n' ;;
esac"""


@pytest.mark.parametrize("database", [True, False], ids=["answers", "is silent"])
def test_what_status_asks_the_parts_is_asked_in_the_same_words(tmp_path: Path, database: bool) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    stand_in(inside, "redis-cli", REDIS)
    stand_in(inside, "cut", "echo secret")
    stand_in(inside, "cat", 'case "$*" in "") exec /bin/cat ;; *) echo secret ;; esac')
    psql = """case $(/bin/cat) in
    *pg_database_size*) [ "$PGOPTIONS" ] && echo 'database 1000 14 100' && echo 'update 4.7.99 t' ;;
    *) printf 'applied 1\\napplied 2\\n' ;; esac"""
    stand_in(inside, "psql", psql if database else "exit 2")
    with engine(tmp_path) as instead:
        answer = run_script("status/instance", "mstdn", before="docker/light", path=tmp_path / "bin", instead=instead)
    found = read(PartStates, answer.stdout)
    # Redis is "starting" and runs.
    assert found.queues == (Queue("default", 3, 1800000000.123),)
    assert (found.retries, found.dead, found.processes, found.writes) == (5, 1, 1, ("ok", "ok"))
    if database:
        assert (found.database, found.updates, found.silent) == (1000, (("4.7.99", True),), frozenset())
    else:
        assert (found.database, found.silent) == (None, frozenset({"db"}))
    assert {each["container"] for each in Engine.asked} >= {f"{11:064x}", f"{12:064x}"}


def test_the_bridges_of_networks_are_told_as_the_command_docker_tells_them(tmp_path: Path) -> None:
    for program in ("iptables-save", "ip6tables-save", "nft"):
        stand_in(tmp_path, program)
    with engine(tmp_path) as instead:
        answer = run_script(
            "networks/ways", "front", "absent", before="docker/light", path=tmp_path / "bin", instead=instead
        )
    (bridge,) = read(FirewallWays, answer.stdout).networks
    assert (bridge.name, bridge.bridge, bridge.subnets) == ("front", "br-84540da1dce8", ("172.18.0.0/16",))


@pytest.mark.parametrize(("state", "why"), [("inactive", "Docker does not run"), ("active", "Docker does not answer")])
def test_an_engine_that_cannot_be_asked_is_not_started_by_asking(tmp_path: Path, state: str, why: str) -> None:
    path = stand_in(tmp_path, "systemctl", f"echo {state}")
    instead: dict[str, str | Path] = {"/run/docker.sock": tmp_path / "nobody.sock"}
    for name in ("alerts/containers", "status/instance"):
        answer = run_script(name, "mstdn", before="docker/light", path=path, instead=instead)
        assert (answer.returncode, answer.stdout) == (0, f"unknown {why}\n")


def test_a_mail_is_handed_over_inside_with_its_whole_text(tmp_path: Path) -> None:
    program = tmp_path / "hand-over"
    program.write_text('echo "to $1, $2"; sed "s/^/text: /"; echo "mail 0"\n')
    with engine(tmp_path) as instead:
        answer = run_script(
            "alerts/inside",
            program,
            "ann@example.org",
            '2 "wrong"',
            before="docker/light",
            path=tmp_path / "bin",
            instead=instead,
            stdin="WRONG: \\ and 'quotes'\nÄ\n",
        )
    assert answer.stdout.splitlines() == [
        'to ann@example.org, 2 "wrong"',
        "text: WRONG: \\ and 'quotes'",
        "text: Ä",
        "mail 0",
    ]
    assert Engine.asked[-1]["container"] == f"{10:064x}"
