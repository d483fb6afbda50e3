"""What is done to close a server: tried out first, kept only when somebody has come in through it."""

from __future__ import annotations

import base64
import gzip
import json
from hashlib import sha256
from typing import Any

import pytest

from mstdn.firewall import operations
from mstdn.firewall.facts import Setup
from mstdn.firewall.operations import closed_server, wanted_rules
from mstdn.firewall.table import Openings
from mstdn.layout import FIREWALL_NOTE, FIREWALL_RULES, FIREWALL_UNIT
from mstdn.render import render
from tests.harness import Command, commands_of, refusal_of

NONE = Openings()
SSH = "socket tcp 0.0.0.0 22 (ssh)\n"
TABLE = {"table": {"family": "inet", "name": "mstdn", "handle": 1}}
RULE = {"rule": {"family": "inet", "table": "mstdn", "chain": "outside", "handle": 2, "expr": [{"drop": None}]}}
TEXT = wanted_rules(NONE, Setup(ssh_ports=(22,)))
UNIT = render("firewall/mstdn-firewall.service.j2", rules=FIREWALL_RULES, table="mstdn")

INSTALL = Command("apt/install", ("nftables",))
WRITE_UNIT = Command("files/put", ("file", "0:0", "0644", FIREWALL_UNIT), UNIT)
RELOAD = Command("", ("systemctl", "daemon-reload"))
TRY = Command("firewall/try", (FIREWALL_RULES, "inet mstdn", "60"), TEXT)
KEEP = Command("firewall/keep", (FIREWALL_RULES, "inet mstdn", FIREWALL_NOTE))
ENABLE = Command(
    "",
    (
        *("systemctl", "daemon-reload", "&&"),
        *("systemctl", "enable", "--quiet", "--now", "mstdn-firewall.service"),
    ),
)


def packed(*objects: dict[str, Any]) -> str:
    text = json.dumps({"nftables": [{"metainfo": {}}, *objects]})
    return base64.b64encode(gzip.compress(text.encode())).decode()


def sum_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def ruleset(*objects: dict[str, Any], more: str = "") -> dict[str, str]:
    return {"firewall/state": f"outside eth0\nnft {packed(*objects)}\n{more}"}


def installed(*, rules: str = TEXT, unit: str = UNIT, state: str = "enabled", active: str = "active") -> dict[str, str]:
    """What a server says on which all is as it was kept, but for these."""
    return {
        "firewall/setup": f"nft\nsum {sum_of(rules)} {FIREWALL_RULES}\nsum {sum_of(unit)} {FIREWALL_UNIT}\n"
        f"note {packed(TABLE, RULE)}\nsystemd Id=mstdn-firewall.service\nsystemd UnitFileState={state}\n"
        f"systemd ActiveState={active}\nsystemd \n{SSH}"
    }


WELL = ruleset(TABLE, RULE) | installed()


def done(facts: dict[str, str], enabled: Any = "auto", openings: Openings = NONE, **more: Any) -> list[Command]:
    return commands_of(closed_server, facts, enabled=enabled, openings=openings, **more)


def test_a_bare_server_is_closed_and_the_rules_are_kept_after_they_were_tried() -> None:
    assert done({"firewall/setup": SSH}) == [INSTALL, WRITE_UNIT, RELOAD, TRY, KEEP]


def test_a_server_that_is_closed_is_left_alone() -> None:
    assert done(WELL) == done(WELL, enabled=True) == []


@pytest.mark.parametrize(
    ("facts", "commands"),
    [
        pytest.param(ruleset(), [TRY, KEEP], id="the table is gone"),
        pytest.param(ruleset(TABLE, RULE, RULE), [TRY, KEEP], id="a rule was added"),
        pytest.param(ruleset(TABLE), [TRY, KEEP], id="a rule was removed"),
        pytest.param(installed(rules="other\n"), [TRY, KEEP], id="the file was changed"),
        pytest.param(installed(unit="other\n"), [WRITE_UNIT, RELOAD], id="the unit was changed"),
        pytest.param(installed(state="disabled"), [ENABLE], id="the unit is disabled"),
        pytest.param(installed(active="inactive"), [ENABLE], id="the unit was stopped and the table loaded by hand"),
        pytest.param(installed(unit="", state="masked", active="inactive"), [WRITE_UNIT, RELOAD, ENABLE], id="masked"),
    ],
)
def test_a_drift_is_mended(facts: dict[str, str], commands: list[Command]) -> None:
    assert done(WELL | facts) == commands


def test_other_openings_are_tried_out_like_the_first() -> None:
    openings = Openings(tcp=(25,))
    (tried, kept) = done(WELL, openings=openings)
    assert (tried.script, kept) == ("firewall/try", KEEP)
    assert "tcp dport { 22, 25, 80, 443 } accept" in (tried.stdin or "")


def test_every_port_at_which_somebody_logs_in_stays_open() -> None:
    facts = {
        "firewall/setup": "nft\nsocket tcp 198.51.100.7 2222 (ssh)\nsocket tcp :: 8080 x\nssh 2200\n"
        "systemd Id=ssh.socket\nsystemd Listen=0.0.0.0:24 (Stream)\nsystemd Listen=127.0.0.1:26 (Stream)\n"
        "systemd ActiveState=active\nsystemd \nsystemd Id=sshd.socket\nsystemd Listen=[::]:25 (Stream)\n"
        "systemd ActiveState=inactive\n"
    }
    assert "tcp dport { 24, 80, 443, 2200, 2222 } accept" in (done(facts)[2].stdin or "")


def test_what_does_not_let_in_is_taken_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "another_connection", lambda host: "It does not answer. Try more.")
    *before, undo, no = done({"firewall/setup": SSH}, executing=True)
    assert before == [INSTALL, WRITE_UNIT, RELOAD, TRY]
    assert undo == Command("firewall/undo", ())
    assert no.words[0] == "_say_no" and "taken back: It does not answer. If" in no.words[1]
    assert "firewall_tcp_ports" in no.words[1]


def test_what_lets_in_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "another_connection", lambda host: "")
    assert done({"firewall/setup": SSH}, executing=True)[-1] == KEEP


def test_a_server_on_which_nothing_listens_for_ssh_is_not_closed() -> None:
    facts = {"firewall/setup": "nft\n"}
    assert "Nothing on this server seems to listen for SSH" in refusal_of(
        closed_server, facts, enabled="auto", openings=NONE
    )
    assert done(facts, openings=Openings(tcp=(22,)))[-1] == KEEP


def test_an_interface_that_leads_outside_is_not_let_in_as_one_that_does_not() -> None:
    facts = {"firewall/setup": SSH, "firewall/state": "outside eth0\n"}
    refusal = refusal_of(closed_server, facts, enabled=True, openings=Openings(interfaces=("eth*",)))
    assert "firewall_inside_interfaces names eth*, and so eth0" in refusal


# --- Firewalls of others --------------------------------------------------------------------------

UFW = ruleset(more="manager ufw\n")


def test_a_firewall_of_others_is_left_alone_unless_the_operator_asks_for_both() -> None:
    assert done(UFW | {"firewall/setup": SSH}) == []
    assert done(UFW | {"firewall/setup": SSH}, enabled=True)[-1] == KEEP


def test_a_firewall_that_came_later_opens_nothing() -> None:
    assert done(WELL | ruleset(TABLE, RULE, more="manager ufw\n")) == []
    assert done(WELL | ruleset(more="manager ufw\n")) == [TRY, KEEP]


# --- Taken away -----------------------------------------------------------------------------------

REMOVE = Command(
    "firewall/remove", ("inet mstdn", f"{FIREWALL_RULES}.new", FIREWALL_RULES, FIREWALL_NOTE, FIREWALL_UNIT)
)


def test_without_the_firewall_everything_of_it_goes_and_then_nothing_is_done() -> None:
    assert done(WELL, enabled=False) == [REMOVE]
    assert done(ruleset(TABLE) | {"firewall/setup": "nft\n"}, enabled=False) == [REMOVE]
    assert done(ruleset() | {"firewall/setup": "nft\n"}, enabled=False) == []
