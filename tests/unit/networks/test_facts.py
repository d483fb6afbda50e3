"""Networks, as the script prints them."""

from __future__ import annotations

import pytest
from pyinfra.api.exceptions import FactProcessError

from mstdn.fact import CouldNotLook
from mstdn.networks.facts import DockerNetworks, Network
from tests.harness import read


def test_networks_are_read_by_their_names() -> None:
    output = """\
network {"name":"front","id":"f1","driver":"bridge","internal":false,"ipv6":true}
network {"name":"back-mstdn","id":"b1","driver":"bridge","internal":true,"ipv6":false}
"""
    assert read(DockerNetworks, output) == {
        "front": Network("f1", "bridge", internal=False, ipv6=True),
        "back-mstdn": Network("b1", "bridge", internal=True, ipv6=False),
    }


def test_a_server_without_docker_has_none() -> None:
    assert read(DockerNetworks, "") == {}


def test_an_engine_that_does_not_run_is_not_one_without_networks() -> None:
    with pytest.raises(CouldNotLook, match=r"^Docker does not run$"):
        read(DockerNetworks, "unknown Docker does not run\n")


@pytest.mark.parametrize("output", ["network {\n", 'network {"name":"front","id":"f1"}\n', "network []\n"])
def test_an_answer_of_another_form_is_contained(output: str) -> None:
    with pytest.raises(FactProcessError, match="networks/state answered something unexpected"):
        read(DockerNetworks, output)
