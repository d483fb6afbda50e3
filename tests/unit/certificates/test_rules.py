"""What is done about every state that the certificate of a name can be in: exactly which steps, and in which words."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from mstdn.certificates.facts import Certificate, CertificateFiles
from mstdn.certificates.rules import DAY, Steps, covers, defect, least_seconds, steps

NAME, NOW = "social.example.org", 1_800_000_000
GOOD = Certificate("aa", True, NOW - 30 * DAY, NOW + 60 * DAY, (NAME,))
KEPT = dataclasses.replace(GOOD, sum="bb")
FOUND = CertificateFiles({NAME: GOOD}, {NAME: GOOD}, {NAME: GOOD}, frozenset({NAME}), age=3600)


def judged(**changes: Any) -> Steps:
    return steps(dataclasses.replace(FOUND, **changes), [NAME], NOW)


def installed(**changes: Any) -> dict[str, Any]:
    """The installed certificate with these changes, and a client that keeps a good one."""
    return {"installed": {NAME: dataclasses.replace(GOOD, **changes)}, "kept": {NAME: KEPT}}


def test_a_name_that_is_served_with_a_good_certificate_is_left_alone() -> None:
    assert judged() == Steps()


TROUBLES = {
    "its certificate cannot be read": {"sum": ""},
    "its key is not the certificate's": {"fits": False},
    "its certificate is for other.example.org": {"names": ("other.example.org",)},
    "its certificate is for nobody": {"names": ()},
    "its certificate is not valid yet": {"begin": NOW + 1},
    "its certificate ended": {"end": NOW - 1},
    "its certificate ends in 19 days and was not renewed": {"begin": NOW - 70 * DAY, "end": NOW + 20 * DAY - 1},
}


@pytest.mark.parametrize(("words", "changes"), TROUBLES.items(), ids=TROUBLES.keys())
def test_what_the_client_keeps_is_put_back_and_nothing_is_ordered(words: str, changes: dict[str, Any]) -> None:
    assert judged(**installed(**changes)) == Steps(install=[NAME], ask=True, reload=True, reasons=[f"{NAME}: {words}"])


@pytest.mark.parametrize(("words", "changes"), TROUBLES.items(), ids=TROUBLES.keys())
def test_only_what_the_client_does_not_have_is_ordered(words: str, changes: dict[str, Any]) -> None:
    bad = {NAME: dataclasses.replace(GOOD, **changes)}
    expected = Steps(order=[NAME], ask=True, reload=True, reasons=[f"{NAME}: {words}"])
    assert judged(installed=bad, kept=bad) == judged(installed=bad, kept={}) == expected


def test_a_certificate_of_somebodys_own_gives_way_to_the_one_that_the_client_keeps() -> None:
    words = f"{NAME}: its certificate is not the one that the authority's client keeps"
    assert judged(kept={NAME: KEPT}) == Steps(install=[NAME], ask=True, reload=True, reasons=[words])
    expired = {NAME: dataclasses.replace(KEPT, end=NOW - 1)}
    assert judged(kept=expired) == judged(kept={}) == Steps()


def test_files_that_are_gone_come_back_from_the_client() -> None:
    found = judged(installed={}, linked=frozenset())
    assert found == Steps(install=[NAME], ask=True, reload=True, reasons=[f"{NAME}: its certificate is gone"])


def test_a_client_that_knows_nothing_orders_by_itself_when_it_looks() -> None:
    found = judged(installed={}, kept={}, linked=frozenset())
    assert found == Steps(ask=True, reload=True, reasons=[f"{NAME}: its certificate is gone"])


def test_links_that_are_gone_take_no_order() -> None:
    found = judged(linked=frozenset())
    assert found == Steps(ask=True, reload=True, reasons=[f"{NAME}: nothing leads to its certificate"])


@pytest.mark.parametrize(
    ("served", "words"),
    [({NAME: KEPT}, f"{NAME}: nginx serves another certificate"), ({}, f"{NAME}: nginx serves no certificate")],
)
def test_what_nginx_serves_is_compared_with_the_disk(served: dict[str, Certificate], words: str) -> None:
    assert judged(served=served) == Steps(reload=True, reasons=[words])


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ("gone", "conf.d/default.conf is gone"),
        ("empty", "conf.d/default.conf is empty"),
        ("refused", "nginx would not start with conf.d/default.conf"),
    ],
)
def test_a_configuration_that_docker_gen_did_not_write_is_written_anew(configuration: str, words: str) -> None:
    assert judged(configuration=configuration, served={}) == Steps(reload=True, reasons=[words])


@pytest.mark.parametrize("age", [None, 0, 29])
def test_what_started_a_moment_ago_or_does_not_run_is_left_to_itself(age: int | None) -> None:
    assert judged(age=age, installed={}, kept={}, served={}, linked=frozenset(), configuration="gone") == Steps()


def test_each_name_is_judged_for_itself() -> None:
    other = "alice.example.org"
    found = steps(FOUND, [other, NAME], NOW)
    assert found == Steps(ask=True, reload=True, reasons=[f"{other}: its certificate is gone"])


@pytest.mark.parametrize(("days", "least"), [(90, 20), (60, 20), (45, 15), (6, 2)])
def test_how_much_of_its_life_a_certificate_should_have_left(days: int, least: int) -> None:
    assert least_seconds(0, days * DAY) == least * DAY


def test_a_certificate_for_six_days_is_good_on_its_third() -> None:
    assert defect(dataclasses.replace(GOOD, begin=NOW - 3 * DAY, end=NOW + 3 * DAY), NAME, NOW) == ""


@pytest.mark.parametrize(
    ("pattern", "name", "whether"),
    [
        ("a.example.org", "A.example.org", True),
        ("*.example.org", "a.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "b.a.example.org", False),
        ("example.org", "a.example.org", False),
    ],
)
def test_which_names_a_certificate_is_for(pattern: str, name: str, whether: bool) -> None:
    assert covers(pattern, name) is whether


def test_lost_files_are_put_back_right_after_a_start_too() -> None:
    todo = judged(age=5, installed={}, linked=frozenset(), served={})
    assert (todo.install, todo.order, todo.ask, todo.reload) == ([NAME], [], True, True)


def test_what_the_client_has_just_got_it_copies_itself() -> None:
    young = {"installed": {}, "linked": frozenset(), "served": {}, "age": 12}
    assert judged(**young, ordered=frozenset({NAME})) == Steps()
    assert judged(**young, ordered=frozenset({"alice.example.org"})).install == [NAME]
