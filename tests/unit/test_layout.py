"""Where everything lies: under its root, each path once, and nowhere spelled out a second time."""

from __future__ import annotations

import re

import pytest

from mstdn import layout
from mstdn.layout import DATABASE_SERVICES, MASTODON_SERVICES, NETWORKS, MastodonLayout, ProxyLayout
from tests.harness import ROOT

LAYOUTS = (MastodonLayout("/data/a"), ProxyLayout("/data/b"))


def paths_of(each: MastodonLayout | ProxyLayout) -> dict[str, str]:
    """Every path of a layout by its name, but for the root."""
    names = [name for name, value in vars(type(each)).items() if isinstance(value, property)]
    assert len(names) >= 8
    return {name: getattr(each, name) for name in names}


@pytest.mark.parametrize("each", LAYOUTS, ids=lambda each: type(each).__name__)
def test_every_path_lies_under_its_root(each: MastodonLayout | ProxyLayout) -> None:
    for name, path in paths_of(each).items():
        assert re.fullmatch(rf"{each.root}(/[\w.-]+)+", path), name


@pytest.mark.parametrize("each", LAYOUTS, ids=lambda each: type(each).__name__)
def test_no_two_names_mean_the_same_path(each: MastodonLayout | ProxyLayout) -> None:
    paths = list(paths_of(each).values())
    assert len(set(paths)) == len(paths)


def test_the_layouts_under_one_root_of_the_operators_choice_do_not_overlap() -> None:
    settings_of_ones_own = {*paths_of(MastodonLayout("/srv/mastodon")).values()}
    assert settings_of_ones_own.isdisjoint(paths_of(ProxyLayout("/srv/proxy")).values())


def test_owners_are_numbers_because_their_users_exist_in_containers_only() -> None:
    for owner in (layout.ROOT, layout.MASTODON, layout.POSTGRES, layout.REDIS):
        assert re.fullmatch(r"\d+:\d+", owner)


def test_the_services_that_come_up_first_are_some_of_all() -> None:
    assert set(DATABASE_SERVICES) < set(MASTODON_SERVICES)


@pytest.mark.parametrize("root", ["/srv/mastodon", "/srv/proxy"])
def test_no_code_but_the_settings_spells_out_a_root(root: str) -> None:
    """A root that is spelled out does not follow the setting."""
    files = [*(ROOT / "mstdn").rglob("*.py"), *(ROOT / "mstdn").rglob("*.sh"), *(ROOT / "templates").rglob("*.j2")]
    assert files
    spelled = {str(file.relative_to(ROOT)) for file in files if root in file.read_text()}
    assert {path for path in spelled if "settings" not in path} == set()


def test_the_networks_are_named_once_in_python() -> None:
    files = [file for file in (ROOT / "mstdn").rglob("*.py") if file.name != "layout.py"]
    for name in NETWORKS:
        assert [str(file) for file in files if f'"{name}"' in file.read_text()] == []
