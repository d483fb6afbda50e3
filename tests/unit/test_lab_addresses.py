"""Labs side by side: what they must not have in common, and that only one module knows their addresses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from ipaddress import ip_address, ip_network

import pytest

from tests.harness import ROOT
from tests.lab import addresses
from tests.lab.addresses import address_of, command_of, name_of, number_of, state_of, swap_path_of

ALL = range(10)
ADDRESS = re.compile(r"198\.18\.\d|fd00:198")


@pytest.mark.parametrize("text", ["10", "-1", "one", " 1", "²"])
def test_a_number_that_names_no_lab_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(SystemExit, match="from 0 to 9"):
        number_of(text)


def test_no_two_labs_have_anything_in_common_that_the_machine_knows_by_name() -> None:
    servers = list(addresses.SERVERS)
    for names in (
        [name_of(number) for number in ALL],
        [state_of(number) for number in ALL],
        [command_of(number, "lab-up") for number in ALL],
        [swap_path_of(number, server) for number in ALL for server in servers],
        [address for number in ALL for host in (1, 2, 10, 254) for address in vars(address_of(number, host)).values()],
    ):
        assert len(set(names)) == len(names)


def test_a_name_fits_a_network_interface() -> None:
    assert all(len(name_of(number)) <= 15 for number in ALL)


def test_the_first_lab_has_the_names_of_the_documentation() -> None:
    text = (ROOT / "docs" / "lab.md").read_text()
    assert (name_of(0), state_of(0).name) == ("mstdn-lab", ".lab")
    for host in (2, 10, 11, 12, 20):
        for address in vars(address_of(0, host)).values():
            assert str(ip_address(address)) == address
            assert address in text or host == 2


def test_an_address_of_a_lab_is_in_its_network() -> None:
    assert ip_address(addresses.NOBODY.ipv4) in ip_network(addresses.NETWORK_IPV4)


def test_the_variable_is_heeded() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from tests.lab import addresses; print(addresses.NAME, addresses.SERVERS['server'])"],
        cwd=ROOT,
        env=os.environ | {"LAB": "3"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.split()[0] == "mstdn-lab-3" and "198.18.3.10" in told and "fd00:198:18:3::10" in told


def test_no_other_file_knows_an_address_of_a_lab() -> None:
    files = [path for part in ("e2e", "lab", "plan") for path in (ROOT / "tests" / part).rglob("*") if path.is_file()]
    knowing = {
        str(path.relative_to(ROOT / "tests"))
        for path in files
        if path.suffix != ".pyc" and ADDRESS.search(path.read_text(errors="replace"))
    }
    assert knowing == {"lab/addresses.py"}
