"""A server that nothing of the suite was ever on: what is refused there, and that looking changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.instance import Instance
from tests.lab.addresses import NOBODY

EVERYTHING = "find /etc /home /root /srv /usr /var/lib/dpkg -xdev -printf '%p %T@\\n' | sort"


def test_the_lab_gives_us_a_bare_server(bare: Instance) -> None:
    for program in ("docker", "curl", "git", "gpg", "python3"):
        assert not bare.succeeds(f"command -v {program}"), f"{program} is there already"


def test_a_plan_leaves_a_bare_server_bare(bare: Instance) -> None:
    before = bare.run(EVERYTHING)
    plan = bare.plan()
    assert plan.planned
    assert bare.run(EVERYTHING) == before
    assert not bare.succeeds("test -e /srv/mastodon")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"preflight_memory_and_swap_mib": 1_000_000}, "1000000 MiB", id="too little memory"),
        pytest.param({"preflight_free_disk_gib": 99_000}, "preflight_free_disk_gib", id="too little disk"),
        pytest.param({"local_domain": "elsewhere.example.org"}, NOBODY.ipv4, id="a name that leads elsewhere"),
        pytest.param(
            {"local_domain": "elsewhere6.example.org"}, NOBODY.ipv6, id="a name that leads elsewhere with IPv6"
        ),
        pytest.param({"local_domain": "nowhere.example.org"}, "no address", id="a name without an address"),
    ],
)
def test_preflight_refuses_what_cannot_work(bare: Instance, settings: dict[str, Any], words: str) -> None:
    refusal = bare.refusal(**settings)
    assert "Nothing was changed" in refusal
    assert words in refusal


def test_preflight_lists_everything_at_once(bare: Instance) -> None:
    refusal = bare.refusal(preflight_memory_and_swap_mib=1_000_000, preflight_free_disk_gib=99_000)
    assert "1000000 MiB" in refusal and "preflight_free_disk_gib" in refusal


@pytest.mark.parametrize("port", [80, 443])
def test_preflight_names_the_process_that_holds_a_port_of_the_proxy(bare: Instance, port: int) -> None:
    bare.run(f"systemd-run --quiet --unit=squatter systemd-socket-activate --listen={port} cat")
    try:
        bare.run(f"timeout 10 sh -c 'until ss -Hltn sport = :{port} | grep -q .; do sleep 0.1; done'")
        refusal = bare.refusal()
        assert f"Port {port}" in refusal and "systemd-socket" in refusal
    finally:
        bare.run("systemctl stop squatter")
