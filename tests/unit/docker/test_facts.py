"""Docker Engine and its containers, as the scripts print them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn.docker.facts import Container, Containers, DockerHost, Engine, Published
from mstdn.fact import CouldNotLook
from tests.harness import container_line, read
from tests.unit.apt.keys import FINGERPRINT, RSA_KEY

# --- The installation ---------------------------------------------------------------------------


def test_an_engine_that_runs_is_read() -> None:
    output = f"""\
codename debian trixie
architecture amd64
package docker-ce 5:29.1.2-1~debian.13~trixie
package containerd.io 2.2.0-2~debian.13~trixie
key {b64encode(RSA_KEY).decode()}
active active
enabled enabled
started 1763880000
configured 1763880100
members alice,bob
"""
    assert read(DockerHost, output) == Engine(
        "debian",
        "trixie",
        "amd64",
        {"docker-ce": "5:29.1.2-1~debian.13~trixie", "containerd.io": "2.2.0-2~debian.13~trixie"},
        [FINGERPRINT],
        True,
        True,
        1763880000,
        1763880100,
        frozenset({"alice", "bob"}),
    )


def test_a_server_without_an_engine_is_read() -> None:
    output = "codename ubuntu noble\narchitecture arm64\nactive inactive\nenabled not-found\n"
    assert read(DockerHost, output) == Engine("ubuntu", "noble", "arm64")


@pytest.mark.parametrize("active", ["failed", "activating", "reloading", ""])
def test_only_an_active_daemon_is_active(active: str) -> None:
    output = f"codename debian trixie\narchitecture amd64\nactive {active}\nenabled disabled\nmembers \n"
    assert read(DockerHost, output) == Engine("debian", "trixie", "amd64", members=frozenset())


@pytest.mark.parametrize(
    "output",
    [
        "",
        "codename debian\narchitecture amd64\n",
        "codename debian trixie\n",
        "codename debian trixie\narchitecture amd64\nkey a\n",
        "codename debian trixie\narchitecture amd64\nstarted yesterday\n",
        "codename debian trixie\narchitecture amd64\npackage docker-ce\n",
    ],
    ids=["nothing", "no codename", "no architecture", "key", "time", "package"],
)
def test_an_answer_of_another_form_is_contained(output: str) -> None:
    with pytest.raises(FactProcessError, match="docker/state answered something unexpected"):
        read(DockerHost, output)


# --- Containers ---------------------------------------------------------------------------------


def the_container(**changes: Any) -> Container:
    (found,) = read(Containers, container_line("web", **changes))
    return found


def test_a_container_of_a_compose_project_is_read() -> None:
    found = the_container(networks={"back-mstdn": "b1", "front": "f1"}, status="paused", health="unhealthy")
    assert (found.id, found.name, found.image, found.reference) == ("id-of-web", "mstdn-web-1", "sha256:web", "web:1")
    assert (found.project, found.service, found.directory, found.once) == ("mstdn", "web", "/srv/mastodon", False)
    assert (found.status, found.health) == ("paused", "unhealthy")
    assert found.networks == {"back-mstdn": "b1", "front": "f1"}


def test_a_container_without_compose_has_no_project() -> None:
    found = the_container(project=None, service=None, directory=None, once=None, health="none")
    assert (found.project, found.service, found.directory, found.once, found.health) == ("", "", "", False, "none")


@pytest.mark.parametrize("checksum", ["", None])
def test_a_container_that_compose_would_not_touch_is_in_no_project(checksum: str | None) -> None:
    found = the_container(hash=checksum)
    assert (found.project, found.service) == ("", "")


def test_what_a_container_asks_the_proxy_for_is_read() -> None:
    assert the_container(asks=["VIRTUAL_HOST=a.example.org", None]).asks == ("VIRTUAL_HOST=a.example.org",)
    assert the_container().asks == ()


def test_a_container_of_compose_run_is_told_from_a_service() -> None:
    assert the_container(once="True").once is True


def test_every_port_that_leads_into_a_container_is_read_with_its_protocol() -> None:
    published = {
        "443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "443"}, {"HostIp": "::", "HostPort": "443"}],  # noqa: S104
        "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}],
        "80/tcp": None,
        "8080": [{"HostIp": "", "HostPort": "8080"}],
        # Not bound yet.
        "81/tcp": [{"HostIp": "", "HostPort": ""}],
    }
    assert the_container(published=published).published == (
        Published("0.0.0.0", 443, "tcp"),  # noqa: S104
        Published("::", 443, "tcp"),
        Published("127.0.0.1", 5353, "udp"),
        Published("", 8080, "tcp"),
    )
    assert the_container(published=None).published == ()


def asking(address: str, port: str = "8025") -> dict[str, Any]:
    return {"80/tcp": [{"HostIp": address, "HostPort": port}]}


@pytest.mark.parametrize(
    ("published", "bindings", "ports"),
    [
        pytest.param(asking("0.0.0.0"), asking(""), [8025], id="it runs"),  # noqa: S104
        pytest.param(asking("127.0.0.1"), asking(""), [], id="it runs, and the engine has an address for it"),
        pytest.param(asking("0.0.0.0"), asking("0.0.0.0"), [], id="it runs, and asked for everybody"),  # noqa: S104
        pytest.param({}, asking(""), [8025], id="it is stopped"),
        pytest.param(None, asking(""), [8025], id="it never ran"),
        pytest.param(
            {"80/tcp": None}, asking("", "8025-8027"), [8025], id="it is stopped, and asked for one of several"
        ),
        pytest.param({}, asking("127.0.0.1"), [], id="it is stopped, and asked for an address"),
        pytest.param({}, asking("", ""), [], id="it is stopped, and Docker would choose a port"),
        pytest.param({}, asking("", "0"), [], id="it is stopped, and asked for a port that Docker would choose"),
        pytest.param({}, {"80/tcp": None}, [], id="it is stopped, and asked for nothing"),
        pytest.param({}, None, [], id="it has no ports"),
    ],
)
def test_ports_without_an_address_are_read_whether_it_runs_or_not(
    published: dict[str, Any] | None, bindings: dict[str, Any] | None, ports: list[int]
) -> None:
    found = the_container(published=published, bindings=bindings)
    assert [each.port for each in found.anywhere] == ports


def test_paths_that_are_gone_belong_to_their_container() -> None:
    output = container_line("web") + container_line("db") + "gone id-of-db /a\ngone id-of-db /b\ngone elsewhere /c\n"
    assert {each.service: each.gone for each in read(Containers, output)} == {"web": (), "db": ("/a", "/b")}


def test_the_names_by_which_others_find_it_are_its_own_and_its_aliases() -> None:
    found = the_container(networks={"a": "1", "b": "2"}, aliases={"a": ["db", "shop-db-1"], "b": None})
    assert found.called == {"a": {"mstdn-web-1", "db", "shop-db-1"}, "b": {"mstdn-web-1"}}


def test_what_it_may_write_to_on_the_server_is_read_of_both_kinds_of_mounts() -> None:
    found = the_container(
        binds=["/a:/x", "/b:/x:ro", "/c:/x:rw,z", "/d:/x:z,ro", "volume:/x"],
        mounts=[
            {"Type": "bind", "Source": "/e", "Target": "/x"},
            {"Type": "bind", "Source": "/f", "Target": "/x", "ReadOnly": True},
            {"Type": "volume", "Source": "g", "Target": "/x"},
        ],
    )
    assert found.writes == ("/a", "/c", "/e")


@pytest.mark.parametrize(
    "changed",
    [
        {"hash": "10"},
        {"user": "root"},
        {"command": ["run", "other"]},
        {"entrypoint": ["sh"]},
        {"bindings": {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}},
        {"binds": ["/etc:/etc:rw"]},
        {"mounts": [{"Type": "bind", "Source": "/a", "Target": "/b"}]},
        {"tmpfs": {"/tmp": ""}},
        {"restart": {"Name": "no", "MaximumRetryCount": 0}},
        {"limits": [1, 0, 0, 0, 0, 0, 0, "", "", 100, 0]},
        {"rights": [True, True, None, ["ALL"], []]},
        {"networks": {"back-mstdn": "b1"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_a_container_was_made_with_is_in_its_making(changed: dict[str, Any]) -> None:
    assert the_container(**changed).making != the_container().making


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({}, {"id": "another", "name": "/x"}, id="its identity"),
        pytest.param({}, {"status": "exited", "health": "unhealthy"}, id="its state"),
        pytest.param({"networks": {"a": "1", "b": "2"}}, {"networks": {"b": "3", "a": "4"}}, id="IDs of its networks"),
        pytest.param({"binds": ["/a:/a:rw", "/b:/b:ro"]}, {"binds": ["/b:/b:ro", "/a:/a:rw"]}, id="order of binds"),
        pytest.param(
            {"mounts": [{"Source": "/a"}, {"Source": "/b"}]},
            {"mounts": [{"Source": "/b"}, {"Source": "/a"}]},
            id="order of mounts",
        ),
    ],
)
def test_what_says_nothing_of_how_it_was_made_is_not_in_its_making(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert the_container(**one).making == the_container(**other).making


def test_the_order_of_a_command_is_part_of_it() -> None:
    assert the_container(command=["a", "b"]).making != the_container(command=["b", "a"]).making
    assert the_container(command=["a:1", "b:2"]).making != the_container(command=["b:2", "a:1"]).making


def test_an_engine_that_does_not_run_is_not_one_without_containers() -> None:
    assert read(Containers, "") == ()
    with pytest.raises(CouldNotLook, match=r"^Docker does not run$"):
        read(Containers, "unknown Docker does not run\n")


@pytest.mark.parametrize(
    "output", ["container {\n", "container []\n", f"container {json.dumps({'id': 'x'})}\n", "gone x\n"]
)
def test_a_container_of_another_form_is_contained(output: str) -> None:
    with pytest.raises(FactProcessError, match="docker/containers answered something unexpected"):
        read(Containers, output)
